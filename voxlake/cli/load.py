"""`load`: brings Redshift up to date with the lake."""

from __future__ import annotations

import json

from voxlake.cli.options import Json, Stage, err, out, print_json
from voxlake.cli.target import NotDeployedError, Target
from voxlake.errors import VoxlakeError


class LoadError(VoxlakeError):
    """The load failed; the message is the loader's own."""


def load(stage: Stage = "local", json_: Json = False) -> None:
    """Loads into Redshift every day of the lake whose version is not there yet.

    Repeating it changes nothing. A day that was corrected, or from which somebody was erased, is
    replaced as a whole.

    Example: voxlake load
    """
    result = follow(Target(stage))
    if json_:
        print_json(result)
        return
    for name in result["migrations"]:
        out.print(f"applied the migration {name}")
    for table, counts in result["tables"].items():
        out.print(f"{table:<14} {counts['days']:>5,} days {counts['rows']:>9,} rows loaded")


def follow(target: Target) -> dict:
    """Calls the loader until it is done; its answers added up.

    Raises NotDeployedError where the stage has no Redshift, LoadError when the loader fails.
    """
    if "WarehouseLoaderFunction" not in target.outputs:
        raise NotDeployedError(
            f"expected Redshift in the stage {target.stage}, found none: set redshift_enabled in "
            "infra/config.py and deploy"
        )
    whole: dict = {"migrations": [], "tables": {}}
    while True:
        result = _invoke(target)
        whole["migrations"] += result["migrations"]
        for table, counts in result["tables"].items():
            sums = whole["tables"].setdefault(table, {"days": 0, "rows": 0})
            for name, count in counts.items():
                sums[name] += count
        if result["done"]:
            return whole
        err.print("… the load goes on")


def _invoke(target: Target) -> dict:
    answer = target.client("lambda", wait_seconds=900).invoke(
        FunctionName=target.output("WarehouseLoaderFunction"), Payload=b'{"step": "load"}'
    )
    payload = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise LoadError(f"the load failed: {payload.get('errorMessage', payload)}")
    return payload
