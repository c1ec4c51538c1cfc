"""``manifest.json``: size and SHA-256 of every file of a folder that was written as a whole.

It is written last, so what is in the folder afterwards and not in it was added or changed later.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from retain.errors import RetainError
from retain.record.documents import Sha256, optional, read_document, to_text, write_document
from retain.schema.parsing import Config
from retain.storage.reading import MAX_TABLE_BYTES, MissingFileError, open_regular, read_text
from retain.storage.writing import hash_file

MANIFEST = "manifest.json"
MANIFEST_SCHEMA: Final = 1
"""Of ``manifest.json``; counts up when the meaning of a key changes."""


class DisagreementError(RetainError):
    """A file or a number that is not what others say it is."""


class FileInfo(Config):
    """The size and the SHA-256 of a file."""

    n_bytes: Annotated[int, Field(ge=0, le=MAX_TABLE_BYTES)]
    sha256: Sha256


class ManifestDocument(Config):
    """The content of ``manifest.json``.

    Attributes
    ----------
    code_sha256
        SHA-256 of the sources of the retain that wrote the folder.
    files
        Every file of the folder but this one, by its path in it.
    runs
        Of a verdict: SHA-256 of the ``record.json`` of each run it was computed from, by the name
        of its study and that of its folder.
    """

    schema_: Literal[1] = Field(default=MANIFEST_SCHEMA, alias="schema")
    code_sha256: Sha256
    files: dict[str, FileInfo]
    runs: dict[str, Sha256] | None = optional()


def write_manifest(folder: Path, code_sha256: str, runs: Mapping[str, str] | None = None) -> None:
    """Write the manifest of a folder, when all its other files are there."""
    files = {
        name: FileInfo(n_bytes=(folder / name).stat().st_size, sha256=hash_file(folder / name))
        for name in _list_files(folder)
    }
    document = ManifestDocument(
        code_sha256=code_sha256, files=files, runs=None if runs is None else dict(runs)
    )
    write_document(document, folder / MANIFEST)


def check_manifest(folder: Path) -> tuple[ManifestDocument, list[str]]:
    """Return the manifest of a folder whose files are as it says, and the files added later.

    Raises
    ------
    DisagreementError
        There is no manifest, or a file of it is missing or was changed; the first one is named.
    RetainError
        One cannot be read.
    """
    path = folder / MANIFEST
    try:
        document = read_document(ManifestDocument, path, within=folder)[1]
    except MissingFileError:
        raise DisagreementError(
            f"{path} is missing: it was removed, or the folder is of an earlier version."
        ) from None
    if read_text(path, within=folder) != to_text(document):
        raise DisagreementError(f"{path} is not as it was written.")
    for name, info in document.files.items():
        _check_file(folder / name, info, folder)
    return document, [name for name in _list_files(folder) if name not in document.files]


def _check_file(path: Path, info: FileInfo, folder: Path) -> None:
    try:
        with open_regular(path, within=folder) as file:
            size = os.fstat(file.fileno()).st_size
        same = size == info.n_bytes and hash_file(path, within=folder) == info.sha256
    except MissingFileError:
        raise DisagreementError(f"{path} is missing; {MANIFEST} has it.") from None
    if not same:
        raise DisagreementError(f"{path} was changed: it is not the file that {MANIFEST} has.")


def _list_files(folder: Path) -> list[str]:
    """Return the paths in a folder of all files and links but its manifest, sorted."""
    paths = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    return [name for name in names if name != MANIFEST]
