"""Seeded randomness: the same parts give the same numbers, on every machine and in any order."""

from __future__ import annotations

from hashlib import blake2b
from random import Random


def digest(*parts: object) -> str:
    """16 hex digits that stand for the parts."""
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def generator(*parts: object) -> Random:
    """A random generator of its own for the parts."""
    return Random(int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest()))


_ZIPF_SHIFT = 8


def zipf(uniform: float, size: int) -> int:
    """A rank in 0 to size - 1, low ranks much more often: the share of rank r is about
    1 / (r + 8), so that the loudest of thousands writes two events in a hundred.

    Args:
        uniform: drawn from [0, 1).
    """
    return min(int(_ZIPF_SHIFT * (size / _ZIPF_SHIFT + 1) ** uniform - _ZIPF_SHIFT), size - 1)
