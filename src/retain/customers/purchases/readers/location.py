"""The location of a purchase log: files, detected by their first bytes, or a database URL."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from retain.customers.files.containers import detect_kind
from retain.customers.files.encoding import check_exists
from retain.errors import RetainError, examples
from retain.storage.reading import open_regular

_EXPECTED_URL = "expected postgresql://USER@HOST:PORT/DATABASE"


def check_url(url: str) -> str:
    """Return the database as messages name it, such as ``database 'shop' at 'db.local'``.

    >>> check_url("postgresql://ann@db.local/shop?sslmode=require")
    "database 'shop' at 'db.local'"

    Raises
    ------
    RetainError
        The URL holds a password or an option other than ``sslmode``, or names no host or database.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise RetainError.at("data.path", "it is not a URL", _EXPECTED_URL) from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.password is not None or "password" in options:
        found = "data.path holds a password, and configs are recorded"
        raise RetainError(f"{found}; leave it out and set PGPASSWORD, or write it in ~/.pgpass.")
    if others := sorted(set(options) - {"sslmode"}):
        raise RetainError.at(
            "data.path", f"it has the option {others[0]!r}", "expected only sslmode"
        )
    database = parts.path.removeprefix("/")
    if not host or not database or "/" in database:
        raise RetainError.at("data.path", "it names no host or no database", _EXPECTED_URL)
    return f"database {database!r} at {host!r}"


def strip_password(url: str) -> str:
    """Return a URL without password and options, which may hold a password too.

    >>> strip_password("postgresql://ann:secret@db.local/shop?password=secret")
    'postgresql://ann@db.local/shop'
    """
    scheme, mark, rest = url.partition("://")
    address = rest.partition("?")[0].partition("#")[0]
    user, at_sign, host = address.rpartition("@")
    return f"{scheme}{mark}{user.partition(':')[0]}{at_sign}{host}"


