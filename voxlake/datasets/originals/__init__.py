"""Converters: a source's files, as they are published, to rows of the form.

Each takes {file name: bytes} and returns {split: rows}; it reads nothing else and raises
OriginalFormatError when a file is not what it knows.
"""
