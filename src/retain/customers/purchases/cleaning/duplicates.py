"""Rows of a log that repeat another in every column."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retain.customers.customers import Step
from retain.customers.purchases.cleaning.row_checks import OF
from retain.customers.purchases.parsing.raw_columns import RAW, RawRelation, drop
from retain.errors import RetainError
from retain.schema.purchases import LogPolicy

if TYPE_CHECKING:
    import duckdb

_COUNTED = 2_000_000  # rows up to which every one is held against the others
_ONE_IN = 64  # customers, in a longer log
_ONCE = "retain_once"


def once(
    connection: duckdb.DuckDBPyConnection, raw: RawRelation, rows: int, policy: LogPolicy
) -> tuple[RawRelation, tuple[Step, ...]]:
    """The rows, repeated ones left out where the policy says so, and what there were of them.

    Where they are kept they are only told: counted in all rows of a log of up to two million, and
    estimated from one customer in 64 beyond that.

    Raises
    ------
    RetainError
        There are some and the policy refuses them.
    """
    if policy.duplicates == "keep":
        return raw, _told(connection, raw, rows)
    if policy.duplicates == "error":
        _refuse(connection, raw)
        return raw, ()
    connection.execute(f"CREATE TABLE {_ONCE} AS SELECT DISTINCT * FROM {RAW}")  # noqa: S608
    drop(connection, (RAW,))
    connection.execute(f"ALTER TABLE {_ONCE} RENAME TO {RAW}")
    left = _one(connection, f"SELECT count(*) FROM {RAW}")  # noqa: S608
    reason = "repeat another row in every column (policy.duplicates=drop)"
    steps = (Step("duplicates", rows, left, reason, of=OF),) if left < rows else ()
    return replace(raw, stored=True, header=None), steps


def _told(connection: duckdb.DuckDBPyConnection, raw: RawRelation, rows: int) -> tuple[Step, ...]:
    sampled = rows > _COUNTED
    where = f" WHERE hash(raw_customer) % {_ONE_IN} = 0" if sampled else ""
    count = _repeated(connection, raw, where) * (_ONE_IN if sampled else 1)
    if count == 0:
        return ()
    about = f"about {count}" if sampled else f"{count}"
    reason = f"{about} repeat another row in every column, kept (policy.duplicates=keep)"
    return (Step("duplicates", rows, rows, reason, of=OF),)


def _refuse(connection: duckdb.DuckDBPyConnection, raw: RawRelation) -> None:
    count = _repeated(connection, raw, "")
    if count == 0:
        return
    key = "CAST(raw_customer AS VARCHAR), CAST(raw_time AS VARCHAR)"
    sql = f"SELECT {key} FROM {RAW} GROUP BY {_columns(raw)} HAVING count(*) > 1"  # noqa: S608
    customer, time = connection.execute(f"{sql} ORDER BY ALL LIMIT 1").fetchone() or (None, None)
    found = (
        f"{raw.told}: {count} rows repeat another in every column, such as {customer!r} at {time!r}"
    )
    raise RetainError(
        f"{found}; policy.duplicates=error. Type data.policy.duplicates=keep or drop."
    )


def _repeated(connection: duckdb.DuckDBPyConnection, raw: RawRelation, where: str) -> int:
    hashed = f"hash({_columns(raw)})"
    return _one(connection, f"SELECT count(*) - count(DISTINCT {hashed}) FROM {RAW}{where}")  # noqa: S608


def _columns(raw: RawRelation) -> str:
    return ", ".join((*(f"raw_{role}" for role in raw.names), "rest"))


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0
