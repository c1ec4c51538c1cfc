"""The DuckDB engine: builds the feature table from chunks of customers in parallel."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from threading import Lock
from typing import TYPE_CHECKING

from retain.customers.purchases.features.query import FeatureQuery
from retain.customers.purchases.features.sql_script import render_sql
from retain.customers.purchases.parsing.sql_names import quote_literal
from retain.errors import RetainError

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection as Connection


_BYTES_PER_UNIT = {
    "B": 1, "MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_MIN_BYTES = 100 * 10**6
DATABASE_SUFFIXES = ("", ".wal")
"""Suffixes of a database file and of its write-ahead log."""
CHUNK_ROWS = 1_200_000
"""Purchases of a chunk, whose aggregates need about 250 MB."""
_MIN_ROWS_TO_SPLIT = 200_000
_MAX_CHUNKS = 100  # files that are written at once
_BYTES_PER_ROW = 400  # of memory, at most
_BYTES_PER_ENGINE = 250 * 10**6  # needed so that a chunk is not spilled to disk


@dataclass(frozen=True)
class EngineCounts:
    """Counts of an engine beside the rows.

    Attributes
    ----------
    counts
        Customers, and those who declined, by (snapshot, reason); snapshots are days from the
        log's first, which is 1.
    sensitivity
        Four counts per label variant: customers, declined, shared, agreed.
    histories
        Sums of days to the last purchase and to the first snapshot, and customers, by cell (order
        days, weeks to the last purchase, weeks to the snapshot).
    """

    counts: Mapping[tuple[int, int], tuple[int, int]]
    sensitivity: Sequence[int]
    histories: Mapping[tuple[int, ...], tuple[int, ...]]


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


def build_features(  # noqa: PLR0913 - options of one computation
    connection: Connection,
    query: FeatureQuery,
    *,
    n_purchases: int,
    write: Callable[[pa.Table], None],
    memory_bytes: int,
    threads: int | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> EngineCounts:
    """Build the feature table of the relation ``purchases``.

    A long log is read once and split into chunks of customers, which single-threaded engines
    process in parallel: that is faster than one engine with many threads. A customer is in one
    chunk, so the number of chunks does not change the rows.

    Parameters
    ----------
    n_purchases
        Approximate number of rows of the relation.
    write
        Called with the rows, chunk by chunk, in any order.
    memory_bytes
        Memory of all engines together.
    threads
        Number of engines; None for all cores.
    chunk_rows
        Purchases of a chunk.
    """
    if n_purchases <= min(chunk_rows, _MIN_ROWS_TO_SPLIT):
        chunks = [_build_chunk(connection, part, "purchases", write) for part in query.split()]
        return sum_counts(chunks)
    n_engines = max(
        1, min(threads or len(os.sched_getaffinity(0)), memory_bytes // _BYTES_PER_ENGINE)
    )
    chunk_rows = min(chunk_rows, memory_bytes // n_engines // _BYTES_PER_ROW)
    n_chunks = min(_MAX_CHUNKS, max(2 * n_engines, -(-n_purchases // chunk_rows)))
    runner = _ChunkRunner(query, f"{memory_bytes // n_engines}B", _synchronize(write))
    with (
        _split_by_customer(connection, query, n_chunks) as folders,
        ThreadPoolExecutor(n_engines) as pool,
    ):
        return sum_counts([counts for chunk in pool.map(runner.run, folders) for counts in chunk])


@dataclass(frozen=True)
class _ChunkRunner:
    """Builds the features of the purchases in a folder with an engine of its own."""

    query: FeatureQuery
    memory_limit: str
    write: Callable[[pa.Table], None]

    def run(self, folder: Path) -> list[EngineCounts]:
        files = quote_literal(str(folder / "*.parquet"))
        read = f"SELECT * FROM read_parquet({files}, hive_partitioning = false)"  # noqa: S608
        with connect(self.memory_limit, threads=1, files=()) as connection:
            connection.execute(f"CREATE TEMP VIEW chunk AS {read}")
            parts = self.query.split()
            return [_build_chunk(connection, part, "chunk", self.write) for part in parts]


def _synchronize(write: Callable[[pa.Table], None]) -> Callable[[pa.Table], None]:
    lock = Lock()

    def write_chunk(rows: pa.Table) -> None:
        with lock:
            write(rows)

    return write_chunk


@contextmanager
def _split_by_customer(
    connection: Connection, query: FeatureQuery, n_chunks: int
) -> Iterator[list[Path]]:
    """Write the purchases into folders, each customer into one; the log is read once."""
    with TemporaryDirectory(prefix="retain-chunks-") as folder:
        connection.execute(
            f"COPY (SELECT *, HASH(customer) % {n_chunks} AS chunk FROM purchases "  # noqa: S608
            f"WHERE t < {query.end_second}) TO {quote_literal(folder)} "
            "(FORMAT parquet, PARTITION_BY (chunk), COMPRESSION uncompressed, "
            "PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 0, OVERWRITE_OR_IGNORE)"
        )
        yield sorted(Path(folder).iterdir())


def _build_chunk(
    connection: Connection, query: FeatureQuery, log: str, write: Callable[[pa.Table], None]
) -> EngineCounts:
    import pyarrow as pa

    run, script = connection.execute, render_sql(query, log)
    columns = {name: pa.array(values, pa.int64()) for name, values in query.day_table.items()}
    connection.register("days", pa.table(columns))
    try:
        run(f"CREATE OR REPLACE TEMP TABLE wide AS {script.wide}")
    finally:
        connection.unregister("days")
    if script.favourites is not None:
        run(f"CREATE OR REPLACE TEMP TABLE favourites AS {script.favourites}")
    run(f"CREATE OR REPLACE TEMP VIEW pairs AS {script.pairs}")
    run(f"CREATE OR REPLACE TEMP VIEW eligibility AS {script.eligibility}")
    write(run(script.rows).to_arrow_table())
    counts = {row[:2]: row[2:] for row in run(script.counts).fetchall()}
    variants = () if script.sensitivity is None else run(script.sensitivity).fetchall()[0]
    cells = () if script.histories is None else run(script.histories).fetchall()
    return EngineCounts(counts, [n or 0 for n in variants], group_histories(cells))


def group_histories(rows: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], tuple[int, ...]]:
    """Return the rows of ``histories.sql`` by cell."""
    return {tuple(row[:3]): tuple(row[3:]) for row in rows}


def sum_counts(chunks: Sequence[EngineCounts]) -> EngineCounts:
    """Return the total of chunks."""
    total: dict[tuple[int, int], tuple[int, int]] = {}
    for key, (customers, declined) in (item for chunk in chunks for item in chunk.counts.items()):
        before = total.get(key, (0, 0))
        total[key] = (before[0] + customers, before[1] + declined)
    variants = [sum(n) for n in zip(*(chunk.sensitivity for chunk in chunks), strict=True)]
    cells: dict[tuple[int, ...], tuple[int, ...]] = {}
    for cell, sums in (item for chunk in chunks for item in chunk.histories.items()):
        cells[cell] = tuple(map(sum, zip(cells.get(cell, (0, 0, 0)), sums, strict=True)))
    return EngineCounts(dict(sorted(total.items())), variants, dict(sorted(cells.items())))
