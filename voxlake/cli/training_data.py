"""Where the data of a training is on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from voxlake.training.data import SUFFIXES, DataSet, TrainingDataError, set_in


def find_data(data: str) -> DataSet:
    """The data set of a file, a folder or a name under $VOXLAKE_DATA (data/ if unset).

    Raises TrainingDataError saying where it looked.
    """
    named = Path(os.environ.get("VOXLAKE_DATA", "data")) / data
    path = Path(data) if Path(data).exists() else named
    if path.is_file():
        if not path.name.endswith(SUFFIXES):
            raise TrainingDataError(f"{path}: expected a name ending in {' or '.join(SUFFIXES)}")
        return DataSet(path.name.split(".")[0], path, None)
    if not path.is_dir():
        raise TrainingDataError(
            f"expected labelled texts at {data} or {named}, found neither; name a JSON lines file, "
            "or set VOXLAKE_DATA to the folder that holds your data sets"
        )
    return set_in(path, path.resolve().name)
