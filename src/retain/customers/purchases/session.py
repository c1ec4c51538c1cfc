"""The connection to DuckDB while a log is opened, and what to say of its errors.

May import: errors and customers.purchases.duckdb_file, normal, raw, zones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retain.customers.purchases.duckdb_file import detach
from retain.customers.purchases.normal import PURCHASES, SCRATCH
from retain.customers.purchases.raw import drop
from retain.customers.purchases.zones import check_zone
from retain.errors import RetainError

if TYPE_CHECKING:
    import duckdb


def prepare(connection: duckdb.DuckDBPyConnection, zone: str) -> None:
    """A connection without another log's relations, and without ways to fetch code.

    Raises
    ------
    RetainError
        The store's time zone is unknown.
    """
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET TimeZone = 'UTC'")
    drop(connection, (PURCHASES, *SCRATCH))
    detach(connection)
    check_zone(connection, zone)


@contextmanager
def in_sentences(told: str) -> Iterator[None]:
    """What DuckDB cannot read is the file's fault, not a bug."""
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.DataError, duckdb.InvalidInputException) as error:
        raise _unreadable(told, error) from None
    except duckdb.Error as error:
        if type(error) is not duckdb.Error:  # a bug, or no memory
            raise
        raise _unreadable(told, error) from None  # Parquet's own codec has no class


def _unreadable(told: str, error: Exception) -> RetainError:
    why = str(error).splitlines()[0][:200].removesuffix(".")
    return RetainError(f"{told} cannot be read: {why}.")
