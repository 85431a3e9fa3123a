"""Options and output shared by the verbs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

Stage = Annotated[
    str,
    typer.Option(
        help="Where to work: local (the laptop cloud) or a deployed stage; AWS_PROFILE chooses "
        "the credentials.",
        metavar="local|dev|prod|full",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script to read.")]

# Into a file or pipe, tables are laid out for the 100 columns that they are made for.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 100)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 100)


def program() -> str:
    """How this command was called, so that what is printed to be typed works when pasted."""
    called = Path(sys.argv[0])
    try:
        return str(called.absolute().relative_to(Path.cwd()))
    except ValueError:
        return called.name


def print_json(value) -> None:
    """One JSON document on standard output, times as RFC 3339."""
    sys.stdout.write(json.dumps(value, indent=2, default=str, ensure_ascii=False) + "\n")
