"""What a log holds, as one SHA-256: it changes with the input and with the way it is read.

May import: storage and customers.purchases.origin.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from retain.customers.purchases.origin import Origin
from retain.storage.reading import open_regular

_WHOLE = 64 << 20  # bytes of a file that are read in full
_ENDS = 1 << 20  # bytes at both ends of a larger one, whose time of writing counts too
_VERSION = 1  # raised when the same input is read in another way


def of_files(origin: Origin, options: object) -> str:
    """The SHA-256 of the files, whatever they are called, and of the options.

    A file above 64 MB is told by its size, its time of writing and its two ends.
    """
    files = sorted(_digest(path) for path in _with_journals(origin))
    return of_parts(files, options)


def of_parts(parts: object, options: object) -> str:
    """The SHA-256 of anything JSON can write.

    >>> of_parts(["a"], {})[:8]
    '741c5ba4'
    """
    text = json.dumps([_VERSION, parts, options], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _with_journals(origin: Origin) -> Iterator[Path]:
    """The files, and what a database has not yet written into its own."""
    yield from origin.files
    if origin.is_database:
        beside = (Path(f"{path}{end}") for path in origin.files for end in (".wal", "-wal"))
        yield from (path for path in beside if path.is_file())


def _digest(path: Path) -> str:
    with open_regular(path) as opened:
        status = os.fstat(opened.fileno())
        if status.st_size <= _WHOLE:
            return hashlib.file_digest(opened, "sha256").hexdigest()
        found = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode())
        found.update(opened.read(_ENDS))
        opened.seek(-_ENDS, os.SEEK_END)
        found.update(opened.read(_ENDS))
        return found.hexdigest()
