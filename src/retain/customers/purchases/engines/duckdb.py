"""DuckDB, embedded: the statements of a script run over a log, shares of customers side by side."""

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

from retain.customers.purchases.features.query import Plan
from retain.customers.purchases.features.sql_script import script_of
from retain.customers.purchases.parsing.sql_names import literal
from retain.errors import RetainError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_UNITS = {"B": 1, "MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_LEAST = 100 * 10**6
ENDS = ("", ".wal")
"""A database file, and what is not yet written into it."""
SHARE = 1_200_000
"""Purchases worked on at once: what they become fits into some 250 MB."""
_FEW = 200_000  # purchases not worth splitting
_SHARES = 100  # files that are written at once
_ROW = 400  # bytes a purchase takes at most while it is worked on
_ENGINE = 250 * 10**6  # bytes an engine needs, for a share not to spill


@dataclass(frozen=True)
class Built:
    """What the engine counted of a log beside its rows.

    Attributes
    ----------
    counts
        Customers and those who declined by (snapshot, reason); snapshots are days from the log's
        first, which is 1.
    sensitivity
        Four counts for each of the plan's definitions: customers, declined, shared, agreed.
    """

    counts: Mapping[tuple[int, int], tuple[int, int]]
    sensitivity: Sequence[int]


def bytes_of(limit: str) -> int:
    """A memory limit in bytes.

    Raises
    ------
    RetainError
        It is no number with a unit, or under 100MB.

    >>> bytes_of("1GB"), bytes_of("1.5 GiB")
    (1000000000, 1610612736)
    """
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*", str(limit))
    unit = (
        {name.lower(): size for name, size in _UNITS.items()}.get(found[2].lower())
        if found
        else None
    )
    if found is None or unit is None:
        expected = "expected a number with a unit, such as 600MB or 4GB"
        raise RetainError.at("data.memory_limit", f"it is {limit!r}", expected)
    size = int(float(found[1]) * unit)
    if size < _LEAST:
        raise RetainError.at("data.memory_limit", f"it is {limit!r}", "expected 100MB or more")
    return size


@contextmanager
def connected(
    memory_limit: str, threads: int | None = None, *, files: Sequence[Path] | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own, in memory, that spills to a fresh folder and fetches no code.

    Parameters
    ----------
    files
        All that it may open besides temporary files, whatever a file says; None for anything.

    Raises
    ------
    RetainError
        DuckDB is not installed, or the limit is no amount of memory.
    """
    limit = bytes_of(memory_limit)
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
        with _in_sentences(memory_limit), duckdb.connect(config=settings) as connection:
            if files is not None:
                _confine(connection, files)
            yield connection


def _confine(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
    """Let no statement from now on reach another file, or the network.

    The order matters, which settings given to ``connect`` do not keep.
    """
    known = [f"{one}{end}" for path in files for one in (path, path.absolute()) for end in ENDS]
    connection.execute("SET allowed_paths = $1", [known])
    connection.execute("SET allowed_directories = $1", [[gettempdir()]])
    connection.execute("SET enable_external_access = false")


@contextmanager
def _in_sentences(memory_limit: str) -> Iterator[None]:
    """What the user can mend, said without a traceback."""
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
        found = _first_line(error)
        raise RetainError(f"{found}. Free some space, or type export TMPDIR=FOLDER.") from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def build(  # noqa: PLR0913 - what there is to do, and with what
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    *,
    purchases: int,
    keep: Callable[[pa.Table], None],
    memory: int,
    threads: int | None = None,
    share: int = SHARE,
) -> Built:
    """What a plan makes of the relation ``purchases`` of the connection.

    A long log is read once and split into shares of customers, on which engines of one thread
    each work side by side: one thread in one place wastes nothing on others. No customer is in two
    shares, so that it makes no difference to a row how many there are.

    Parameters
    ----------
    purchases
        How many rows the relation has, about.
    keep
        Is given the rows, part by part, in any order.
    memory
        Bytes that all engines together may use.
    threads
        How many work at once; None for all cores.
    share
        How many purchases are worked on at once.
    """
    if purchases <= min(share, _FEW):
        return added([_part(connection, one, "purchases", keep) for one in plan.batches()])
    side_by_side = max(1, min(threads or len(os.sched_getaffinity(0)), memory // _ENGINE))
    share = min(share, memory // side_by_side // _ROW)
    shares = min(_SHARES, max(2 * side_by_side, -(-purchases // share)))
    with _split(connection, plan, shares) as folders, ThreadPoolExecutor(side_by_side) as pool:
        limit = f"{memory // side_by_side}B"
        work = _Work(plan, limit, _one_at_a_time(keep))
        return added([part for parts in pool.map(work.on, folders) for part in parts])


@dataclass(frozen=True)
class _Work:
    """What an engine of its own does with the purchases in a folder."""

    plan: Plan
    limit: str
    keep: Callable[[pa.Table], None]

    def on(self, folder: Path) -> list[Built]:
        files = literal(str(folder / "*.parquet"))
        read = f"SELECT * FROM read_parquet({files}, hive_partitioning = false)"  # noqa: S608
        with connected(self.limit, threads=1, files=()) as connection:
            connection.execute(f"CREATE TEMP VIEW share AS {read}")
            return [_part(connection, one, "share", self.keep) for one in self.plan.batches()]


def _one_at_a_time(keep: Callable[[pa.Table], None]) -> Callable[[pa.Table], None]:
    turn = Lock()

    def kept(rows: pa.Table) -> None:
        with turn:
            keep(rows)

    return kept


@contextmanager
def _split(connection: duckdb.DuckDBPyConnection, plan: Plan, shares: int) -> Iterator[list[Path]]:
    """Folders with all purchases of some customers each: the log is read once, whatever it is."""
    with TemporaryDirectory(prefix="retain-shares-") as folder:
        connection.execute(
            f"COPY (SELECT *, HASH(customer) % {shares} AS share FROM purchases "  # noqa: S608
            f"WHERE t < {plan.end}) TO {literal(folder)} (FORMAT parquet, PARTITION_BY (share), "
            "COMPRESSION uncompressed, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 0, "
            "OVERWRITE_OR_IGNORE)"
        )
        yield sorted(Path(folder).iterdir())


def _part(
    connection: duckdb.DuckDBPyConnection, plan: Plan, log: str, keep: Callable[[pa.Table], None]
) -> Built:
    import pyarrow as pa

    run, script = connection.execute, script_of(plan, log)
    days = pa.table({name: pa.array(values, pa.int64()) for name, values in plan.days.items()})
    with _registered(connection, "days", days):
        run(f"CREATE OR REPLACE TEMP TABLE wide AS {script.wide}")
    if script.favourites is not None:
        run(f"CREATE OR REPLACE TEMP TABLE favourites AS {script.favourites}")
    run(f"CREATE OR REPLACE TEMP VIEW pairs AS {script.pairs}")
    run(f"CREATE OR REPLACE TEMP VIEW judged AS {script.judged}")
    keep(run(script.rows).to_arrow_table())
    counts = {row[:2]: row[2:] for row in run(script.counts).fetchall()}
    tried = () if script.sensitivity is None else run(script.sensitivity).fetchall()[0]
    return Built(counts, [n or 0 for n in tried])


@contextmanager
def _registered(
    connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table
) -> Iterator[None]:
    connection.register(name, table)
    try:
        yield
    finally:
        connection.unregister(name)


def added(parts: Sequence[Built]) -> Built:
    """What was counted in parts, none of which has a customer and snapshot of another."""
    total: dict[tuple[int, int], tuple[int, int]] = {}
    for key, (customers, declined) in (item for one in parts for item in one.counts.items()):
        before = total.get(key, (0, 0))
        total[key] = (before[0] + customers, before[1] + declined)
    tried = [sum(same) for same in zip(*(one.sensitivity for one in parts), strict=True)]
    return Built(dict(sorted(total.items())), tried)
