"""The relation ``purchases``: the kept rows as integers, a view if nothing needs parsing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from retain.customers.cells.numbers import normalise_spaces
from retain.customers.purchases.cleaning.row_checks import RowCounts
from retain.customers.purchases.parsing.raw_columns import RAW_TABLE
from retain.customers.purchases.parsing.rows import SECONDS_PER_DAY, ParsedRows
from retain.customers.purchases.parsing.sql_names import quote_literal
from retain.customers.purchases.parsing.time_zones import floor_div_sql
from retain.errors import RetainError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


_SUMS = ("cents", "items")
ORDER_LINES = "retain_ordered"
_SAME_ORDER_SECONDS = 86_400  # from an order's first line; earlier lines take its time
_CANCELLATION = "C[0-9]+"
"""Number of the order that takes another back, with the number of that order behind it."""
PURCHASES = "purchases"
CATEGORIES = "retain_categories"
MAX_CATEGORIES = 10_000
TEMP_RELATIONS = (CATEGORIES, ORDER_LINES, RAW_TABLE, "retain_once", "retain_unfiltered")


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


def encode_categories(
    connection: Connection, rows: ParsedRows, counts: RowCounts
) -> tuple[str, ...]:
    """Return the sorted categories of the kept rows, and create the table of their codes.

    Raises
    ------
    RetainError
        There are more than 10,000 categories.
    """
    if "category_text" not in rows.expressions:
        return ()
    texts = connection.execute(
        f"SELECT DISTINCT category_text FROM ({rows.select}) "  # noqa: S608
        f"WHERE category_text IS NOT NULL{_valid_rows_sql(rows, counts, ' AND')} "
        f"LIMIT {MAX_CATEGORIES + 1}"
    ).fetchall()
    if len(texts) > MAX_CATEGORIES:
        expected = f"expected at most {MAX_CATEGORIES}, or data.columns.category=null"
        column = rows.raw.describe_column("category")
        raise RetainError.at(column, f"it has more than {MAX_CATEGORIES} values", expected)
    category_of = {str(text): normalise_spaces(str(text)) for (text,) in texts}
    categories = tuple(sorted(set(category_of.values())))
    codes = {category: code for code, category in enumerate(categories)}
    connection.execute(f"CREATE TABLE {CATEGORIES} (category_text VARCHAR, code BIGINT)")
    if category_of:
        values = (f"({quote_literal(text)}, {codes[name]})" for text, name in category_of.items())
        connection.execute(f"INSERT INTO {CATEGORIES} VALUES {', '.join(values)}")  # noqa: S608
    return categories


def create_purchases(connection: Connection, rows: ParsedRows, counts: RowCounts) -> bool:
    """Create the relation ``purchases``; return True if it is a view of the files."""
    condition = _valid_rows_sql(rows, counts, " WHERE")
    cells = f"({rows.select}) AS cells{_join_codes_sql(rows)}{condition}"
    columns = _list_columns(rows, counts)
    select = _select_sql(columns, cells)
    if counts.n_discounts:
        flagged = _select_sql({**columns, "may_be_discount": rows.may_be_discount}, cells)
        if _has_discounts(connection, rows, flagged):
            select = _without_discount_items_sql(rows, columns, flagged)
    if "order_id" in rows.expressions:
        has_returns = counts.n_returns > 0
        create_merged_lines(connection, rows, select, PURCHASES, has_returns=has_returns)
        return False
    is_view = rows.is_cheap and not rows.raw.is_stored
    connection.execute(f"CREATE {'VIEW' if is_view else 'TABLE'} {PURCHASES} AS {select}")
    return is_view


def _valid_rows_sql(rows: ParsedRows, counts: RowCounts, keyword: str) -> str:
    """Return the condition of rows to keep; rules that apply to no row are skipped."""
    rules = [rule for n, rule in enumerate(rows.rules, start=1) if n in counts.by_rule]
    whens = " ".join(f"WHEN {rule.condition} THEN FALSE" for rule in rules)
    return f"{keyword} CASE {whens} ELSE TRUE END" if rules else ""


def _join_codes_sql(rows: ParsedRows) -> str:
    if "category_text" not in rows.expressions:
        return ""
    return f" LEFT JOIN {CATEGORIES} AS codes ON cells.category_text = codes.category_text"


def _list_columns(rows: ParsedRows, counts: RowCounts) -> dict[str, str]:
    """Return the SQL of each column of the relation."""
    is_return = rows.is_return if counts.n_returns else "FALSE"
    is_visit = rows.is_visit if counts.n_visits else "FALSE"
    columns = {
        "customer": "customer",
        "t": "CAST(t AS BIGINT)",
        "cents": _signed_sql("amount", 100, is_return) if "amount" in rows.expressions else "0",
        "items": _items_sql(rows, is_return, is_visit),
        "buys": f"CASE WHEN {is_return} OR {is_visit} THEN 0 ELSE 1 END",
    }
    for role, scale in (("minutes", 100), ("contacts", 1), ("profit", 100)):
        if role in rows.expressions:
            columns[role] = f"coalesce({_round_sql(role, scale)}, 0)"
    if "promo" in rows.expressions:
        columns["promo"] = "promo"
    if "category_text" in rows.expressions:
        columns["category"] = "codes.code"
    integers = {
        name: sql if name == "customer" else f"CAST({sql} AS BIGINT)"
        for name, sql in columns.items()
    }
    return integers | ({"order_id": "order_id"} if "order_id" in rows.expressions else {})


def _select_sql(columns: Mapping[str, str], relation: str) -> str:
    return (
        f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in columns.items())} FROM {relation}"  # noqa: S608
    )


def _order_key_sql(rows: ParsedRows) -> str:
    """Return the order of a row; without order ids, lines of one moment are one order."""
    order = "coalesce(CAST(order_id AS VARCHAR), CAST(t AS VARCHAR))"
    return order if "order_id" in rows.expressions else "t"


def _has_discounts(connection: Connection, rows: ParsedRows, select: str) -> bool:
    """Return whether a line that may be a discount stands in an order with a purchase."""
    keys = f"SELECT customer, {_order_key_sql(rows)} AS key FROM ({select})"  # noqa: S608
    both = f"({keys} WHERE may_be_discount) INTERSECT ({keys} WHERE buys = 1)"
    return connection.execute(f"SELECT 1 FROM ({both}) LIMIT 1").fetchone() is not None  # noqa: S608


def _without_discount_items_sql(rows: ParsedRows, names: Iterable[str], flagged: str) -> str:
    """Return the rows with no items of lines that are discounts on something bought with them.

    Such a line is below zero, counts items, and stands in an order in which the customer also buys.
    Elsewhere it is a return whose items have no sign.
    """
    is_with_purchase = f"max(buys) OVER (PARTITION BY customer, {_order_key_sql(rows)}) = 1"
    items = f"CASE WHEN may_be_discount AND {is_with_purchase} THEN 0 ELSE items END"
    columns = {name: items if name == "items" else name for name in names}
    return _select_sql(columns, f"({flagged}) AS flagged")


def _round_sql(value: str, scale: int) -> str:
    return f"CAST(floor({value} * {scale} + 0.5) AS BIGINT)"


def _signed_sql(role: str, scale: int, is_return: str) -> str:
    """Return a number that is negative in a return, even if only the other measure says so."""
    rounded = f"coalesce({_round_sql(role, scale)}, 0)"
    if is_return == "FALSE":
        return rounded
    return f"CASE WHEN {is_return} THEN -abs({rounded}) ELSE {rounded} END"


def _items_sql(rows: ParsedRows, is_return: str, is_visit: str) -> str:
    if "items" in rows.expressions:
        return _signed_sql("items", 1, is_return)
    return f"CASE WHEN {is_return} THEN -1 WHEN {is_visit} THEN 0 ELSE 1 END"
