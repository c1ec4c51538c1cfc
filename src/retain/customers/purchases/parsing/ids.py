"""Columns of ids, as integers if all are, else as text, and of discounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from retain.customers.files.booleans import NO, YES
from retain.customers.purchases.parsing.numbers import SqlExpression, parse_number_column
from retain.customers.purchases.parsing.raw_columns import RAW_TABLE, RawRelation
from retain.customers.purchases.parsing.sql_names import quote_literal
from retain.errors import RetainError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


_WHOLE_NUMBER = "-?(0|[1-9][0-9]{0,18})([.]0*)?"  # some tools export 7 as 7.0
_MISSING_IDS = ("nan", "null", "none", "<na>", "\\n")  # written by tools for a missing id
_MAX_EXACT_FLOAT = 2**53  # beyond it a float is not exact


def parse_id_column(connection: Connection, raw: RawRelation) -> SqlExpression:
    """Return the ids of ``retain_raw``: BIGINT if all are without leading zeros, else VARCHAR.

    Raises
    ------
    RetainError
        The column holds neither numbers nor text.
    """
    cell = "raw_customer"
    if raw.is_whole("customer"):
        return SqlExpression(f"CAST({cell} AS BIGINT)", is_cheap=True)
    if raw.is_text("customer"):
        return _parse_text_ids(connection, cell)
    if not raw.is_number("customer"):
        found = f"it holds {raw.types['customer']}"
        raise RetainError.at(raw.describe_column("customer"), found, "expected ids")
    if _is_true_for_all(connection, f"{cell} = trunc({cell}) AND abs({cell}) < {_MAX_EXACT_FLOAT}"):
        return SqlExpression(f"CAST({cell} AS BIGINT)", is_cheap=True)
    return SqlExpression(f"CAST({cell} AS VARCHAR)", is_cheap=True)


def _parse_text_ids(connection: Connection, cell: str) -> SqlExpression:
    missing = f"lower({cell}) IN ({', '.join(quote_literal(word) for word in _MISSING_IDS)})"
    value = f"TRY_CAST(split_part({cell}, '.', 1) AS BIGINT)"
    whole = f"regexp_full_match({cell}, {quote_literal(_WHOLE_NUMBER)}) AND {value} IS NOT NULL"
    query = f"SELECT bool_and({whole} OR {missing}), bool_or({missing}) FROM {RAW_TABLE}"  # noqa: S608
    all_whole, some_missing = connection.execute(query).fetchone() or (False, False)
    if all_whole:
        return SqlExpression(value, is_cheap=False)
    return SqlExpression(
        f"CASE WHEN NOT {missing} THEN {cell} END" if some_missing else cell, is_cheap=True
    )


def _is_true_for_all(connection: Connection, condition: str) -> bool:
    row = connection.execute(f"SELECT bool_and({condition}) FROM {RAW_TABLE}").fetchone()  # noqa: S608
    return bool(row and row[0])


def parse_discount_column(connection: Connection, raw: RawRelation) -> SqlExpression:
    """Return 1, 0, or NULL if the cell is neither yes or no nor a number of at least 0."""
    if raw.types["discount"] == "BOOLEAN":
        return SqlExpression("CAST(raw_discount AS BIGINT)", is_cheap=True)
    value = parse_number_column(connection, raw, "discount")
    by_number = f"CASE WHEN {value.sql} > 0 THEN 1 WHEN {value.sql} = 0 THEN 0 END"
    if not raw.is_text("discount"):
        return SqlExpression(f"CAST({by_number} AS BIGINT)", is_cheap=value.is_cheap)
    answer = "lower(raw_discount)"
    yes, no = _quote_literals(YES), _quote_literals(NO)
    by_answer = f"WHEN {answer} IN ({yes}) THEN 1 WHEN {answer} IN ({no}) THEN 0"
    return SqlExpression(f"CAST(CASE {by_answer} ELSE {by_number} END AS BIGINT)", is_cheap=False)


def _quote_literals(words: Iterable[str]) -> str:
    return ", ".join(quote_literal(word) for word in words)
