"""Prints docs/tables.md."""

from voxlake.tables.docs import tables_markdown

print(tables_markdown(), end="")
