"""The DuckDB engine: builds the feature table from chunks of customers in parallel."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from retain.customers.purchases.cleaning.normalise import PURCHASES
from retain.customers.purchases.engines.connection import connect
from retain.customers.purchases.features.query import FeatureQuery
from retain.customers.purchases.features.sql_script import render_sql
from retain.customers.purchases.parsing.raw_columns import drop_relations
from retain.customers.purchases.parsing.sql_names import quote_literal

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection as Connection


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
        Four counts per label variant: customers, declined, shared, agreed; none without customers.
    histories
        Rows of ``histories.sql``: order days, weeks to the last purchase and to the first
        snapshot; sums of these days, and customers.
    """

    counts: Mapping[tuple[int, int], tuple[int, int]]
    sensitivity: Sequence[int]
    histories: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Chunks:
    """The relation ``purchases`` of a connection, in folders of some customers each if it is long.

    ``memory_bytes`` is the memory of an engine, of which ``n_engines`` run at once.
    """

    connection: Connection
    folders: tuple[Path, ...] = ()
    n_engines: int = 1
    memory_bytes: int = 0


@contextmanager
def split_by_customer(
    connection: Connection,
    n_purchases: int,
    *,
    memory_bytes: int,
    threads: int | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> Iterator[Chunks]:
    """Read a long log once, and write it as integers into folders, each customer into one.

    Single-threaded engines that process them in parallel are faster than one engine with many
    threads. ``purchases`` is a view of the folders from then on.

    Parameters
    ----------
    n_purchases
        Approximate number of rows of the relation.
    memory_bytes
        Memory of all engines together.
    threads
        Number of engines; None for all cores.
    chunk_rows
        Purchases of a chunk.
    """
    if n_purchases <= min(chunk_rows, _MIN_ROWS_TO_SPLIT):
        yield Chunks(connection)
        return
    n_engines = max(1, min(threads or _count_cpus(), memory_bytes // _BYTES_PER_ENGINE))
    chunk_rows = min(chunk_rows, memory_bytes // n_engines // _BYTES_PER_ROW)
    rounds = max(2, -(-n_purchases // (chunk_rows * n_engines)))  # in the last no engine waits
    n_chunks = min(_MAX_CHUNKS, rounds * n_engines)
    with TemporaryDirectory(prefix="retain-chunks-") as folder:
        connection.execute(
            f"COPY (SELECT *, HASH(customer) % {n_chunks} AS chunk FROM {PURCHASES}) "  # noqa: S608
            f"TO {quote_literal(folder)} (FORMAT parquet, PARTITION_BY (chunk), COMPRESSION "
            "uncompressed, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 0, OVERWRITE_OR_IGNORE)"
        )
        drop_relations(connection, (PURCHASES,))
        connection.execute(f"CREATE VIEW {PURCHASES} AS {_read_sql(Path(folder) / '*')}")
        folders = tuple(sorted(Path(folder).iterdir()))
        yield Chunks(connection, folders, n_engines, memory_bytes // n_engines)


def _count_cpus() -> int:
    """Return the processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _read_sql(folder: Path) -> str:
    files = quote_literal(str(folder / "*.parquet"))
    return f"SELECT * FROM read_parquet({files}, hive_partitioning = false)"  # noqa: S608


def build_features(
    chunks: Chunks, query: FeatureQuery, write: Callable[[pa.Table], None]
) -> EngineCounts:
    """Build the feature table of a log; ``write`` is called with its rows, in any order.

    A customer is in one chunk, so the number of chunks does not change the rows.
    """
    if not chunks.folders:
        parts = query.split()
        return sum_counts([_build_chunk(chunks.connection, one, PURCHASES, write) for one in parts])
    runner = _ChunkRunner(query, f"{chunks.memory_bytes}B", _synchronize(write))
    with ThreadPoolExecutor(chunks.n_engines) as pool:
        built = pool.map(runner.run, chunks.folders)
        return sum_counts([counts for chunk in built for counts in chunk])


@dataclass(frozen=True)
class _ChunkRunner:
    """Builds the features of the purchases in a folder with an engine of its own."""

    query: FeatureQuery
    memory_limit: str
    write: Callable[[pa.Table], None]

    def run(self, folder: Path) -> list[EngineCounts]:
        with connect(self.memory_limit, threads=1, files=()) as connection:
            connection.execute(f"CREATE TEMP VIEW chunk AS {_read_sql(folder)}")
            parts = self.query.split()
            return [_build_chunk(connection, part, "chunk", self.write) for part in parts]


def _synchronize(write: Callable[[pa.Table], None]) -> Callable[[pa.Table], None]:
    lock = Lock()

    def write_chunk(rows: pa.Table) -> None:
        with lock:
            write(rows)

    return write_chunk


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
    counted = run(script.counts).fetchall()
    histories = () if script.histories is None else run(script.histories).fetchall()
    return group_counts(counted, histories, len(query.variants))


def group_counts(
    counted: Sequence[tuple[int, ...]], histories: Sequence[tuple[int, ...]], n_variants: int
) -> EngineCounts:
    """Return the rows of ``counts.sql`` and ``histories.sql`` by their keys.

    >>> group_counts([(9, 0, 1, 0b11, 5), (9, 0, 0, 0b01, 2), (9, 2, 0, 0b01, 4)], [], 1)
    EngineCounts(counts={(9, 0): (7, 5), (9, 2): (4, 0)}, sensitivity=[11, 5, 7, 7], histories=())
    """
    counts: dict[tuple[int, int], tuple[int, int]] = {}
    for snapshot, reason, declined, _, customers in counted:
        before = counts.get((snapshot, reason), (0, 0))
        counts[snapshot, reason] = (before[0] + customers, before[1] + declined * customers)
    rows = np.array(counted, dtype=np.int64).reshape(-1, 5)
    sensitivity = [n for variant in range(n_variants) for n in _count_variant(rows, variant)]
    return EngineCounts(counts, sensitivity, tuple(histories))


def _count_variant(rows: np.ndarray, variant: int) -> list[int]:
    """Return a variant's regular customers, those who declined, and those shared and agreed on."""
    _, reason, chosen, pattern, customers = rows.T
    regular, declined = (pattern >> 2 * variant & 1, pattern >> 2 * variant + 1 & 1)
    shared = regular * (reason == 0)
    parts = (regular, regular * declined, shared, shared * (declined == chosen))
    return [int(part @ customers) for part in parts]


def sum_counts(chunks: Sequence[EngineCounts]) -> EngineCounts:
    """Return the total of chunks."""
    total: dict[tuple[int, int], tuple[int, int]] = {}
    for key, (customers, declined) in (item for chunk in chunks for item in chunk.counts.items()):
        before = total.get(key, (0, 0))
        total[key] = (before[0] + customers, before[1] + declined)
    counted = [chunk.sensitivity for chunk in chunks if chunk.counts]
    variants = [sum(n) for n in zip(*counted, strict=True)]
    histories = sum_by_cell([row for chunk in chunks for row in chunk.histories])
    return EngineCounts(dict(sorted(total.items())), variants, histories)


def sum_by_cell(histories: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    """Return the histories with those of the same cell added up, in the order of cells.

    >>> sum_by_cell([(2, 0, 1, 3, 9, 1), (1, 0, 0, 0, 5, 1), (2, 0, 1, 4, 8, 2)])
    ((1, 0, 0, 0, 5, 1), (2, 0, 1, 7, 17, 3))
    """
    if not histories:
        return ()
    rows = np.array(histories, dtype=np.int64)
    key = rows[:, :3] @ (1 << np.array([40, 20, 0]))  # weeks are far fewer than 2 ** 20
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    sums = np.add.reduceat(rows[order, 3:], starts)
    return tuple(map(tuple, np.column_stack([rows[order[starts], :3], sums]).tolist()))
