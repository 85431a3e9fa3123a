"""Checks of settings: each says the setting's name, the value found and the values allowed."""

import re

from infra.errors import ConfigError


def check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}: expected {low} to {high}")


def check_pattern(name: str, value: str, pattern: str, meaning: str) -> None:
    if not re.fullmatch(pattern, value):
        raise ConfigError(f"{name} is {value!r}: expected {meaning}")
