"""The locked sets of each runtime: the same versions everywhere, built for where they run."""

from __future__ import annotations

import re
import struct
import zipfile
from pathlib import Path

import pytest

from infra.errors import BundlingError
from infra.packaging import download_wheels, requirements_file

# The machine number of an ELF file, and the C library of the runtime's Linux.
AARCH64, X86_64 = 183, 62
AMAZON_LINUX_2023_GLIBC = (2, 34)
RUNTIMES = {
    "lambda": ("3.12", ("manylinux_2_28_aarch64", "manylinux2014_aarch64"), AARCH64),
    "enricher": ("3.12", ("manylinux_2_28_aarch64", "manylinux2014_aarch64"), AARCH64),
    "glue": ("3.11", ("manylinux_2_28_x86_64", "manylinux2014_x86_64"), X86_64),
    "inference": ("3.12", ("manylinux_2_28_x86_64", "manylinux2014_x86_64"), X86_64),
}
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall(requirements_file(name).read_text()))


@pytest.mark.parametrize("name", [*RUNTIMES, "laptop"])
def test_a_lock_file_pins_every_package_by_hash_and_names_no_host(name):
    text = requirements_file(name).read_text()
    assert pins(name)
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    assert "://" not in text


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_runtime_has_the_versions_that_the_laptop_runs_and_the_tests_saw(name):
    laptop = pins("laptop")
    assert {p: laptop.get(p) for p in pins(name)} == pins(name)


@pytest.mark.parametrize("name", RUNTIMES)
def test_every_packaged_library_fits_its_runtime(name, tmp_path):
    python, platforms, machine = RUNTIMES[name]
    try:
        download_wheels(requirements_file(name), tmp_path, python=python, platforms=platforms)
    except BundlingError as error:
        pytest.skip(f"the wheels cannot be fetched here: {error}")
    libraries = [
        (f"{wheel.name}/{member}", zipfile.ZipFile(wheel).read(member))
        for wheel in Path(tmp_path).glob("*.whl")
        for member in zipfile.ZipFile(wheel).namelist()
        if ".so" in Path(member).suffixes
    ]
    assert libraries
    for member, data in libraries:
        assert data[:4] == b"\x7fELF", member
        assert struct.unpack_from("<H", data, 18)[0] == machine, member
        needed = {tuple(map(int, v)) for v in re.findall(rb"GLIBC_(\d+)\.(\d+)", data)}
        assert max(needed, default=(0, 0)) <= AMAZON_LINUX_2023_GLIBC, member
