"""Packs a model and its server into `model.tar.gz`: `python sagemaker/inference/pack.py --out F`.

The archive's root holds the model's folder (weights, model card, metrics), `code/` the server:
inference.py and the voxlake modules that scoring needs. The same files give the same bytes. The
server needs numpy, which the image brings; there is no requirements.txt, because the image would
run pip for it at start, which network isolation forbids.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import io
import tarfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "sagemaker" / "models" / "sentiment"
SERVER = REPOSITORY / "sagemaker" / "inference" / "inference.py"


def members(model: Path = MODEL) -> dict[str, Path]:
    """{name in the archive: file}: the model's files and the server with all it imports of ours.

    Raises FileNotFoundError when the model has no weights.
    """
    weights = model / "model.json.gz"
    if not weights.is_file():
        raise FileNotFoundError(f"expected the model's weights at {weights}: run `voxlake train`")
    files = {path.name: path for path in model.iterdir() if path.is_file()}
    files["code/inference.py"] = SERVER
    files |= {
        f"code/{path.relative_to(REPOSITORY).as_posix()}": path for path in imported_modules(SERVER)
    }
    return dict(sorted(files.items()))


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
    parser.add_argument("--model", type=Path, default=MODEL, help="a model's folder")
    args = parser.parse_args(argv)
    content = archive(members(args.model))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_bytes(content)
    print(f"{args.out}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
