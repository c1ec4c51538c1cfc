"""The relation ``purchases``: integers of each row kept, as a view where nothing is to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retain.customers.files.numbers import normalise_spaces
from retain.customers.purchases.cleaning.row_checks import RowCounts
from retain.customers.purchases.parsing.raw_columns import RAW
from retain.customers.purchases.parsing.rows import Rows
from retain.customers.purchases.parsing.sql_names import literal
from retain.errors import RetainError

if TYPE_CHECKING:
    import duckdb

PURCHASES = "purchases"
CATEGORIES = "retain_categories"
KINDS = 10_000
"""The most categories there may be: more of them, and the column is no category."""

_ORDERED = "retain_ordered"
SCRATCH = (CATEGORIES, _ORDERED, RAW, "retain_once")
"""Relations a log may have left behind."""
_SAME_ORDER = 86_400  # seconds after the first line in which a line is of the same moment


def categories_of(
    connection: duckdb.DuckDBPyConnection, rows: Rows, tally: RowCounts
) -> tuple[str, ...]:
    """The different categories of the rows kept, sorted, also as the table of their codes.

    Raises
    ------
    RetainError
        There are more than 10,000 of them.
    """
    if "kind" not in rows.values:
        return ()
    found = connection.execute(
        f"SELECT DISTINCT kind FROM ({rows.select}) "  # noqa: S608
        f"WHERE kind IS NOT NULL{_kept(rows, tally, ' AND')} LIMIT {KINDS + 1}"
    ).fetchall()
    if len(found) > KINDS:
        expected = f"expected at most {KINDS}, or data.columns.category=null"
        raise RetainError.at(
            rows.raw.where("category"), f"it has more than {KINDS} values", expected
        )
    texts = {str(kind): normalise_spaces(str(kind)) for (kind,) in found}
    kinds = tuple(sorted(set(texts.values())))
    codes = {kind: code for code, kind in enumerate(kinds)}
    connection.execute(f"CREATE TABLE {CATEGORIES} (kind VARCHAR, code BIGINT)")
    if texts:
        listed = ", ".join(f"({literal(text)}, {codes[kind]})" for text, kind in texts.items())
        connection.execute(f"INSERT INTO {CATEGORIES} VALUES {listed}")  # noqa: S608
    return kinds


def make(connection: duckdb.DuckDBPyConnection, rows: Rows, tally: RowCounts) -> bool:
    """Create ``purchases``; whether it is a view of the files."""
    cells = f"({rows.select}) AS cells{_joined(rows)}{_kept(rows, tally, ' WHERE')}"
    source = f"SELECT {_columns(rows, tally)} FROM {cells}"  # noqa: S608
    if "bill" in rows.values:
        connection.execute(f"CREATE TABLE {_ORDERED} AS {source}")
        connection.execute(f"CREATE TABLE {PURCHASES} AS {_opened(rows)}")
        connection.execute(f"DROP TABLE {_ORDERED}")
        return False
    view = rows.plain and not rows.raw.stored
    connection.execute(f"CREATE {'VIEW' if view else 'TABLE'} {PURCHASES} AS {source}")
    return view


def _kept(rows: Rows, tally: RowCounts, joint: str) -> str:
    """The condition of rows to keep; faults that no row has need not be looked for."""
    there = [one for n, one in enumerate(rows.faults, start=1) if n in tally.by_fault]
    whens = " ".join(f"WHEN {one.when} THEN FALSE" for one in there)
    return f"{joint} CASE {whens} ELSE TRUE END" if there else ""


def _joined(rows: Rows) -> str:
    if "kind" not in rows.values:
        return ""
    return f" LEFT JOIN {CATEGORIES} AS codes ON cells.kind = codes.kind"


def _columns(rows: Rows, tally: RowCounts) -> str:
    returned = rows.returned if tally.returned else "FALSE"
    visit = rows.visit if tally.visits else "FALSE"
    listed = {
        "customer": "customer",
        "t": "CAST(t AS BIGINT)",
        "cents": _signed("amount", 100, returned) if "amount" in rows.values else "0",
        "items": _items(rows, returned, visit),
        "buys": f"CASE WHEN {returned} OR {visit} THEN 0 ELSE 1 END",
    }
    for name, role, scale in (
        ("minutes", "minutes", 100),
        ("contacts", "contacts", 1),
        ("profit", "profit", 100),
    ):
        if role in rows.values:
            listed[name] = f"coalesce({_rounded(role, scale)}, 0)"
    if "promo" in rows.values:
        listed["promo"] = "promo"
    if "kind" in rows.values:
        listed["category"] = "codes.code"
    whole = (
        f"{sql if n == 'customer' else f'CAST({sql} AS BIGINT)'} AS {n}"
        for n, sql in listed.items()
    )
    bill = ", bill" if "bill" in rows.values else ""
    return f"{', '.join(whole)}{bill}"


def _rounded(value: str, scale: int) -> str:
    return f"CAST(floor({value} * {scale} + 0.5) AS BIGINT)"


def _signed(role: str, scale: int, returned: str) -> str:
    """Below zero in a return, whichever of amount and items says that it is one."""
    whole = f"coalesce({_rounded(role, scale)}, 0)"
    if returned == "FALSE":
        return whole
    return f"CASE WHEN {returned} THEN -abs({whole}) ELSE {whole} END"


def _items(rows: Rows, returned: str, visit: str) -> str:
    if "items" in rows.values:
        return _signed("items", 1, returned)
    return f"CASE WHEN {returned} THEN -1 WHEN {visit} THEN 0 ELSE 1 END"


# --- orders --------------------------------------------------------------------------------------


def _opened(rows: Rows) -> str:
    """Each order at its first purchase; a line that comes a day later keeps its own time.

    Returns and visits keep theirs too: what happens later must not be moved before a snapshot.
    """
    there = [
        n for n in ("minutes", "contacts", "profit", "promo", "category") if _made(n) in rows.values
    ]
    ties = ", ".join(("t", "cents", "items", *there))
    order = f"PARTITION BY customer, bill, buys ORDER BY {ties}"
    alone = "bill IS NULL OR buys = 0"
    first = f"CASE WHEN {alone} THEN t ELSE first_value(t) OVER ({order}) END"
    place = f"CASE WHEN {alone} THEN buys ELSE CAST(row_number() OVER ({order}) = 1 AS BIGINT) END"
    numbered = f"SELECT *, {first} AS begun, {place} AS opens FROM {_ORDERED}"  # noqa: S608
    moved = f"CASE WHEN t < begun + {_SAME_ORDER} THEN begun ELSE t END AS t"
    return f"SELECT * EXCLUDE (bill, begun) REPLACE ({moved}) FROM ({numbered})"  # noqa: S608


def _made(name: str) -> str:
    return "kind" if name == "category" else name
