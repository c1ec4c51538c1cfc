"""Who bought: ids as whole numbers where all are, else as text.

May import: errors and customers.purchases.raw, reading.
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
        whole = f"regexp_full_match({cell}, {literal(_WHOLE)})"
        value = f"TRY_CAST(split_part({cell}, '.', 1) AS BIGINT)"
        if not _all(connection, f"{whole} AND {value} IS NOT NULL"):
            return Reading(cell, plain=True)
        return Reading(value, plain=False)
    if not raw.is_number("customer"):
        found = f"it holds {raw.types['customer']}"
        raise RetainError.at(raw.where("customer"), found, "expected ids")
    if _all(connection, f"{cell} = trunc({cell}) AND abs({cell}) < {_EXACT}"):
        return Reading(f"CAST({cell} AS BIGINT)", plain=True)
    return Reading(f"CAST({cell} AS VARCHAR)", plain=True)


def _all(connection: duckdb.DuckDBPyConnection, condition: str) -> bool:
    row = connection.execute(f"SELECT bool_and({condition}) FROM {RAW}").fetchone()  # noqa: S608
    return bool(row and row[0])
