"""Atomic writing and hashes of files."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from retain.storage.reading import open_regular

PYCACHE = "__pycache__"
"""Folder of compiled sources, which differ where the sources do not."""


def hash_folder(folder: Path, *, exclude: tuple[str, ...] = ()) -> str:
    """Return a SHA-256 (64 hex digits) of every file in ``folder``, however deep.

    Parameters
    ----------
    exclude
        Names of folders at the first level to leave out.
    """
    digest = hashlib.sha256()
    files = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder): path for path in files}
    for name in sorted(named):
        if PYCACHE in name.parts or name.parts[0] in exclude:
            continue
        content = hashlib.sha256(named[name].read_bytes()).digest()
        digest.update(name.as_posix().encode() + b"\0" + content)
    return digest.hexdigest()


TMP_PREFIX = ".unfinished-"
"""Prefix of files that are being written, or whose writer was killed."""
TMP_PATTERN = TMP_PREFIX + "[0-9a-f]" * 12
"""Their names, as ``glob`` and ``fnmatch`` read it."""


@contextmanager
def atomic_write(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path that replaces ``path`` on success and is removed on failure.

    Nobody ever reads half a file. ``durable=False`` does not wait for the disk, for files that need
    not survive a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _create_temporary(path)
    try:
        yield temporary
        if durable:
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _create_temporary(path: Path) -> Path:
    """Create an empty file beside ``path`` with the permissions of any new file.

    ``tempfile`` gives permissions only to the owner, and the umask can only be read by setting it,
    for all threads.
    """
    temporary = path.with_name(f"{TMP_PREFIX}{secrets.token_hex(6)}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return temporary


def check_writable(folder: Path) -> None:
    """Create a folder if needed, and write and remove a small file in it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trial = _create_temporary(folder / "trial")
    try:
        trial.write_bytes(bytes(4096))
    finally:
        trial.unlink()


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Write ``text`` as UTF-8, atomically."""
    with atomic_write(path, durable=durable) as temporary:
        temporary.write_text(text, encoding="utf-8")


def hash_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file directly in a folder, by name."""
    return {path.name: hash_file(path) for path in sorted(folder.iterdir()) if path.is_file()}


def hash_file(path: Path, *, within: Path | None = None) -> str:
    """Return the SHA-256 of a file's bytes (64 hex digits), as ``open_regular`` opens it.

    Raises
    ------
    RetainError
        If it cannot be read.
    """
    with open_regular(path, within=within) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
