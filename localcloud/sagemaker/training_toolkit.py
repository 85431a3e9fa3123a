"""What the framework images' training toolkit does: folders, command line, environment, failure.

https://github.com/aws/sagemaker-training-toolkit/blob/master/ENVIRONMENT_VARIABLES.md
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = "/opt/ml"
# The toolkit's own hyperparameters; they are no arguments of the script.
_OWN = "sagemaker_"


@dataclass(frozen=True)
class Folders:
    """The container's `/opt/ml`, somewhere else; a script finds it by its SM_ variables."""

    root: Path

    @classmethod
    def below(cls, scratch: Path) -> Folders:
        """Make the folders that a container starts with."""
        folders = cls(scratch / "opt" / "ml")
        for folder in (
            folders.code, folders.model, folders.output, folders.checkpoints, folders.inputs,
            folders.root / "input" / "config",
        ):  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True)
        return folders

    @property
    def code(self) -> Path:
        return self.root / "code"

    @property
    def model(self) -> Path:
        return self.root / "model"

    @property
    def output(self) -> Path:
        return self.root / "output" / "data"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def inputs(self) -> Path:
        return self.root / "input" / "data"

    @property
    def failure(self) -> Path:
        """The file in which a script may say why it failed."""
        return self.root / "output" / "failure"

    def channel(self, name: str) -> Path:
        return self.inputs / name

    def mapped(self, value: str) -> str:
        """A value with the container's paths led to these folders."""
        if value == ROOT or value.startswith(f"{ROOT}/"):
            return str(self.root) + value[len(ROOT) :]
        return value


def hyperparameters(given: dict[str, str]) -> dict[str, Any]:
    """Return the values as the toolkit reads them: JSON where they are, else text."""
    found = {}
    for name, value in given.items():
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def command_and_environment(
    job_name: str,
    request: dict[str, Any],
    folders: Folders,
    program: str,
    env: dict[str, str],
    region: str,
) -> tuple[list[str], dict[str, str]]:
    """Return the script's command line and environment, and write `input/config`."""
    values = hyperparameters(request.get("HyperParameters") or {})
    user = {name: value for name, value in values.items() if not name.startswith(_OWN)}
    arguments = []
    for name, value in sorted(user.items()):
        text = value if isinstance(value, str) else json.dumps(value)
        if isinstance(value, bool):
            text = str(value)
        arguments += [f"--{name}" if len(name) > 1 else f"-{name}", folders.mapped(text)]
    channels = [channel["ChannelName"] for channel in request.get("InputDataConfig") or []]
    resources = {
        "current_host": "algo-1",
        "hosts": ["algo-1"],
        "network_interface_name": "lo",
        "current_instance_type": request["ResourceConfig"].get("InstanceType", ""),
    }
    config = folders.root / "input" / "config"
    (config / "hyperparameters.json").write_text(json.dumps(request.get("HyperParameters") or {}))
    (config / "resourceconfig.json").write_text(json.dumps(resources))
    (config / "inputdataconfig.json").write_text(
        json.dumps({name: {"TrainingInputMode": "File"} for name in channels})
    )
    given = request.get("Environment") or {}
    env |= {name: folders.mapped(value) for name, value in given.items()}
    env |= {
        "TRAINING_JOB_NAME": job_name,
        "SM_MODULE_NAME": program.removesuffix(".py"),
        "SM_USER_ENTRY_POINT": program,
        "SM_MODULE_DIR": str(folders.code),
        "SM_INPUT_DIR": str(folders.inputs.parent),
        "SM_INPUT_CONFIG_DIR": str(config),
        "SM_OUTPUT_DIR": str(folders.output.parent),
        "SM_OUTPUT_DATA_DIR": str(folders.output),
        "SM_OUTPUT_INTERMEDIATE_DIR": str(folders.output.parent / "intermediate"),
        "SM_MODEL_DIR": str(folders.model),
        "SM_CHANNELS": json.dumps(channels),
        "SM_HPS": json.dumps(user),
        "SM_USER_ARGS": json.dumps(arguments),
        "SM_CURRENT_HOST": "algo-1",
        "SM_HOSTS": json.dumps(["algo-1"]),
        "SM_CURRENT_INSTANCE_TYPE": resources["current_instance_type"],
        "SM_RESOURCE_CONFIG": json.dumps(resources),
        "SM_NUM_CPUS": str(os.cpu_count() or 1),
        "SM_NUM_GPUS": "0",
        "SM_LOG_LEVEL": "20",
        "AWS_REGION": region,
    }
    env |= {f"SM_CHANNEL_{name.upper()}": str(folders.channel(name)) for name in channels}
    env |= {
        f"SM_HP_{name.upper().replace('-', '_')}": str(value).strip()
        for name, value in user.items()
    }
    # As in an image, where the code's folder is on the path before what is installed.
    env["PYTHONPATH"] = str(folders.code)
    return [sys.executable, str(folders.code / program), *arguments], env


def failure_reason(folders: Folders, log: Path, status: int, program: str) -> str:
    """Return why a script failed: what it wrote to `output/failure`, else its last error line."""
    if folders.failure.is_file():
        return folders.failure.read_text(errors="replace").strip()
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    last = lines[-1].strip() if lines else "it wrote nothing"
    return f'ExecuteUserScriptError: ExitCode {status} ErrorMessage "{last}" Command "{program}"'
