"""Packs what a training job runs: `python sagemaker/training/pack.py --out sourcedir.tar.gz`.

The archive's root holds the training scripts with the packages beside them, and the voxlake
package without its command line. The same files give the same bytes. The image installs
requirements.txt, where there is one, before the script starts.
"""

from __future__ import annotations

import argparse
import gzip
import io
import tarfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TRAINING = REPOSITORY / "sagemaker" / "training"
_SKIPPED = ("__pycache__", ".ruff_cache")


def members() -> dict[str, Path]:
    """{name in the archive: file}."""
    package = REPOSITORY / "voxlake"
    files = {path.relative_to(TRAINING).as_posix(): path for path in _files(TRAINING)}
    files |= {
        f"voxlake/{path.relative_to(package).as_posix()}": path
        for path in _files(package)
        if path.relative_to(package).parts[0] != "cli"
    }
    return dict(sorted(files.items()))


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


def _files(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".pyc" and not set(path.parts) & set(_SKIPPED)
    ]


def main(argv: list[str] | None = None) -> None:
    """Writes the archive and prints its path and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="where to write sourcedir.tar.gz")
    args = parser.parse_args(argv)
    content = archive(members())
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_bytes(content)
    print(f"{args.out}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
