"""`up` and `down`: the laptop cloud, with the synthesised template deployed to it.

The product imports nothing of the laptop cloud: both are run as programs of their own.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from voxlake.cli.dashboard import page_address
from voxlake.cli.options import Json, err, out, print_json, program
from voxlake.cli.target import LAPTOP_STAGE, NotRunningError, Target, cloud_state, home
from voxlake.errors import VoxlakeError

# What the template is made of; anything else may change without a new synthesis.
SOURCES = (
    *("infra", "lambdas", "glue_jobs", "sagemaker", "voxlake", "requirements", "dashboard"),
    "mwaa_dags",
    "cdk.json",
)


class LaptopCloudError(VoxlakeError):
    """A step of starting the laptop cloud failed; the message carries its last lines."""


def up(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start empty: a running laptop cloud is stopped first.")
    ] = False,
    env: Annotated[
        bool,
        typer.Option("--env", help="Print only the lines to export: eval $(voxlake up --env)"),
    ] = False,
    json_: Json = False,
) -> None:
    """Starts the laptop cloud and deploys the synthesised template to it.

    Example: voxlake up, then eval $(voxlake up --env) and use any AWS client.
    """
    start(fresh=fresh, say=(lambda _line: None) if env or json_ else err.print)
    variables = Target().environment()
    if json_:
        print_json(variables)
        return
    for name, value in variables.items():
        sys.stdout.write(f"export {name}={value}\n")
    if not env:
        err.print("\nAny AWS client works with these, for example: aws s3 ls")
        err.print(f"The page: {page_address(Target())}", soft_wrap=True)
        err.print(f"Next: {program()} send FILE, then run, then query; down ends it.")


def down(json_: Json = False) -> None:
    """Stops the laptop cloud; what was in it is gone.

    Example: voxlake down
    """
    running = is_running()
    if running:
        _program("localcloud", "down", "--state", str(cloud_state()), step="stop")
    if json_:
        print_json({"stopped": running})
    else:
        out.print(
            "The laptop cloud is stopped." if running else "The laptop cloud was not running."
        )


def is_running() -> bool:
    """Whether a laptop cloud runs for this home."""
    try:
        Target().environment()
    except NotRunningError:
        return False
    return True


def start(*, fresh: bool = False, say=err.print) -> None:
    """Synthesis, laptop cloud, deployment; what is there already is kept, unless `fresh`.

    Raises LaptopCloudError with the failing step's last lines.
    """
    root = project_root()
    began = time.monotonic()
    assembly = synthesise(root, say)
    state = str(cloud_state())
    if fresh and is_running():
        say("Stopping the laptop cloud that was running; what was in it is gone")
        _program("localcloud", "down", "--state", state, step="stop")
    if not is_running():
        say("Starting the laptop cloud")
        _program("localcloud", "up", "--state", state, step="start")
    say("Deploying the template")
    _program("localcloud", "deploy", "--state", state, "--assembly", str(assembly), step="deploy")
    say(f"The laptop cloud is up ({time.monotonic() - began:.0f} s)")


def synthesise(root: Path, say=err.print) -> Path:
    """The cloud assembly of the laptop's stage; made again only when its sources changed."""
    assembly = home() / "cdk.out"
    stamp = assembly / ".sources"
    now = fingerprint(root)
    if stamp.exists() and stamp.read_text() == now:
        return assembly
    say("Synthesising the template")
    _program(
        "infra.app",
        *("--stage", LAPTOP_STAGE, "--out", str(assembly)),
        step="synthesis",
        # The library's own template validation takes most of the time; the tests have it on.
        CDK_VALIDATION="false",
    )
    stamp.write_text(now)
    return assembly


def fingerprint(root: Path) -> str:
    """A hash over the contents of everything that the template is made of."""
    digest = hashlib.sha256()
    for name in SOURCES:
        top = root / name
        files = [top] if top.is_file() else sorted(top.rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(root)).encode() + b"\0")
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def project_root() -> Path:
    """The checkout that this command is installed from."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "cdk.json").exists():
        raise LaptopCloudError(
            f"expected the project's checkout at {root} (with cdk.json), found none: the laptop "
            "cloud runs from a clone of the repository"
        )
    return root


def _program(module: str, *arguments: str, step: str, **variables: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=project_root(),
        env=environment | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise LaptopCloudError(
            f"the {step} of the laptop cloud failed: {' '.join(lines[-3:])} "
            f"(logs: {cloud_state() / 'logs'})"
        )
    return done.stdout
