"""DuckDB, embedded: the statements of a script run over a log, some customers after the others.

May import: errors and purchases.plan, script.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from retain.customers.purchases.plan import Plan
from retain.customers.purchases.quoted import literal
from retain.customers.purchases.script import script_of
from retain.errors import RetainError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_LEAST = 100 * 10**6
_SHARE = 1_200_000  # purchases worked on at once: what they become fits into caches and 600 MB
_SHARES = 100  # files that are written at once


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
def connected(memory_limit: str, threads: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own, in memory, that spills to a fresh folder and fetches no code.

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
        }
        if threads is not None:
            settings["threads"] = threads
        with duckdb.connect(config=settings) as connection:
            yield connection


def build(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    *,
    purchases: int,
    keep: Callable[[pa.Table], None],
    share: int = _SHARE,
) -> Built:
    """What a plan makes of the relation ``purchases`` of the connection.

    Customers are worked on in shares, whose rows ``keep`` is given one after the other: no customer
    is in two of them, so that it makes no difference to a row how many there are.

    Parameters
    ----------
    purchases
        How many rows the relation has, about.
    share
        How many of them are worked on at once.
    """
    shares = min(_SHARES, -(-purchases // share))
    with _split(connection, plan, shares) as logs:
        return added([_part(connection, one, log, keep) for log in logs for one in plan.batches()])


def added(parts: Sequence[Built]) -> Built:
    """What was counted in parts, none of which shares a customer and snapshot with another."""
    return Built(
        counts=_added([part.counts for part in parts]),
        sensitivity=[sum(same) for same in zip(*(one.sensitivity for one in parts), strict=True)],
    )


@contextmanager
def _split(
    connection: duckdb.DuckDBPyConnection, plan: Plan, shares: int
) -> Iterator[Iterator[str]]:
    """Relations with all purchases of some customers each: the log is read once, whatever it is."""
    if shares <= 1:
        yield iter(("purchases",))
        return
    with TemporaryDirectory(prefix="retain-shares-") as folder:
        connection.execute(
            f"COPY (SELECT *, HASH(customer) % {shares} AS share FROM purchases "  # noqa: S608
            f"WHERE t < {plan.end}) TO {literal(folder)} (FORMAT parquet, PARTITION_BY (share), "
            "COMPRESSION uncompressed, PARQUET_VERSION v2, OVERWRITE_OR_IGNORE)"
        )
        yield _shares(connection, Path(folder))


def _shares(connection: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[str]:
    for some in sorted(folder.iterdir()):
        files = literal(str(some / "*.parquet"))
        read = f"SELECT * FROM read_parquet({files}, hive_partitioning = false)"  # noqa: S608
        connection.execute(f"CREATE OR REPLACE TEMP VIEW share AS {read}")
        yield "share"


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


def _added(
    counts: Sequence[Mapping[tuple[int, int], tuple[int, int]]],
) -> dict[tuple[int, int], tuple[int, int]]:
    total: dict[tuple[int, int], tuple[int, int]] = {}
    for one in counts:
        for key, (customers, declined) in one.items():
            before = total.get(key, (0, 0))
            total[key] = (before[0] + customers, before[1] + declined)
    return dict(sorted(total.items()))
