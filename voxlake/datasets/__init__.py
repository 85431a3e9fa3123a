"""Public data sets and one's own, in one form: the catalog, the form, pure converters."""

from voxlake.datasets.catalog import CATALOG, Dataset, Original, get
from voxlake.datasets.errors import (
    DatasetError,
    OriginalFormatError,
    RowError,
    UnknownDatasetError,
)
from voxlake.datasets.form import SPLITS, Task, separate, text_key, to_jsonl_gz

__all__ = [
    "CATALOG",
    "SPLITS",
    "Dataset",
    "DatasetError",
    "Original",
    "OriginalFormatError",
    "RowError",
    "Task",
    "UnknownDatasetError",
    "get",
    "separate",
    "text_key",
    "to_jsonl_gz",
]
