"""Lines of orders: one purchase per order, and orders that were cancelled on their day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.rows import SECONDS_PER_DAY, ParsedRows
from retain.customers.purchases.parsing.time_zones import floor_div_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

ORDER_LINES = "retain_ordered"
_SAME_ORDER_SECONDS = 86_400  # from an order's first line; earlier lines take its time
_CANCELLATION = "C[0-9]+"
"""Number of the order that takes another back, with the number of that order behind it."""


def create_merged_lines(
    connection: Connection, rows: ParsedRows, lines: str, target: str, *, has_returns: bool
) -> None:
    """Create the table of purchases from the SELECT of order lines.

    Each order lies at its first line; ``opens`` is 1 for one line per order. Lines a day or more
    later, returns and visits keep their own time: what happens later must not be moved before a
    snapshot. For the same reason an order counts as cancelled, that is neither as an order nor as
    a day of purchase, only if it is taken back on its day: by lines of its number, by the number
    with a C before it, or by another order of the customer for the same money and items.
    """
    connection.execute(f"CREATE TABLE {ORDER_LINES} AS {lines}")
    if _has_cancellations(connection):
        connection.execute(f"CREATE TABLE {target} AS {_mark_cancellations_sql()}")
        connection.execute(f"DROP TABLE {ORDER_LINES}")
        connection.execute(f"ALTER TABLE {target} RENAME TO {ORDER_LINES}")
        has_returns = True
    merged = _merge_sql(rows)
    plain = f"SELECT * EXCLUDE (order_id) FROM ({merged})"  # noqa: S608
    select = _drop_cancelled_sql(merged) if has_returns else plain
    connection.execute(f"CREATE TABLE {target} AS {select}")
    connection.execute(f"DROP TABLE {ORDER_LINES}")


def _merge_sql(rows: ParsedRows) -> str:
    roles = {"category": "category_text"}
    optional = ("minutes", "contacts", "profit", "promo", "category")
    mapped = [name for name in optional if roles.get(name, name) in rows.expressions]
    ties = ", ".join(("t", "cents", "items", *mapped))
    window = f"PARTITION BY customer, order_id, buys ORDER BY {ties}"
    alone = "order_id IS NULL OR buys = 0"
    first = f"CASE WHEN {alone} THEN t ELSE first_value(t) OVER ({window}) END"
    opens = f"CASE WHEN {alone} THEN buys ELSE CAST(row_number() OVER ({window}) = 1 AS BIGINT) END"
    lines = f"SELECT *, {first} AS first_t, {opens} AS opens FROM {ORDER_LINES}"  # noqa: S608
    moved = f"CASE WHEN t < first_t + {_SAME_ORDER_SECONDS} THEN first_t ELSE t END AS t"
    return f"SELECT * EXCLUDE (first_t) REPLACE ({moved}) FROM ({lines})"  # noqa: S608


# --- cancelled orders ----------------------------------------------------------------------------


def _has_cancellations(connection: Connection) -> bool:
    """Return whether an order is that of another number of the customer with a C before it."""
    numbers = f"SELECT 1 FROM {ORDER_LINES} WHERE {_is_cancellation_sql()} LIMIT 1"  # noqa: S608
    return connection.execute(numbers).fetchone() is not None


def _is_cancellation_sql() -> str:
    others = f"SELECT customer, order_id FROM {ORDER_LINES} WHERE order_id IS NOT NULL"  # noqa: S608
    is_number = f"coalesce(regexp_full_match(order_id, '{_CANCELLATION}'), FALSE)"
    return f"{is_number} AND (customer, substr(order_id, 2)) IN ({others})"


def _mark_cancellations_sql() -> str:
    """Return the lines with cancellations as returns of the order that they cancel."""
    number = f"CASE WHEN {_is_cancellation_sql()} THEN substr(order_id, 2) END"
    lines = f"SELECT *, {number} AS cancelled FROM {ORDER_LINES}"  # noqa: S608
    taken = (f"CASE WHEN cancelled IS NULL THEN {n} ELSE -abs({n}) END AS {n}" for n in _SUMS)
    bought = "CASE WHEN cancelled IS NULL THEN buys ELSE 0 END AS buys"
    changes = f"coalesce(cancelled, order_id) AS order_id, {bought}, {', '.join(taken)}"
    return f"SELECT * EXCLUDE (cancelled) REPLACE ({changes}) FROM ({lines})"  # noqa: S608


_SUMS = ("cents", "items")


def _drop_cancelled_sql(merged: str) -> str:
    """Return purchases of which those of cancelled orders neither buy nor open an order."""
    sums = ", ".join(f"sum({name}) AS {name}" for name in _SUMS)
    day = f"{floor_div_sql('t', SECONDS_PER_DAY)} AS day"
    keys = "customer, order_id, day"
    lines = f"SELECT *, {day} FROM ({merged})"  # noqa: S608
    totals = (
        f"SELECT {keys}, {sums}, max(buys) AS buys, min(buys) AS returns FROM lines "  # noqa: S608
        "WHERE order_id IS NOT NULL GROUP BY ALL"
    )
    sign = "CASE WHEN items > 0 OR cents > 0 THEN 1 ELSE -1 END"
    alike = "PARTITION BY customer, day, abs(cents), abs(items)"
    cancelled = (
        f"SELECT {keys} FROM (SELECT *, sum({sign}) OVER ({alike}) AS balance FROM ({totals})) "  # noqa: S608
        "WHERE buys = 1 AND (balance = 0 OR (returns = 0 AND cents <= 0 AND items <= 0))"
    )
    is_cancelled = "cancelled.customer IS NOT NULL"
    zero = (f"CASE WHEN {is_cancelled} THEN 0 ELSE {n} END AS {n}" for n in ("buys", "opens"))
    same = " AND ".join(f"lines.{key} = cancelled.{key}" for key in keys.split(", "))
    return (
        f"WITH lines AS ({lines}), cancelled AS ({cancelled}) "  # noqa: S608
        f"SELECT lines.* EXCLUDE (order_id, day) REPLACE ({', '.join(zero)}) "
        f"FROM lines LEFT JOIN cancelled ON {same}"
    )
