"""End-to-end tests share a laptop cloud per module, each in a folder of its own."""

from __future__ import annotations

import pytest

from tests.e2e.lake import Lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory, request):
    """A laptop cloud with the whole template deployed and nothing in it."""
    home = tmp_path_factory.mktemp("lake")
    patch = pytest.MonkeyPatch()
    patch.setenv("VOXLAKE_HOME", str(home))
    found = Lake(home)
    try:
        found.start()
        yield found
    finally:
        found.stop()
        patch.undo()
