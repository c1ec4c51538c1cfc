"""Connections to DuckDB: their memory, the files they may open, and errors of resources."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING

from retain.errors import RetainError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

_BYTES_PER_UNIT = {
    "B": 1, "MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_MIN_BYTES = 100 * 10**6
DATABASE_SUFFIXES = ("", ".wal")
"""Suffixes of a database file and of its write-ahead log."""


def parse_memory_limit(limit: str) -> int:
    """Return a memory limit in bytes.

    Raises
    ------
    RetainError
        It is not a number with a unit, or less than 100MB.

    >>> parse_memory_limit("1GB"), parse_memory_limit("1.5 GiB")
    (1000000000, 1610612736)
    """
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*", str(limit))
    units = {name.lower(): size for name, size in _BYTES_PER_UNIT.items()}
    unit = units.get(match[2].lower()) if match else None
    if match is None or unit is None:
        expected = "expected a number with a unit, such as 600MB or 4GB"
        raise RetainError.at("data.memory_limit", f"it is {limit!r}", expected)
    size = int(float(match[1]) * unit)
    if size < _MIN_BYTES:
        raise RetainError.at("data.memory_limit", f"it is {limit!r}", "expected 100MB or more")
    return size


@contextmanager
def connect(
    memory_limit: str, threads: int | None = None, *, files: Sequence[Path] | None = None
) -> Iterator[Connection]:
    """Open a new in-memory connection that spills to a temporary folder and downloads no code.

    Parameters
    ----------
    files
        The only files it may open besides temporary ones; None for any.

    Raises
    ------
    RetainError
        DuckDB is not installed, or the limit is no amount of memory.
    """
    limit = parse_memory_limit(memory_limit)
    try:
        import duckdb
    except ImportError:
        raise RetainError("data=purchases needs DuckDB; pip install 'retain[sql]'") from None
    with TemporaryDirectory(prefix="retain-purchases-") as folder:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{limit}B",
            "temp_directory": folder,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_external_file_cache": False,  # a log is read once or twice
        }
        if threads is not None:
            settings["threads"] = threads
        with _readable_resource_errors(memory_limit), duckdb.connect(config=settings) as connection:
            if files is not None:
                _confine(connection, files)
            yield connection


def _confine(connection: Connection, files: Sequence[Path]) -> None:
    """Forbid all later statements to reach other files or the network.

    The order of the statements matters, and settings given to ``connect`` have none.
    """
    paths = (path for file in files for path in (file, file.absolute()))
    allowed = [f"{path}{suffix}" for path in paths for suffix in DATABASE_SUFFIXES]
    connection.execute("SET allowed_paths = $1", [allowed])
    connection.execute("SET allowed_directories = $1", [[gettempdir()]])
    connection.execute("SET enable_external_access = false")


@contextmanager
def _readable_resource_errors(memory_limit: str) -> Iterator[None]:
    """Raise errors about memory, disk and overflow as messages for the user."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        found = f"it is {memory_limit!r}, and DuckDB needs more ({_first_line(error)})"
        raise RetainError.at("data.memory_limit", found, "expected more, such as 4GB") from None
    except (duckdb.ConversionException, duckdb.OutOfRangeException) as error:
        message = "the numbers of this log are too large to be added up exactly"
        hint = "expected amounts and items whose sums fit into 64 bits"
        raise RetainError(f"{message} ({_first_line(error)}); {hint}.") from None
    except duckdb.IOException as error:
        hint = "Free some space, or type export TMPDIR=FOLDER."
        raise RetainError(f"{_first_line(error)}. {hint}") from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
