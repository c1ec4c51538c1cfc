"""Who bought: ids as whole numbers where all are, else as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from retain.customers.files.booleans import NO, YES
from retain.customers.purchases.parsing.numbers import Reading, number
from retain.customers.purchases.parsing.raw_columns import RAW, RawRelation
from retain.customers.purchases.parsing.sql_names import literal
from retain.errors import RetainError

if TYPE_CHECKING:
    import duckdb


_WHOLE = "-?(0|[1-9][0-9]{0,18})([.]0*)?"  # some tools export 7 as 7.0
_NOBODY = ("nan", "null", "none", "<na>", "\\n")  # what tools write where there is no id
_EXACT = 2**53  # beyond it a float is no id


def customer_id(connection: duckdb.DuckDBPyConnection, raw: RawRelation) -> Reading:
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


def promo(connection: duckdb.DuckDBPyConnection, raw: RawRelation) -> Reading:
    """1, 0, or NULL where the cell is neither an answer nor a number of at least 0."""
    if raw.types["discount"] == "BOOLEAN":
        return Reading("CAST(raw_discount AS BIGINT)", plain=True)
    value = number(connection, raw, "discount")
    given = f"CASE WHEN {value.sql} > 0 THEN 1 WHEN {value.sql} = 0 THEN 0 END"
    if not raw.is_text("discount"):
        return Reading(f"CAST({given} AS BIGINT)", plain=value.plain)
    said = "lower(raw_discount)"
    words = f"WHEN {said} IN ({_listed(YES)}) THEN 1 WHEN {said} IN ({_listed(NO)}) THEN 0"
    return Reading(f"CAST(CASE {words} ELSE {given} END AS BIGINT)", plain=False)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(literal(word) for word in words)
