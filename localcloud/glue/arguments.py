"""The arguments of a Glue job run: which Glue itself consumes, and what the script sees.

Those that only matter on a cluster pass unread; --additional-python-modules are the host's own.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from localcloud.errors import LocalCloudError

_REFUSED = ("--extra-jars", "--extra-files", "--customer-driver-env-vars", "--user-jars-first")


@dataclass(frozen=True)
class JobArguments:
    """What one run asks for; like Glue, `argv` passes every argument on, the special ones too."""

    argv: list[str]
    py_files: list[str]
    spark_conf: dict[str, str]


class UnsupportedArgumentError(LocalCloudError, ValueError):
    """A special argument asks for something that the laptop cloud cannot do."""


def parse(arguments: Mapping[str, str], *, job_name: str, run_id: str) -> JobArguments:
    """Read the special arguments. Raises UnsupportedArgumentError, naming the argument."""
    if arguments.get("--job-language", "python") != "python":
        raise UnsupportedArgumentError(
            f"--job-language: expected python, found {arguments['--job-language']}"
        )
    for name in _REFUSED:
        if arguments.get(name):
            raise UnsupportedArgumentError(f"{name}: not honoured by the laptop cloud; remove it")
    added = {"--JOB_NAME": job_name, "--JOB_ID": f"j_{run_id[3:]}", "--JOB_RUN_ID": run_id}
    # Glue's odd form of several settings in one argument: "a=1 --conf b=2".
    conf = [part for part in shlex.split(arguments.get("--conf", "")) if part != "--conf"]
    return JobArguments(
        argv=[text for pair in {**added, **arguments}.items() for text in pair],
        py_files=_split(arguments.get("--extra-py-files", "")),
        spark_conf=dict(part.split("=", 1) for part in conf),
    )


def _split(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
