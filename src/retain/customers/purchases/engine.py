"""DuckDB, embedded: the statements of a script run over a log, some customers after the others.

May import: errors and purchases.plan, script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from retain.customers.purchases.plan import Plan
from retain.customers.purchases.script import Script, script_of
from retain.errors import RetainError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_LEAST = 100 * 10**6
_ROW = 400  # bytes of memory a purchase may take while its customers are worked on


@dataclass(frozen=True)
class Built:
    """What the engine made of a log.

    Attributes
    ----------
    rows
        A row a regular customer and snapshot, in no order; ``customer``, ``snapshot`` (days from
        the log's first, which is 1), ``declined`` with a label, ``money`` where the log has some,
        then the features.
    counts
        Customers and those who declined by (snapshot, reason).
    left_out
        Customers and reasons, when customers are only to be scored; else None.
    sensitivity
        Customers, declined, shared and agreed, for each of the plan's definitions.
    """

    rows: pa.Table
    counts: Mapping[tuple[int, int], tuple[int, int]]
    left_out: pa.Table | None
    sensitivity: Sequence[tuple[int, int, int, int]]


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
        settings: dict[str, str | int | bool] = {
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
    connection: duckdb.DuckDBPyConnection, plan: Plan, *, purchases: int, memory: int
) -> Built:
    """The rows of a plan over the relation ``purchases`` of the connection.

    Customers are worked on in shares that fit in memory: no customer is in two, so that it makes
    no difference how many there are.

    Parameters
    ----------
    purchases
        How many rows the relation has, about.
    memory
        Bytes the engine may use.
    """
    import pyarrow as pa

    _tables(connection, plan)
    shares = max(1, -(-purchases * _ROW // memory))
    script = script_of(plan, "share" if shares > 1 else "purchases")
    parts = [_part(connection, plan, script, n, shares) for n in range(shares)]
    return Built(
        rows=pa.concat_tables([part.rows for part in parts]),
        counts=_added([part.counts for part in parts]),
        left_out=None if plan.labelled else pa.concat_tables([one.left_out for one in parts]),
        sensitivity=[
            tuple(map(sum, zip(*same, strict=True)))
            for same in zip(*(part.sensitivity for part in parts), strict=True)
        ],
    )


def _tables(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """The small tables that hold all there is to know of the calendar."""
    import pyarrow as pa

    for name, columns in (("days", plan.days), ("marks", plan.marks)):
        told = pa.table({key: pa.array(values, pa.int64()) for key, values in columns.items()})
        connection.register("told", told)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM told")
        connection.unregister("told")


def _part(
    connection: duckdb.DuckDBPyConnection, plan: Plan, script: Script, number: int, shares: int
) -> Built:
    run = connection.execute
    if shares > 1:
        some = f"HASH(customer) % {shares} = {number}"
        run(f"CREATE OR REPLACE TEMP VIEW share AS SELECT * FROM purchases WHERE {some}")
    run(f"CREATE OR REPLACE TEMP TABLE pairs AS {script.pairs}")
    if script.favourites is not None:
        run(f"CREATE OR REPLACE TEMP TABLE favourites AS {script.favourites}")
    run(f"CREATE OR REPLACE TEMP VIEW judged AS {script.judged}")
    rows = run(script.rows).to_arrow_table()
    counts = {row[:2]: row[2:] for row in run(script.counts).fetchall()}
    left_out = None if plan.labelled else run(script.left_out).to_arrow_table()
    tried = [] if script.sensitivity is None else sorted(run(script.sensitivity).fetchall())
    run("DROP VIEW judged")
    run("DROP TABLE pairs")
    return Built(rows, counts, left_out, [tuple(n or 0 for n in row[1:]) for row in tried])


def _added(
    counts: Sequence[Mapping[tuple[int, int], tuple[int, int]]],
) -> dict[tuple[int, int], tuple[int, int]]:
    keys = sorted({key for one in counts for key in one})
    nothing = (0, 0)
    return {
        key: tuple(map(sum, zip(*(one.get(key, nothing) for one in counts), strict=True)))
        for key in keys
    }
