"""Texts of a tree as a page can hold them: cut, and without half characters of file names."""

from __future__ import annotations

from pathlib import Path

MAX_REASON = 500
"""Characters of a reason that are kept; the record has all of it."""


def shorten(text: object, most: int = MAX_REASON) -> str:
    r"""Return the first ``most`` characters of a text; what is no character is escaped.

    >>> shorten("caf\udce9, " + "much " * 1000, 6)
    'caf\\udce9, '
    """
    cut = str(text)[:most]
    return cut.encode("utf-8", "backslashreplace").decode("utf-8")


def name_of(path: Path) -> str:
    """Return the name of a file or folder, of any system."""
    return shorten(path.name)
