"""What the converters share: decoding, lines, columns."""

from __future__ import annotations

import json
import re

from voxlake.datasets.errors import OriginalFormatError

_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")


def decoded(file: str, content: bytes) -> str:
    """The content as text. Raises OriginalFormatError when it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OriginalFormatError(
            file, None, "UTF-8", f"another byte at position {error.start}"
        ) from None


def lines_of(file: str, content: bytes) -> list[str]:
    """The lines, parted at line feeds alone: a tweet may hold other line separators."""
    lines = decoded(file, content).split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def columns(file: str, number: int, line: str, count: int) -> list[str]:
    """The tab-separated columns of a line; the last may hold tabs itself."""
    cells = line.split("\t", count - 1)
    if len(cells) != count:
        raise OriginalFormatError(
            file, number, f"{count} tab-separated columns", f"{len(cells)}"
        ) from None
    return cells


def json_of(file: str, content: str, line: int | None = None) -> object:
    """The JSON document. Raises OriginalFormatError when it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise OriginalFormatError(file, line, "JSON", "something else") from None


def with_line_breaks(text: str) -> str:
    r"""The tweet with its literal `\n` made line breaks, stripped."""
    return text.replace("\\n", "\n").strip()


def with_characters(text: str) -> str:
    r"""The tweet with its literal `\u2019` made the character; half a pair is left as it is."""

    def character(found: re.Match) -> str:
        units = bytes.fromhex(found[0].replace("\\u", ""))
        try:
            return units.decode("utf-16-be")
        except UnicodeDecodeError:
            return found[0]

    return _ESCAPE.sub(character, text).strip()
