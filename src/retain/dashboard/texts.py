"""Texts of a tree as a page can hold them: cut, and without half characters of file names."""

from __future__ import annotations

from pathlib import Path

from retain.wording import show_bidi_controls

MAX_REASON = 500
"""Characters of a reason that are kept; the record has all of it."""


def shorten(text: object, most: int = MAX_REASON) -> str:
    r"""Return the first ``most`` characters of a text, escaped where they are no letters.

    That are half characters, and those that turn the writing direction.

    >>> shorten("caf\udce9, " + "much " * 1000, 6), shorten("gnp.\u202eexe")
    ('caf\\udce9, ', 'gnp.\\u202eexe')
    """
    cut = str(text)[:most]
    return show_bidi_controls(cut.encode("utf-8", "backslashreplace").decode("utf-8"))


def name_of(path: Path) -> str:
    """Return the name of a file or folder, of any system."""
    return shorten(path.name)
