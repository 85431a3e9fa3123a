"""Writes ONNX files byte by byte, so that tests need no package for it.

Protocol buffers are fields of (number, wire type); the numbers are those of onnx.proto.
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

FLOAT, INT64 = 1, 7
_ATTRIBUTE_INT = 2


def model(nodes: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes],
          constants: dict[str, np.ndarray]) -> bytes:  # fmt: skip
    """A ModelProto of opset 13."""
    graph = b"".join(
        [
            *(_bytes(1, node) for node in nodes),
            _text(2, "graph"),
            *(_bytes(5, _tensor(name, value)) for name, value in constants.items()),
            *(_bytes(11, each) for each in inputs),
            *(_bytes(12, each) for each in outputs),
        ]
    )
    return _int(1, 8) + _bytes(7, graph) + _bytes(8, _text(1, "") + _int(2, 13))


def node(kind: str, inputs: Sequence[str], output: str, **attributes: int) -> bytes:
    """A NodeProto with one output and integers as attributes."""
    return b"".join(
        [
            *(_text(1, name) for name in inputs),
            _text(2, output),
            _text(4, kind),
            *(
                _bytes(5, _text(1, name) + _int(3, value) + _int(20, _ATTRIBUTE_INT))
                for name, value in attributes.items()
            ),
        ]
    )


def value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    """A ValueInfoProto; a name in the shape is a size that varies."""
    sizes = b"".join(
        _bytes(1, _int(1, size) if isinstance(size, int) else _text(2, size)) for size in shape
    )
    return _text(1, name) + _bytes(2, _bytes(1, _int(1, kind) + _bytes(2, sizes)))


def _tensor(name: str, value: np.ndarray) -> bytes:
    kind = {"float32": FLOAT, "int64": INT64}[value.dtype.name]
    sizes = b"".join(_int(1, size) for size in value.shape)
    return sizes + _int(2, kind) + _text(8, name) + _bytes(9, value.tobytes())


def _int(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number & (1 << 64) - 1)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, content: str) -> bytes:
    return _bytes(field, content.encode())


def _varint(number: int) -> bytes:
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return struct.pack(f"{len(parts) + 1}B", *parts, number)
