"""The file a user named: whether it is there, and its bytes.

May import: errors, storage and customers.numerals.
"""

from __future__ import annotations

import stat
from pathlib import Path

from retain.customers.numerals import cut
from retain.errors import RetainError, did_you_mean, examples
from retain.storage.paths import parse_path
from retain.storage.reading import DATA_BYTES, check_regular, read_bytes


def place_of(typed: str, key: str) -> Path:
    """Return a path as it was typed; the URL of a database, which may hold a password, is none.

    >>> place_of("postgresql://ann:secret@db/shop", "data.path")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: data.path: it is a URL; expected a path on this machine \
(a log in a database is read by data=purchases).
    """
    if "://" in typed:
        expected = "expected a path on this machine (a log in a database is read by data=purchases)"
        raise RetainError.at(key, "it is a URL", expected)
    return parse_path(key, typed)


def content(path: Path) -> bytes:
    """The bytes of the file; a ``RetainError`` with the nearest name where there is none."""
    check_exists(path)
    return read_bytes(path, most_bytes=DATA_BYTES)


def check_exists(path: Path) -> None:
    """Refuse a path that leads to no regular file, naming the nearest file or folder there is."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise RetainError(_nothing_at(path)) from None
    except (OSError, ValueError) as error:  # a name too long, or with a NUL in it
        why = getattr(error, "strerror", None) or error
        told = f"path {cut(str(path))!r} is not a file name: {why}"
        raise RetainError(f"{told}; expected the path of a file.") from None
    if stat.S_ISDIR(found.st_mode):
        raise RetainError(f"{str(path)!r} is a folder; expected a file in it.{_listed(path)}")
    check_regular(path, found)


def _nothing_at(path: Path) -> str:
    folder = path.parent
    if folder.is_dir():
        return f"file {path.name!r} is not in folder {str(folder)!r}.{_near(path.name, folder)}"
    while not folder.parent.is_dir():
        folder = folder.parent
    names = [child.name for child in _children(folder.parent) if child.is_dir()]
    return f"folder {str(folder)!r} does not exist.{did_you_mean(folder.name, names)}"


def _near(name: str, folder: Path) -> str:
    names = [child.name for child in _children(folder) if child.is_file()]
    return did_you_mean(name, names) or _listed(folder)


def _listed(folder: Path) -> str:
    names = [child.name for child in _children(folder) if child.is_file()]
    return f" The folder holds {examples(names)}." if names else " The folder holds no files."


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
