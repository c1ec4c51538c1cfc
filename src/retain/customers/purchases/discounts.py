"""Whether a row was bought at a discount: an answer, or the discount itself.

May import: customers.answers, purchases.quoted, raw, reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from retain.customers.answers import NO, YES
from retain.customers.purchases.quoted import literal
from retain.customers.purchases.raw import Raw
from retain.customers.purchases.reading import Reading, number

if TYPE_CHECKING:
    import duckdb


def promo(connection: duckdb.DuckDBPyConnection, raw: Raw) -> Reading:
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
