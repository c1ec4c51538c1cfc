"""Amounts in several currencies, which cannot be added up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.column_request import MONEY_ROLES
from retain.customers.purchases.parsing.conditions import type_filter
from retain.customers.purchases.parsing.raw_columns import RAW_TABLE, RawRelation
from retain.errors import RetainError
from retain.schema.purchases import LogPolicy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

_MAX_LISTED = 5


def check_currency(connection: Connection, raw: RawRelation, policy: LogPolicy) -> None:
    """Raise if a column of currencies holds several and the log has money.

    Raises
    ------
    RetainError
        There are several; the message says how to filter one.
    """
    has_money = any(raw.has(role) for role in MONEY_ROLES)
    if policy.currencies == "keep" or "currency" not in raw.column_names or not has_money:
        return
    counts = connection.execute(
        f"SELECT CAST(raw_currency AS VARCHAR), count(*) FROM {RAW_TABLE} "  # noqa: S608
        "WHERE raw_currency IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    if len(counts) < 2:
        return
    listed = ", ".join(f"{name!r} in {count} rows" for name, count in counts[:_MAX_LISTED])
    more = f" and {len(counts) - _MAX_LISTED} more" if len(counts) > _MAX_LISTED else ""
    filter_text = type_filter(raw.column_names["currency"], str(counts[0][0]))
    raise RetainError(
        f"{raw.describe_column('currency')}: {listed}{more}; expected amounts in one currency. "
        f"Type {filter_text}, or if they are in one all the same: data.policy.currencies=keep"
    )