LogKind = Literal["CSV", "workbook", "JSON lines", "Parquet", "DuckDB", "SQLite", "PostgreSQL"]

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".csv.bz2", ".csv.zip")
_RECORD_SUFFIXES = (".xlsx", ".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
_PACKED_RECORDS = re.compile(r".*\.(?:jsonl|ndjson)\.(?:gz|bz2|zip)", re.IGNORECASE)
_PARQUET_SUFFIXES = (".parquet", ".parq", ".pq")
_DATABASES: tuple[LogKind, ...] = ("DuckDB", "SQLite", "PostgreSQL")
_HEAD_BYTES = 16  # enough to detect the kind of a file
_RESULT_FILES = (".hydra", "record.json", "verdict.json", "score.json", "readout.json")
_CACHED_TABLE = re.compile(r"[0-9a-f]{64}\.parquet")


@dataclass(frozen=True, slots=True)
class LogLocation:
    """Sorted files of one kind, or the URL of a database; ``name`` is used in messages."""

    kind: LogKind
    files: tuple[Path, ...]
    name: str
    url: str = ""

    @property
    def is_database(self) -> bool:
        """True if it holds tables."""
        return self.kind in _DATABASES

    @property
    def has_tables(self) -> bool:
        """True if ``data.table`` names a table, or a sheet, of it."""
        return self.is_database or self.kind == "workbook"


def locate_log(path: str, table: str | None) -> LogLocation:
    """Return the location of a file, a folder, a pattern or the URL of a database.

    Raises
    ------
    RetainError
        Nothing is found, files are of several kinds, the scheme is neither ``sqlite`` nor
        ``postgresql``, or a table is named for files without tables.
    """
    if _URL.match(path):
        location = _locate_database(path)
    else:
        location = _locate_files(path, _find_files(path))
    if table is not None and not location.has_tables:
        found = f"data.table is {table!r}, but {location.name} holds no tables"
        raise RetainError(f"{found}; leave data.table=null for {location.kind}.")
    return location


def _locate_database(url: str) -> LogLocation:
    scheme = url.partition("://")[0].lower()
    if scheme == "postgresql":
        return LogLocation("PostgreSQL", (), check_url(url), url)
    if scheme != "sqlite":
        expected = "expected a path on this machine, or sqlite:///FILE or postgresql://HOST/DB"
        raise RetainError.at("data.path", f"its scheme is {scheme!r}", expected)
    file = Path(url.partition("://")[2].removeprefix("/").partition("?")[0])
    if "?" in url:
        raise RetainError.at("data.path", "it has options after '?'", "expected sqlite:///FILE")
    check_exists(file)
    return LogLocation("SQLite", (file,), f"file {str(file)!r}")


def _find_files(path: str) -> tuple[Path, ...]:
    target = Path(path)
    if os.path.isdir(path):  # noqa: PTH112 - accepts text that is no valid name
        return _find_in_folder(target)
    if os.path.exists(path) or not glob.has_magic(path):  # noqa: PTH110
        check_exists(target)
        return (target,)
    matches = map(Path, glob.iglob(path, recursive=True))  # noqa: PTH207 - it may be absolute
    files = sorted(match for match in matches if match.is_file())
    if not files:
        raise RetainError(f"pattern {path!r} matches no file; expected CSV or Parquet files.")
    return tuple(files)


def _find_in_folder(folder: Path) -> tuple[Path, ...]:
    """Return the CSV and Parquet files of a folder and its subfolders, else its other records.

    Hidden files are skipped, and so are results of retain: ``outputs`` may lie in the folder.
    """
    visible = [path for path in folder.rglob("*") if not _is_hidden(path.relative_to(folder))]
    has_results = cache(lambda parent: any((parent / name).exists() for name in _RESULT_FILES))
    suffixes = (*_TEXT_SUFFIXES, *_PARQUET_SUFFIXES)
    for ends in (suffixes, _RECORD_SUFFIXES):
        found = (path for path in visible if path.name.lower().endswith(ends) and path.is_file())
        files = tuple(sorted(path for path in found if not _is_result(path, folder, has_results)))
        if files:
            return files
    names = examples(sorted(child.name for child in folder.iterdir()))
    holds = f"it holds {names}" if names else "it is empty"
    expected = f"expected files {', '.join((*suffixes, *_RECORD_SUFFIXES))}"
    raise RetainError.at(f"folder {str(folder)!r}", holds, expected)


def _is_result(file: Path, folder: Path, has_results: Callable[[Path], bool]) -> bool:
    """Return True for a cached table, or a file in a subfolder with results of retain."""
    parents = (parent for parent in file.parents if folder in parent.parents)
    return _CACHED_TABLE.fullmatch(file.name) is not None or any(map(has_results, parents))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _locate_files(path: str, files: tuple[Path, ...]) -> LogLocation:
    kinds = {file: _detect_kind(file) for file in files}
    first = f"{str(files[0])!r}"
    name = f"file {first}" if len(files) == 1 else f"the {len(files)} files of {path!r}"
    file_of_kind = {kind: file for file, kind in reversed(kinds.items())}
    if len(file_of_kind) > 1:
        listed = ", ".join(f"{f.name!r} is {kind}" for kind, f in sorted(file_of_kind.items()))
        raise RetainError(f"{name} are of several kinds: {listed}; expected files of one kind.")
    kind = kinds[files[0]]
    if kind in _DATABASES and len(files) > 1:
        raise RetainError(f"{name} are databases; expected one, such as {first}.")
    return LogLocation(kind, files, name)


def _detect_kind(file: Path) -> LogKind:
    """Return the kind by the first bytes, as a suffix may be wrong."""
    with open_regular(file) as stream:
        head = stream.read(_HEAD_BYTES)
    if not head:
        raise RetainError(f"file {str(file)!r} is empty; expected a header and rows.")
    if head.startswith(b"PAR1"):
        return "Parquet"
    if head.startswith(b"SQLite format 3\0"):
        return "SQLite"
    if head[8:12] == b"DUCK":
        return "DuckDB"
    if file.suffix.lower() in _PARQUET_SUFFIXES:
        found = f"file {str(file)!r} is no Parquet, whatever its name says"
        raise RetainError(f"{found}; expected a file that begins with 'PAR1'.")
    if _PACKED_RECORDS.fullmatch(file.name):
        return "JSON lines"
    kind = detect_kind(file)
    return kind if kind in ("workbook", "JSON lines") else "CSV"
