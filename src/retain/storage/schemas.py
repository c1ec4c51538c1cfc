"""The schema number of a document, and the version of retain that reads it."""

from __future__ import annotations

from retain.errors import RetainError

OLDER_RETAIN = "0.1"
"""Version of retain that reads every document whose schema is older than today's."""
WRITE_ANEW = "run the command that wrote it again"


def check_schema(found: object, expected: int, where: object, *, anew: str = WRITE_ANEW) -> None:
    """Raise a ``RetainError`` if a document has another schema than this version reads.

    ``anew`` says how to get a document of this version.

    >>> check_schema(3, 4, "verdict.json")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: verdict.json has schema 3, which retain 0.1 reads; this version \
reads schema 4. Install retain 0.1, or run the command that wrote it again.
    """
    if found == expected:
        return
    if not isinstance(found, int) or isinstance(found, bool):
        found_text = f"no schema number ({str(found)[:40]!r})"
        remedy = f"{anew[0].upper()}{anew[1:]}"
    elif found < expected:
        found_text = f"schema {found}, which retain {OLDER_RETAIN} reads"
        remedy = f"Install retain {OLDER_RETAIN}, or {anew}"
    else:
        found_text = f"schema {found}, which a newer retain reads"
        remedy = f"Install the newer retain, or {anew}"
    raise RetainError(f"{where} has {found_text}; this version reads schema {expected}. {remedy}.")
