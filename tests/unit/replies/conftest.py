"""The functions' cloud in moto, here too."""

from tests.unit.lambdas.conftest import cloud  # noqa: F401
