"""Rows of a log that repeat another row in every column."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retain.customers.customers import CleaningStep
from retain.customers.purchases.cleaning.row_checks import ROW_UNIT
from retain.customers.purchases.parsing.raw_columns import RAW_TABLE, RawRelation, drop_relations
from retain.errors import RetainError
from retain.schema.purchases import LogPolicy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

_MAX_EXACT_ROWS = 600_000  # duplicates are counted up to here, and estimated in longer logs
_SAMPLED_ONE_IN = 64  # customers
_DISTINCT_TABLE = "retain_once"


def apply_duplicates_policy(
    connection: Connection, raw: RawRelation, rows: int, policy: LogPolicy
) -> tuple[RawRelation, tuple[CleaningStep, ...]]:
    """Return the rows, without duplicates if the policy drops them, and the funnel's line.

    Kept duplicates are only counted: exactly in up to 600,000 rows, and estimated from one
    customer in 64 in longer logs.

    Raises
    ------
    RetainError
        There are duplicates and the policy is ``error``.
    """
    if policy.duplicates == "keep":
        return raw, _describe_duplicates(connection, raw, rows)
    if policy.duplicates == "error":
        _check_no_duplicates(connection, raw)
        return raw, ()
    distinct = f"SELECT DISTINCT {_column_list(raw)} FROM {RAW_TABLE}"  # noqa: S608
    connection.execute(f"CREATE TABLE {_DISTINCT_TABLE} AS {distinct}")
    drop_relations(connection, (RAW_TABLE, "retain_unfiltered"))
    connection.execute(f"ALTER TABLE {_DISTINCT_TABLE} RENAME TO {RAW_TABLE}")
    left = _query_count(connection, f"SELECT count(*) FROM {RAW_TABLE}")  # noqa: S608
    reason = "repeat another row in every column (data.policy.duplicates=drop)"
    steps = (CleaningStep("duplicates", rows, left, reason, unit=ROW_UNIT),) if left < rows else ()
    return replace(raw, is_stored=True, n_header_lines=None), steps


def _describe_duplicates(
    connection: Connection, raw: RawRelation, rows: int
) -> tuple[CleaningStep, ...]:
    is_sampled = rows > _MAX_EXACT_ROWS
    sample = f" WHERE hash(raw_customer) % {_SAMPLED_ONE_IN} = 0" if is_sampled else ""
    count = _count_duplicates(connection, raw, sample) * (_SAMPLED_ONE_IN if is_sampled else 1)
    if count == 0:
        return ()
    about = f"about {count}" if is_sampled else f"{count}"
    reason = f"{about} repeat another row in every column, kept (data.policy.duplicates=keep)"
    return (CleaningStep("duplicates", rows, rows, reason, unit=ROW_UNIT),)


def _check_no_duplicates(connection: Connection, raw: RawRelation) -> None:
    count = _count_duplicates(connection, raw)
    if count == 0:
        return
    key = "CAST(raw_customer AS VARCHAR), CAST(raw_time AS VARCHAR)"
    sql = f"SELECT {key} FROM {RAW_TABLE} GROUP BY {_column_list(raw)} HAVING count(*) > 1"  # noqa: S608
    customer, time = connection.execute(f"{sql} ORDER BY ALL LIMIT 1").fetchone() or (None, None)
    found = f"{count} rows repeat another in every column, such as {customer!r} at {time!r}"
    hint = "Type data.policy.duplicates=keep or drop."
    raise RetainError(f"{raw.name}: {found}; data.policy.duplicates=error. {hint}")


def _count_duplicates(connection: Connection, raw: RawRelation, sample: str = "") -> int:
    hashed = f"hash({_column_list(raw)})"
    sql = f"SELECT count(*) - count(DISTINCT {hashed}) FROM {RAW_TABLE}{sample}"  # noqa: S608
    return _query_count(connection, sql)


def _column_list(raw: RawRelation) -> str:
    return ", ".join((*(f"raw_{role}" for role in raw.column_names), "rest_hash"))


def _query_count(connection: Connection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0
