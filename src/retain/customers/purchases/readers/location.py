"""Where a purchase log lies: files told apart by their first bytes, or a database by its URL."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from retain.customers.files.encoding import check_exists
from retain.errors import RetainError, examples
from retain.storage.reading import open_regular

_EXPECTED = "expected postgresql://USER@HOST:PORT/DATABASE"


def check_url(url: str) -> str:
    """The database as messages name it, such as ``database 'shop' at 'db.local'``.

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
        raise RetainError.at("data.path", "it is no URL", _EXPECTED) from None
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
        raise RetainError.at("data.path", "it names no host or no database", _EXPECTED)
    return f"database {database!r} at {host!r}"


def without_password(url: str) -> str:
    """Return a URL without the password in it and without its options, which may hold another.

    >>> without_password("postgresql://ann:secret@db.local/shop?password=secret")
    'postgresql://ann@db.local/shop'
    """
    scheme, mark, rest = url.partition("://")
    place = rest.partition("?")[0].partition("#")[0]
    who, at, where = place.rpartition("@")
    return f"{scheme}{mark}{who.partition(':')[0]}{at}{where}"


Kind = Literal["CSV", "Parquet", "DuckDB", "SQLite", "PostgreSQL"]

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_TEXT = (".csv", ".tsv", ".txt")
_PARQUET = (".parquet", ".parq", ".pq")
_DATABASES: tuple[Kind, ...] = ("DuckDB", "SQLite", "PostgreSQL")
_HEAD = 16  # bytes that tell what a file is
_RESULTS = (".hydra", "record.json", "verdict.json", "score.json", "readout.json")
_BUILT = re.compile(r"[0-9a-f]{64}\.parquet")


@dataclass(frozen=True, slots=True)
class LogLocation:
    """What a path leads to: files of one kind, sorted, or the URL of a database."""

    kind: Kind
    files: tuple[Path, ...]
    told: str
    url: str = ""

    @property
    def is_database(self) -> bool:
        """Whether a table in it must be named."""
        return self.kind in _DATABASES


def origin_of(path: str, table: str | None) -> LogLocation:
    """What ``path`` leads to: a file, a folder, a pattern or the URL of a database.

    Raises
    ------
    RetainError
        Nothing is there, files are of different kinds, a URL is of another scheme than
        ``sqlite`` and ``postgresql``, or a table is named of files that hold none.
    """
    found = _database(path) if _URL.match(path) else _of_files(path, _files(path))
    if table is not None and not found.is_database:
        said = f"data.table is {table!r}, but {found.told} holds no tables"
        raise RetainError(f"{said}; leave data.table=null for {found.kind}.")
    return found


def _database(url: str) -> LogLocation:
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


def _files(path: str) -> tuple[Path, ...]:
    there = Path(path)
    if os.path.isdir(path):  # noqa: PTH112 - what cannot be a name is none, and refused below
        return _in_folder(there)
    if os.path.exists(path) or not glob.has_magic(path):  # noqa: PTH110
        check_exists(there)
        return (there,)
    found = sorted(Path(one) for one in glob.iglob(path, recursive=True) if Path(one).is_file())  # noqa: PTH207 - the user's pattern may be absolute
    if not found:
        raise RetainError(f"pattern {path!r} matches no file; expected CSV or Parquet files.")
    return tuple(found)


def _in_folder(folder: Path) -> tuple[Path, ...]:
    """Its CSV or Parquet files, those of subfolders too; what engines leave beside them is not.

    Neither are results: who launches from the folder of the log has ``outputs`` within it.
    """
    inside = (one for one in folder.rglob("*") if not _hidden(one.relative_to(folder)))
    known = (one for one in inside if one.suffix.lower() in (*_TEXT, *_PARQUET))
    made = cache(lambda below: any((below / name).exists() for name in _RESULTS))
    found = tuple(sorted(one for one in known if one.is_file() and not _result(one, folder, made)))
    if not found:
        names = examples(sorted(child.name for child in folder.iterdir()))
        holds = f"it holds {names}" if names else "it is empty"
        expected = f"expected files {', '.join((*_TEXT, *_PARQUET))}"
        raise RetainError.at(f"folder {str(folder)!r}", holds, expected)
    return found


def _result(file: Path, folder: Path, made: Callable[[Path], bool]) -> bool:
    """Whether a table built before, or what lies in a folder below ``folder`` that was ``made``."""
    below = (one for one in file.parents if folder in one.parents)
    return _BUILT.fullmatch(file.name) is not None or any(made(one) for one in below)


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _of_files(path: str, files: tuple[Path, ...]) -> LogLocation:
    kinds = {file: _kind(file) for file in files}
    one_of = {kind: file for file, kind in reversed(kinds.items())}
    message = (
        f"file {str(files[0])!r}" if len(files) == 1 else f"the {len(files)} files of {path!r}"
    )
    if len(one_of) > 1:
        which = _listed((kind, file) for kind, file in sorted(one_of.items()))
        raise RetainError(f"{message} are of several kinds: {which}; expected files of one kind.")
    kind = kinds[files[0]]
    if kind in _DATABASES and len(files) > 1:
        raise RetainError(f"{message} are databases; expected one, such as {str(files[0])!r}.")
    return LogLocation(kind, files, message)


def _listed(kinds: Iterable[tuple[str, Path]]) -> str:
    return ", ".join(f"{file.name!r} is {kind}" for kind, file in kinds)


def _kind(file: Path) -> Kind:
    """Told by the first bytes, as a suffix may say anything."""
    with open_regular(file) as opened:
        head = opened.read(_HEAD)
    if not head:
        raise RetainError(f"file {str(file)!r} is empty; expected a header and rows.")
    if head.startswith(b"PAR1"):
        return "Parquet"
    if head.startswith(b"SQLite format 3\0"):
        return "SQLite"
    if head[8:12] == b"DUCK":
        return "DuckDB"
    if file.suffix.lower() in _PARQUET:
        found = f"file {str(file)!r} is no Parquet, whatever its name says"
        raise RetainError(f"{found}; expected a file that begins with 'PAR1'.")
    return "CSV"
