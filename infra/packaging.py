"""Packs source into what AWS takes: function folders, zips, the model archive, wheels.

Everything here is deterministic (sorted names, fixed times, no owners), so the same source gives
the same asset hash on every machine and a deployment without changes uploads nothing.
"""

import gzip
import hashlib
import importlib.util
import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from infra.errors import BundlingError, MissingSourceError

REPOSITORY = Path(__file__).resolve().parent.parent

# The earliest time a zip can hold.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_SKIPPED_FOLDERS = frozenset({"__pycache__", "tests", ".pytest_cache", ".ruff_cache"})
_SKIPPED_SUFFIXES = frozenset({".pyc", ".pyo"})


def source_files(folder: Path, *, without: Iterable[str] = ()) -> Iterator[tuple[str, Path]]:
    """The files of a folder as (relative POSIX path, path), sorted; caches and tests left out.

    `without` names folders directly under `folder` that are left out too.

    Raises:
        MissingSourceError: the folder does not exist or holds no file.
    """
    if not folder.is_dir():
        raise MissingSourceError(f"expected the folder {_shown(folder)}: found nothing there")
    skipped = frozenset(without)
    found = False
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if not path.is_file() or path.suffix in _SKIPPED_SUFFIXES:
            continue
        if parts[0] in skipped or _SKIPPED_FOLDERS.intersection(parts[:-1]):
            continue
        found = True
        yield "/".join(parts), path
    if not found:
        raise MissingSourceError(f"expected files in {_shown(folder)}: the folder is empty")


def digest_of(files: Iterable[tuple[str, Path]]) -> str:
    """SHA-256 (hex) over names and contents."""
    digest = hashlib.sha256()
    for name, path in files:
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def domain_files() -> list[tuple[str, Path]]:
    """The domain package as it ships to AWS: without the command line, which needs a desk."""
    package = REPOSITORY / "voxlake"
    return [(f"voxlake/{name}", path) for name, path in source_files(package, without=("cli",))]


def stage_function(
    name: str, target: Path, *, models: Iterable[str] = (), folders: Iterable[str] = ()
) -> Path:
    """Lays out one Lambda function: `lambdas/<name>/` and `lambdas/common/` beside `voxlake/`.

    `models` names folders of `sagemaker/models/` that the function brings too, as `models/<name>/`;
    `folders` those of the repository that it brings under their own path.

    Raises:
        MissingSourceError: the function's folder or a model is not there.
    """
    functions = REPOSITORY / "lambdas"
    files = [("lambdas/__init__.py", functions / "__init__.py")]
    for folder in (name, "common"):
        files += [
            (f"lambdas/{folder}/{file}", path) for file, path in source_files(functions / folder)
        ]
    for model in models:
        folder = REPOSITORY / "sagemaker" / "models" / model
        files += [(f"models/{model}/{file}", path) for file, path in source_files(folder)]
    for folder in folders:
        files += [(f"{folder}/{file}", path) for file, path in source_files(REPOSITORY / folder)]
    return stage_files(files + domain_files(), target)


def stage_requirements(name: str, target: Path) -> Path:
    """A folder holding only `requirements.txt`: what a layer is before pip has filled it."""
    return stage_files([("requirements.txt", requirements_file(name))], target)


def requirements_file(name: str) -> Path:
    """The hashed lock file of a runtime, such as `lambda` or `glue`."""
    path = REPOSITORY / "requirements" / f"{name}.txt"
    if not path.is_file():
        raise MissingSourceError(f"expected {_shown(path)}: run `make lock` to make it")
    return path


def write_zip(files: Iterable[tuple[str, Path]], target: Path) -> Path:
    """A zip whose bytes depend only on names and contents."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(files):
            entry = zipfile.ZipInfo(name, _ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return target


def write_tar_gz(files: Iterable[tuple[str, Path]], target: Path) -> Path:
    """A gzip-compressed tar whose bytes depend only on names and contents."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        target.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, path in sorted(files):
            content = path.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    return target


def model_archive_files(packages: Path | None = None) -> list[tuple[str, Path]]:
    """The members of the model's archive, as `sagemaker/inference/pack.py` says.

    That script is loaded by its path: nothing may import `sagemaker` as a package. `packages` is a
    folder of installed wheels that the archive brings.

    Raises:
        MissingSourceError: the script or the model's weights are not there.
    """
    pack = _packer("inference", "what a model ships with")
    try:
        return sorted(pack.members(packages=packages).items())
    except FileNotFoundError as missing:
        raise MissingSourceError(str(missing)) from missing


def training_code_files() -> list[tuple[str, Path]]:
    """The members of what training jobs run, as `sagemaker/training/pack.py` says."""
    return sorted(_packer("training", "what training jobs run").members().items())


def _packer(folder: str, what: str) -> Any:
    script = REPOSITORY / "sagemaker" / folder / "pack.py"
    if not script.is_file():
        raise MissingSourceError(f"expected {_shown(script)}, which says {what}")
    spec = importlib.util.spec_from_file_location(f"voxlake_{folder}_pack", script)
    assert spec is not None
    assert spec.loader is not None
    pack = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pack)
    return pack


def install_wheels(
    requirements: Path, target: Path, *, python: str, platforms: tuple[str, ...]
) -> None:
    """Installs locked wheels of another platform into `target`.

    Args:
        python: the runtime's version, such as `3.12`.
        platforms: wheel tags in order of preference. With manylinux2014 alone pip falls back to
            years-old releases of packages that build for a newer glibc only.

    Raises:
        BundlingError: pip failed; its last lines are in the message.
    """
    _pip(
        "install", "--target", str(target), "--no-compile",
        *_platform_options(requirements, python, platforms),
    )  # fmt: skip


def download_wheels(
    requirements: Path, target: Path, *, python: str, platforms: tuple[str, ...]
) -> None:
    """Fetches locked wheels of another platform as files. Raises as `install_wheels`."""
    _pip("download", "--dest", str(target), *_platform_options(requirements, python, platforms))


def _platform_options(requirements: Path, python: str, platforms: tuple[str, ...]) -> list[str]:
    options = ["--only-binary=:all:", "--implementation", "cp", "--python-version", python]
    for platform in platforms:
        options += ["--platform", platform]
    return [*options, "--require-hashes", "-r", str(requirements)]


def _pip(command: str, *options: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        tail = "\n".join(run.stderr.strip().splitlines()[-5:])
        raise BundlingError(f"pip {command} ended with status {run.returncode}:\n{tail}")


def stage_files(files: Iterable[tuple[str, Path]], target: Path) -> Path:
    """Lays files out under their names; returns the folder."""
    for name, path in files:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    return target


def _shown(path: Path) -> str:
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)
