"""Times written as text: which of the usual forms a column uses, told by its cells.

May import: errors and customers.purchases.day_and_month, raw, reading, time_forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from retain.customers.purchases.day_and_month import by_values
from retain.customers.purchases.raw import Raw
from retain.customers.purchases.reading import (
    SHAPES,
    Reading,
    Shape,
    all_match,
    guard,
    matches,
    shapes,
)
from retain.customers.purchases.time_forms import FORMS, PLAIN, Form, iso
from retain.errors import RetainError, examples

if TYPE_CHECKING:
    import duckdb


def from_texts(connection: duckdb.DuckDBPyConnection, raw: Raw, zone: str) -> Reading:
    """The times of a text column, each in the form its cell has.

    Raises
    ------
    RetainError
        No cell has a known form, or the cells leave open which of two numbers is the day.
    """
    if all_match(connection, PLAIN, "raw_time"):
        return Reading(iso("raw_time", (), zone), plain=False)
    found = shapes(connection, "time")
    forms = [form for form in FORMS if any(matches(form.pattern, one.text) for one in found)]
    forms += by_values(connection, raw, found)
    if not forms and found:
        odd = examples(one.first for one in found)
        told = "expected dates such as '2024-03-31'; or say how they are written with "
        raise RetainError.at(
            raw.where("time"), f"no cell is a time: {odd}", f"{told}data.log.time_format"
        )
    known = [one for one in found if any(matches(form.pattern, one.text) for form in forms)]
    sure = len(forms) == 1 and len(known) == len(found) <= SHAPES
    branches = [_branch(form, known, zone, sure=sure) for form in forms]
    sql = (
        branches[0][1]
        if sure
        else f"CASE {' '.join(f'WHEN {a} THEN {b}' for a, b in branches)} END"
    )
    return Reading(sql if forms else "NULL::BIGINT", plain=False, notes=_mixed(forms, known))


def _branch(form: Form, known: Iterable[Shape], zone: str, *, sure: bool) -> tuple[str, str]:
    mine = [one.text for one in known if matches(form.pattern, one.text)]
    return "" if sure else guard(form.pattern, "raw_time"), form.seconds("raw_time", mine, zone)


def _mixed(forms: Sequence[Form], known: Iterable[Shape]) -> tuple[str, ...]:
    """What to tell of a column in which some cells name their zone and others do not."""
    zoned = [form for form in forms if form.zoned]
    if not zoned or len(zoned) == len(forms):
        return ()
    bare = [form for form in forms if not form.zoned]
    count = sum(one.count for one in known if any(matches(form.pattern, one.text) for form in bare))
    return (f"{count} times name no zone and are taken as the store's clock; the others do",)
