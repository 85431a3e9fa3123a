"""Each stage is synthesised once, as a user would: a bare environment, no `node`, no credentials.

Once a run, not once a worker of xdist: whoever needs a stage first makes it, the others wait.
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.config import STAGES, load_stage
from infra.packaging import REPOSITORY


@dataclass(frozen=True)
class Assembly:
    """A synthesised cloud assembly and what the synthesis said."""

    stage: str
    folder: Path
    stderr: str

    @property
    def stacks(self) -> tuple[str, ...]:
        return load_stage(self.stage).stacks

    def template(self, stack: str) -> dict[str, Any]:
        path = self.folder / f"voxlake-{self.stage}-{stack}.template.json"
        return json.loads(path.read_text())

    def resources(self, stack: str, type_: str | None = None) -> dict[str, dict[str, Any]]:
        return {
            name: resource
            for name, resource in self.template(stack)["Resources"].items()
            if type_ in (None, resource["Type"])
        }

    def only(self, stack: str, type_: str) -> dict[str, Any]:
        """The properties of the stack's one resource of a type."""
        (resource,) = self.resources(stack, type_).values()
        return resource["Properties"]

    def all_resources(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(stack, logical id, resource) of every stack."""
        for stack in self.stacks:
            for name, resource in self.resources(stack).items():
                yield stack, name, resource


@pytest.fixture(scope="session")
def synthesise() -> Callable[..., Assembly]:
    """Synthesises a stage into a folder by the command that users run."""
    return _synthesise


def _synthesise(stage: str | None, out: Path, **environment: str) -> Assembly:
    chosen = ["--stage", stage] if stage else []
    run = subprocess.run(
        [sys.executable, "-m", "infra.app", *chosen, "--out", str(out)],
        cwd=REPOSITORY,
        env={
            "PATH": "/nonexistent",
            "HOME": str(out.parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CDK_VALIDATION": "false",
            # Whoever asks a proxy that is not there has asked the network.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
            "AWS_EC2_METADATA_DISABLED": "true",
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return Assembly(stage or "", out, run.stderr)


@pytest.fixture(scope="session")
def assemble(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Assembly]:
    """The assembly of a stage, made at its first use by any worker; nobody may change it."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "stages"

    @cache
    def of_stage(stage: str) -> Assembly:
        folder = root / stage
        folder.mkdir(parents=True, exist_ok=True)
        said = folder / "stderr"  # written last: there is one only of a whole assembly
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not said.exists():
                said.write_text(_synthesise(stage, folder / "cdk.out").stderr)
        return Assembly(stage, folder / "cdk.out", said.read_text())

    return of_stage


@pytest.fixture(scope="session")
def full(assemble: Callable[[str], Assembly]) -> Assembly:
    return assemble("full")


@pytest.fixture(scope="session", params=STAGES)
def assembly(request: pytest.FixtureRequest, assemble: Callable[[str], Assembly]) -> Assembly:
    """Every stage in turn."""
    return assemble(request.param)
