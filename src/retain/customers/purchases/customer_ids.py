"""Who bought: ids as whole numbers where all are, else as text.

May import: errors and customers.purchases.quoted, raw, reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retain.customers.purchases.quoted import literal
from retain.customers.purchases.raw import RAW, Raw
from retain.customers.purchases.reading import Reading
from retain.errors import RetainError

if TYPE_CHECKING:
    import duckdb

_WHOLE = "-?(0|[1-9][0-9]{0,18})([.]0*)?"  # some tools export 7 as 7.0
_NOBODY = ("nan", "null", "none", "<na>", "\\n")  # what tools write where there is no id
_EXACT = 2**53  # beyond it a float is no id


def customer_id(connection: duckdb.DuckDBPyConnection, raw: Raw) -> Reading:
    """The ids of ``retain_raw``: BIGINT without leading zeros, else VARCHAR.

    Raises
    ------
    RetainError
        The column holds neither numbers nor text.
    """
    cell = "raw_customer"
    if raw.is_whole("customer"):
        return Reading(f"CAST({cell} AS BIGINT)", plain=True)
    if raw.is_text("customer"):
        return _from_text(connection, cell)
    if not raw.is_number("customer"):
        found = f"it holds {raw.types['customer']}"
        raise RetainError.at(raw.where("customer"), found, "expected ids")
    if _all(connection, f"{cell} = trunc({cell}) AND abs({cell}) < {_EXACT}"):
        return Reading(f"CAST({cell} AS BIGINT)", plain=True)
    return Reading(f"CAST({cell} AS VARCHAR)", plain=True)


def _from_text(connection: duckdb.DuckDBPyConnection, cell: str) -> Reading:
    nobody = f"lower({cell}) IN ({', '.join(literal(word) for word in _NOBODY)})"
    value = f"TRY_CAST(split_part({cell}, '.', 1) AS BIGINT)"
    whole = f"regexp_full_match({cell}, {literal(_WHOLE)}) AND {value} IS NOT NULL"
    query = f"SELECT bool_and({whole} OR {nobody}), bool_or({nobody}) FROM {RAW}"  # noqa: S608
    all_whole, some_nobody = connection.execute(query).fetchone() or (False, False)
    if all_whole:
        return Reading(value, plain=False)
    return Reading(f"CASE WHEN NOT {nobody} THEN {cell} END" if some_nobody else cell, plain=True)


def _all(connection: duckdb.DuckDBPyConnection, condition: str) -> bool:
    row = connection.execute(f"SELECT bool_and({condition}) FROM {RAW}").fetchone()  # noqa: S608
    return bool(row and row[0])
