"""Layers are not mounted on the laptop: what they would bring must be in the host environment."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from localcloud.errors import LocalCloudError


class LayerMismatchError(LocalCloudError):
    """The host environment does not hold what a layer's requirements.txt pins."""


def requirements(text: str) -> list[Requirement]:
    """The requirements of a (hashed) requirements file that hold on this host."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        line = line.split(" --hash", 1)[0].split(" #", 1)[0].strip()
        if line and not line.startswith(("#", "-")):
            found.append(Requirement(line))
    return [r for r in found if r.marker is None or r.marker.evaluate()]


def check(layer: str, folder: Path) -> None:
    """Raises `LayerMismatchError` naming every package that is absent or of another version.

    A layer without requirements.txt passes: there is nothing it could be held to.
    """
    places = (folder / "requirements.txt", folder / "python" / "requirements.txt")
    text = next((p.read_text(encoding="utf-8") for p in places if p.is_file()), "")
    problems = []
    for requirement in requirements(text):
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            problems.append(f"{requirement} is not installed")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            problems.append(f"expected {requirement}, found {found}")
    if problems:
        raise LayerMismatchError(
            f"layer {layer} does not match the host environment: {'; '.join(problems)}."
            " Functions run with the host's packages on the laptop: install the versions named"
        )
