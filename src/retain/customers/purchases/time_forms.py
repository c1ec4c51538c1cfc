"""The usual ways to write a time that need no second look: year first, or counted from 1970.

May import: customers.purchases.clock, quoted, reading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retain.customers.purchases.clock import floored, local, whole_seconds
from retain.customers.purchases.quoted import literal
from retain.customers.purchases.reading import matches

CLOCK = "(?:[T ]#{1,2}:##(?::##(?:[.,]#+)?)?)"
"""The pattern of a clock after a date."""

PLAIN = "####-##-##(?:[T ]##:##(?::##)?)?"
"""The pattern of a time that needs no mending before it is cast."""

_OFFSET = " ?(?:Z|UTC|GMT|[-+]##(?::?##)?)"
_YEAR_FIRST = "####(?:-#{1,2}-#{1,2}|/#{1,2}/#{1,2}|[.]#{1,2}[.]#{1,2})"


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write times: the pattern of its cells, ``#`` a digit, and how it is read.

    ``seconds`` takes the cell's SQL, the shapes that were found and the store's zone.
    """

    name: str
    pattern: str
    seconds: Callable[[str, Sequence[str], str], str]
    zoned: bool = False


def parsed(cell: str, formats: Sequence[str]) -> str:
    """The seconds of a cell written in one of the formats ``strptime`` takes."""
    listed = ", ".join(literal(one) for one in formats)
    tried = literal(formats[0]) if len(formats) == 1 else f"[{listed}]"
    return whole_seconds(f"epoch_us(try_strptime({cell}, {tried}))")


# --- year first ----------------------------------------------------------------------------------


def iso(cell: str, found: Sequence[str], _zone: str) -> str:
    """The seconds of a cell that names no zone."""
    return whole_seconds(
        f"epoch_us(TRY_CAST({_dashed(unfractioned(cell, found), found)} AS TIMESTAMP))"
    )


def _iso_zoned(cell: str, found: Sequence[str], zone: str) -> str:
    text = _dashed(unfractioned(cell, found), found)
    if any(" " in shape[11:] for shape in found):
        text = f"regexp_replace({text}, ' ?(UTC|GMT)$| (Z|[-+][0-9:]+)$', '\\2')"
    if any(matches(f".*[T ]#{{1,2}}:##{_OFFSET}", shape) for shape in found):
        text = (
            f"regexp_replace({text}, '([T ][0-9]{{1,2}}:[0-9]{{2}})(Z|[-+][0-9:]+|)$', '\\1:00\\2')"
        )
    if any(shape.endswith(("UTC", "GMT")) for shape in found):
        bare = f"regexp_full_match({text}, '.*[T ][0-9:]+')"
        text = f"CASE WHEN {bare} THEN {text} || 'Z' ELSE {text} END"
    return local(f"TRY_CAST({text} AS TIMESTAMPTZ)", zone)


def _dashed(text: str, found: Sequence[str]) -> str:
    """Dates parted by points with dashes instead, as a cast reads them."""
    if not any(matches("####[.].*", shape) for shape in found):
        return text
    return f"regexp_replace({text}, '^([0-9]{{4}})[.]([0-9]+)[.]', '\\1-\\2-')"


def unfractioned(cell: str, found: Sequence[str]) -> str:
    """The text without parts of a second: a clock's second is floored by that."""
    if not any(matches(".*:##[.,]#.*", shape) for shape in found):
        return cell
    return f"regexp_replace({cell}, '(:[0-9][0-9])[.,][0-9]+', '\\1')"


def _compact(cell: str, found: Sequence[str], _zone: str) -> str:
    formats = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S", 15: "%Y%m%dT%H%M%S"}
    wanted = {len(shape): formats[len(shape)] for shape in found}
    if any(" " in shape for shape in found):
        cell = f"replace({cell}, ' ', 'T')"
    return parsed(cell, [wanted[length] for length in sorted(wanted)])


# --- since 1970 ----------------------------------------------------------------------------------


def _epoch(digits: str, unit: int) -> Form:
    def seconds(cell: str, _found: Sequence[str], zone: str) -> str:
        whole = f"TRY_CAST(split_part({cell}, '.', 1) AS BIGINT)"
        fraction = f"regexp_full_match({cell}, '-.*[.].*[1-9].*')"
        floor = f"{floored(whole, unit)} - CASE WHEN {fraction} THEN 1 ELSE 0 END"
        return local(f"make_timestamptz(({floor}) * 1000000)", zone)

    return Form(f"epoch/{unit}", f"-?#{digits}(?:[.]#*)?", seconds)


FORMS = (
    Form("ISO", f"{_YEAR_FIRST}{CLOCK}?", iso),
    Form("ISO with zone", f"{_YEAR_FIRST}{CLOCK}{_OFFSET}", _iso_zoned, zoned=True),
    Form("yyyymmdd", "#{8}(?:[T ]?#{6})?", _compact),
    _epoch("{9,11}", 1),
    _epoch("{12,13}", 10**3),
    _epoch("{15,16}", 10**6),
    _epoch("{18,19}", 10**9),
)
"""The forms, in the order they are tried."""
