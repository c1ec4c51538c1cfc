"""Compressed files, workbooks and files of other kinds, recognised by their first bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Literal

from retain.customers.files.encoding import check_exists
from retain.errors import RetainError, examples
from retain.storage.reading import MAX_UNPACKED_BYTES, ZIP_ERRORS, open_regular

FileKind = Literal["text", "JSON lines", "gzip", "bzip2", "zip", "workbook", "Parquet"]

HEAD_BYTES = 4096
_READABLE = "expected CSV, JSON lines, Parquet or a workbook, packed by gzip, bzip2 or zip at most"
_KINDS: tuple[tuple[bytes, FileKind], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PAR1", "Parquet"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook"),
)
_OTHER_KINDS = (
    (b"%PDF", "a PDF document", "export the table as CSV"),
    (b"SQLite format 3\0", "a SQLite database", "export one of its tables as CSV"),
    (b"\xfd7zXZ\0", "an xz archive", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"\x89PNG", "an image", "export the table as CSV"),
    (b"\xff\xd8\xff", "an image", "export the table as CSV"),
    (b"GIF8", "an image", "export the table as CSV"),
    (b"\x93NUMPY", "a NumPy array", "save the table as CSV or Parquet"),
    (b"ARROW1", "an Arrow file", "save it as Parquet"),
    (b"ORC", "an ORC file", "save it as Parquet"),
    (b"Obj\x01", "an Avro file", "save it as Parquet"),
    (b"$FL2", "an SPSS file", "save it as CSV"),
    (b"<stata_dta>", "a Stata file", "save it as CSV"),
    (b"\x80\x04\x95", "a Python pickle", "save the table as Parquet; a pickle can run code"),
    (b"\x80\x05\x95", "a Python pickle", "save the table as Parquet; a pickle can run code"),
    (b"{\\rtf", "an RTF document", "save the table as CSV"),
)
_MARKUP = ((b"<!doctype html", b"<html", b"<table"), (b"<?xml",))
_UNPACK: dict[str, Callable[[IO[bytes]], Any]] = {"gzip": gzip.open, "bzip2": bz2.open}


def detect_kind(path: Path, content: bytes | None = None) -> FileKind:
    """Return the kind of a file by its first bytes, whatever its name says.

    ``content`` is that of a file that was read before.

    Raises
    ------
    RetainError
        There is no such file, or it is of a kind that is not read, which is named.
    """
    check_exists(path)
    with open_regular(path) if content is None else io.BytesIO(content) as file:
        head = file.read(HEAD_BYTES)
        if head.startswith(b"PK\x03\x04") and _is_workbook(path, file):
            return "workbook"
    for magic, kind in _KINDS:
        if head.startswith(magic) and (kind != "bzip2" or head[3:4].isdigit()):
            return kind
    _refuse_other_kinds(path, head)
    is_object = head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b'{"', b"{ "))
    return "JSON lines" if is_object or path.suffix.lower() in (".jsonl", ".ndjson") else "text"


def unpack(path: Path, kind: FileKind, packed: bytes) -> tuple[str, bytes]:
    """Return the name and the content of the one file in a compressed file, of bounded size.

    ``packed`` is the content of the file at ``path``.

    Raises
    ------
    RetainError
        The file is damaged, holds several files or none, or unpacks to too much.
    """
    with io.BytesIO(packed) as file:
        try:
            if kind == "zip":
                name, content = _read_only_member(path, file)
            else:
                name = path.name.removesuffix(path.suffix)
                with _UNPACK[kind](file) as stream:
                    content = stream.read(MAX_UNPACKED_BYTES + 1)
        except (OSError, *ZIP_ERRORS) as error:
            reason = str(error).splitlines()[0][:200] if str(error) else "it ends too early"
            raise RetainError(f"file {str(path)!r} cannot be unpacked: {reason}.") from None
    if len(content) > MAX_UNPACKED_BYTES:
        found = f"file {str(path)!r} unpacks to more than {MAX_UNPACKED_BYTES:,} bytes"
        raise RetainError(f"{found}; unpack it, and name the file.")
    check_unpacked(path, name, content)
    return name, content


def check_unpacked(path: Path, name: str, content: bytes) -> None:
    """Raise if what was unpacked is itself packed, or of another kind."""
    head = content[:HEAD_BYTES]
    if any(head.startswith(magic) for magic, _ in _KINDS):
        found = f"file {str(path)!r} holds {name!r}, which is no text"
        raise RetainError(f"{found}; unpack it, and name the file.")
    _refuse_other_kinds(path, head)


def _is_workbook(path: Path, file: IO[bytes]) -> bool:
    """Return whether a zip archive is a workbook; raise for one that is not .xlsx."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except ZIP_ERRORS:
        return False
    if "xl/workbook.bin" in names or {"mimetype", "content.xml"} <= names:
        kind = "a binary workbook" if "xl/workbook.bin" in names else "an OpenDocument file"
        raise RetainError(
            f"file {str(path)!r} is {kind}; {_READABLE}. To use it, save it as .xlsx."
        )
    return "xl/workbook.xml" in names


def _read_only_member(path: Path, file: IO[bytes]) -> tuple[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        members = [
            one
            for one in archive.infolist()
            if not one.is_dir() and not one.filename.startswith(("__MACOSX/", "."))
        ]
        if len(members) != 1:
            listed = examples(one.filename for one in members) if members else "nothing"
            found = f"archive {str(path)!r} holds {listed}"
            raise RetainError(f"{found}; expected one file. Unpack it, and name the file.")
        with archive.open(members[0]) as stream:
            return members[0].filename, stream.read(MAX_UNPACKED_BYTES + 1)


def _refuse_other_kinds(path: Path, head: bytes) -> None:
    """Raise if a file begins like one of a kind that is not read."""
    for magic, kind, advice in _OTHER_KINDS:
        if head.startswith(magic):
            raise RetainError(f"file {str(path)!r} is {kind}; {_READABLE}. To use it, {advice}.")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for starts, kind in zip(_MARKUP, ("an HTML page", "an XML document"), strict=True):
        if start.startswith(starts):
            raise RetainError(f"file {str(path)!r} is {kind}; {_READABLE}. Export it as CSV.")
    if start.startswith(b"[") and path.suffix.lower() == ".json":
        found = f"file {str(path)!r} is a JSON array; {_READABLE}"
        raise RetainError(f"{found}. Write one object per line.")
