"""Files whose SHA-256 a document beside them holds, and which are read only if it is theirs."""

from __future__ import annotations

import hashlib
from pathlib import Path

from retain.errors import RetainError
from retain.storage.reading import MAX_TEXT_BYTES, read_bytes
from retain.storage.writing import hash_file


def read_pinned(
    path: Path,
    sha256: str,
    document: str,
    *,
    max_bytes: int = MAX_TEXT_BYTES,
    within: Path | None = None,
) -> bytes:
    """Return the bytes of a file that is the one a document speaks of.

    Parameters
    ----------
    sha256
        The SHA-256 in the document.
    document
        Name of the document, for the message.

    Raises
    ------
    RetainError
        As in ``read_bytes``, or the file is another one.
    """
    content = read_bytes(path, max_bytes=max_bytes, within=within)
    _check(path, sha256, document, hashlib.sha256(content).hexdigest())
    return content


def check_pinned(path: Path, sha256: str, document: str, *, within: Path | None = None) -> None:
    """Raise as ``read_pinned``, for a file that is read in parts.

    >>> check_pinned(Path(__file__), "0" * 64, "x.json")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: ... is not the file x.json speaks of: its SHA-256 begins ..., \
expected 000000000000. Put back the file as it was written.
    """
    _check(path, sha256, document, hash_file(path, within=within))


def _check(path: Path, expected: str, document: str, actual: str) -> None:
    if actual != expected:
        raise RetainError(
            f"{path} is not the file {document} speaks of: its SHA-256 begins {actual[:12]}, "
            f"expected {expected[:12]}. Put back the file as it was written."
        )
