"""Packs the models and their server into `model.tar.gz`: `python pack.py --out FILE`.

The archive's root holds the text model's folder (weights, model card, metrics), `topics/` the topic
model's, `code/` the server: inference.py and the voxlake modules that it needs. The same files give
the same bytes. There is no requirements.txt, because the image would run pip for it at start, which
network isolation forbids: what the image lacks goes into `code/packages/` (`--packages FOLDER`, a
folder that pip filled from requirements/inference.txt for the image's Python and platform). Without
it, as on the laptop, the host's packages serve.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import io
import re
import tarfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MODELS = REPOSITORY / "sagemaker" / "models"
TOPICS = MODELS / "topics"
# What a model's folder must hold to be one.
WEIGHTS = ("encoder.json", "model.json.gz")
SERVER = REPOSITORY / "sagemaker" / "inference" / "inference.py"

# Scripts, caches, tests, headers; and what onnxruntime makes models with.
_UNUSED = re.compile(
    r"^bin/|(^|/)(__pycache__|tests?|include)/|\.(pyc|pyi|a|h)$"
    r"|^onnxruntime/(datasets|quantization|tools|transformers)/"
)


def default_model() -> Path:
    """The folder that is packed unless another is named: the encoder's, where there is one."""
    encoder = MODELS / "encoder"
    return encoder if (encoder / WEIGHTS[0]).is_file() else MODELS / "sentiment"


def members(
    model: Path | None = None, *, topics: Path = TOPICS, packages: Path | None = None
) -> dict[str, Path]:
    """{name in the archive: file}: the models' files and the server with all it imports of ours.

    topics: a topic model's folder, left out where there is none. packages: installed packages.
    Raises FileNotFoundError when the model has no weights or `packages` is no folder.
    """
    model = model or default_model()
    if not any((model / name).is_file() for name in WEIGHTS):
        raise FileNotFoundError(
            f"expected the model's weights ({' or '.join(WEIGHTS)}) in {model}: run `voxlake train`"
        )
    files = {path.name: path for path in model.iterdir() if path.is_file()}
    if topics.is_dir():
        files |= {f"topics/{path.name}": path for path in topics.iterdir() if path.is_file()}
    files["code/inference.py"] = SERVER
    files |= {
        f"code/{path.relative_to(REPOSITORY).as_posix()}": path for path in imported_modules(SERVER)
    }
    if packages is not None:
        files |= installed_files(packages)
    return dict(sorted(files.items()))


def installed_files(packages: Path) -> dict[str, Path]:
    """{name in the archive: file} of what pip put into a folder, without what no server runs.

    Raises FileNotFoundError when it is no folder.
    """
    if not packages.is_dir():
        raise FileNotFoundError(f"expected installed packages in {packages}: no such folder")
    files = {path.relative_to(packages).as_posix(): path for path in packages.rglob("*")}
    return {
        f"code/packages/{name}": path
        for name, path in files.items()
        if path.is_file() and not _UNUSED.search(name)
    }


def imported_modules(script: Path) -> set[Path]:
    """The voxlake files that a script imports, at any depth and remove, with their packages."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        for path in _imports(waiting.pop()):
            if path not in found:
                found.add(path)
                waiting.append(path)
    return found


def _imports(script: Path) -> set[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"), str(script))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            # `from voxlake.scoring import errors` may name a module.
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {path for name in names if name.split(".")[0] == "voxlake" for path in _files(name)}


def _files(name: str) -> list[Path]:
    """The files that importing a dotted name runs: its packages' `__init__.py` and its own."""
    parts = name.split(".")
    candidates = [
        REPOSITORY.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)
    ]
    candidates.append(REPOSITORY.joinpath(*parts).with_suffix(".py"))
    return [path for path in candidates if path.is_file()]


def archive(files: dict[str, Path]) -> bytes:
    """A gzipped tar of the files; names and contents alone decide its bytes."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as packed:
        for name, path in sorted(files.items()):
            content = path.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            packed.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), compresslevel=6, mtime=0)


def main(argv: list[str] | None = None) -> None:
    """Writes the archive and prints its path and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="where to write model.tar.gz")
    parser.add_argument("--model", type=Path, help="a model's folder; the packaged one if unsaid")
    parser.add_argument("--topics", type=Path, default=TOPICS, help="a topic model's folder")
    parser.add_argument("--packages", type=Path, help="a folder of installed packages to bring")
    args = parser.parse_args(argv)
    content = archive(members(args.model, topics=args.topics, packages=args.packages))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_bytes(content)
    print(f"{args.out}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
