"""Packing is deterministic and leaves out what does not ship."""

import os
import tarfile
import zipfile

import pytest

from infra.errors import BundlingError, MissingSourceError
from infra.packaging import (
    domain_files,
    install_wheels,
    source_files,
    write_tar_gz,
    write_zip,
)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "source"
    for name in ("b.py", "a.py", "sub/c.py", "__pycache__/a.pyc", "tests/test_a.py", "cli/main.py"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def test_caches_tests_and_unwanted_folders_are_left_out(folder):
    assert [name for name, _ in source_files(folder, without=("cli",))] == [
        "a.py",
        "b.py",
        "sub/c.py",
    ]


@pytest.mark.parametrize("write", [write_zip, write_tar_gz])
def test_archives_depend_on_names_and_contents_only(folder, tmp_path, write):
    first = write(source_files(folder), tmp_path / "first").read_bytes()
    for path in folder.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    assert write(reversed(list(source_files(folder))), tmp_path / "second").read_bytes() == first
    (folder / "a.py").write_text("changed")
    assert write(source_files(folder), tmp_path / "third").read_bytes() != first


def test_archives_hold_what_was_packed(folder, tmp_path):
    files = list(source_files(folder))
    with zipfile.ZipFile(write_zip(files, tmp_path / "a.zip")) as packed:
        assert {n: packed.read(n).decode() for n in packed.namelist()} == {n: n for n, _ in files}
    with tarfile.open(write_tar_gz(files, tmp_path / "a.tar.gz")) as packed:
        assert {n: packed.extractfile(n).read().decode() for n in packed.getnames()} == {
            n: n for n, _ in files
        }


def test_the_domain_ships_without_the_command_line():
    names = {name for name, _ in domain_files()}
    assert "voxlake/errors.py" in names
    assert not [name for name in names if name.startswith("voxlake/cli/")]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MissingSourceError) as error:
        list(source_files(tmp_path / "nothing"))
    assert str(error.value).startswith("expected the folder ")


def test_pips_failure_is_told_in_its_own_words(tmp_path):
    requirements = tmp_path / "requirements.txt"
    # Refused while reading the file, before any index is asked.
    requirements.write_text("this is no requirement\n")
    with pytest.raises(BundlingError) as error:
        install_wheels(requirements, tmp_path / "out", python="3.12", platforms=("any",))
    assert str(error.value).startswith(
        "pip install ended with status 1:\nERROR: Invalid requirement"
    )
