"""Times of day and durations in cells of text, such as 1:30, 2 days 03:00:00 and PT1H30M."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retain.customers.cells.arrow_cells import DictionaryColumn
from retain.customers.cells.date_digits import N_SEARCHED
from retain.customers.columns import key_name
from retain.customers.reading import SourceColumn
from retain.errors import RetainError, type_value

_SIGN = r"(?P<sign>[-+\x{2212}]?)"
_DAYS = r"(?:(?P<days>[0-9]+) ?d(?:ays?)?,? ?)?"
_PARTS = r"(?P<first>[0-9]+):(?P<second>[0-5][0-9])(?::(?P<third>[0-5][0-9](?:[.,][0-9]+)?))?"
_CLOCK = rf"^{_SIGN}{_DAYS}{_PARTS} ?(?P<half>[AaPp][.]?[Mm][.]?)?$"
_NUMBER = "[0-9]+(?:[.,][0-9]+)?"
_WORDS = {
    "days": ("days?|дн(?:ей|я)?|день|сут|tage?|jours?", "d"),
    "hours": ("hours?|hrs?|час(?:ов|а)?|stunden?|std|heures?", "h|ч"),
    "minutes": ("minutes?|mins?|минут[аы]?|мин|minuten?", "m"),
    "seconds": ("seconds?|secs?|секунд[аы]?|сек|sekunden?|sek", "s|с"),
}
SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
"""Seconds of each unit."""
_WORDED = "".join(
    rf"(?:(?P<{unit}>{_NUMBER}) ?(?:(?i:{words})|{letter})[.]?[, ]*)?"
    for unit, (words, letter) in _WORDS.items()
)
_ISO = [rf"(?:(?P<{unit}>{_NUMBER}){unit[0].upper()})?" for unit in SECONDS]
_SPELLED = (rf"^{_SIGN}{_WORDED}$", rf"^{_SIGN}P{_ISO[0]}(?:T{''.join(_ISO[1:])})?$")
_SURE = r"\pL{2}|[0-9]\pL+ ?[0-9]"  # a word or two units; 10M and 12S may be sizes
_LIKE = r"[0-9]:[0-5][0-9]|[0-9] ?\pL"
_HALF_DAY, _HOURS, _SIXTY = 12, 24, 60


@dataclass(frozen=True, slots=True)
class ParsedDurations:
    """A column as numbers of the last part of a clock or of seconds, NaN where a cell is none."""

    column: DictionaryColumn
    reading: str
    n_like: int
    unit: str

    def cells(self) -> pd.Series:
        """Return the numbers row by row."""
        return self.column.cells()

    def source(self, name: str) -> SourceColumn:
        """Return how the column is written."""
        return SourceColumn(name=name, unit=self.unit, unit_kind="other")


def parse_durations(column: DictionaryColumn, name: str) -> ParsedDurations | None:
    """Return the times of a column; None if fewer than half of its cells are some.

    >>> from retain.customers.cells.arrow_cells import to_dictionary
    >>> found = parse_durations(to_dictionary(pd.Series(["1:30", "-0:05", "x"])), "call")
    >>> found.cells().tolist(), found.reading
    ([90.0, -5.0, nan], 'times, 1:30 is 90')
    >>> parse_durations(to_dictionary(pd.Series(["1h 30m", "45 s"])), "call").cells().tolist()
    [5400.0, 45.0]

    Raises
    ------
    RetainError
        Some cells have seconds, and others have two parts, which may be minutes and seconds.
    """
    texts = pa.array(column.distinct.array, type=pa.string(), from_pandas=True)
    sample = pc.match_substring_regex(texts[:: len(texts) // N_SEARCHED + 1], _LIKE)
    if 2 * pc.sum(sample).as_py() < len(sample):
        return None
    clocks = pc.extract_regex(texts, _CLOCK)
    is_clock, spelled = _is_valid(clocks), _spelled_seconds(texts)
    is_spelled, rows = ~np.isnan(spelled), column.counts()
    n_like = int(rows[is_clock | is_spelled].sum())
    if 2 * n_like <= rows.sum():
        return None
    has_third = is_clock & ~np.isnan(_numbers(clocks, "third"))
    is_short = is_clock & ~has_third
    if is_short.any() and (has_third.any() or is_spelled.any()):
        _refuse(str(texts[int(np.flatnonzero(is_short)[0])]), name)
    values = np.where(is_clock, _last_parts(clocks), spelled)
    used = column.with_distinct(pd.Series(values))
    if is_short.any():
        return ParsedDurations(used, "times, 1:30 is 90", n_like, "steps of 0:01")
    return ParsedDurations(used, "times, in seconds", n_like, "seconds")


def _is_valid(parts: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.is_valid(parts).to_numpy(zero_copy_only=False), dtype=bool)


def _spelled_seconds(texts: pa.Array) -> NDArray[np.float64]:
    """Return seconds of durations with units, NaN where a text is none."""
    found = np.full(len(texts), np.nan)
    if not pc.any(pc.match_substring_regex(texts, _SURE)).as_py():
        return found
    has_digits = pc.match_substring_regex(texts, "[0-9]")
    for pattern in _SPELLED:
        parts = pc.extract_regex(pc.if_else(has_digits, texts, None), pattern)
        total = np.zeros(len(texts))
        for unit, seconds in SECONDS.items():
            total += np.nan_to_num(_numbers(parts, unit)) * seconds
        found = np.where(_is_valid(parts), total * _signs(parts), found)
    return found


def _last_parts(parts: pa.Array) -> NDArray[np.float64]:
    """Return times of a clock in its last part: minutes or seconds."""
    first, second, third = (_numbers(parts, one) for one in ("first", "second", "third"))
    half = pc.utf8_lower(pc.utf8_slice_codeunits(pc.struct_field(parts, "half"), 0, 1))
    halves = np.array(pc.fill_null(half, "").to_pylist(), dtype=object)
    first = np.where(halves != "", first % _HALF_DAY, first) + _HALF_DAY * (halves == "p")
    first += _HOURS * np.nan_to_num(_numbers(parts, "days"))
    total = first * _SIXTY + second
    total = np.where(np.isnan(third), total, total * _SIXTY + np.nan_to_num(third))
    return np.asarray(_signs(parts) * total)


def _signs(parts: pa.Array) -> NDArray[np.float64]:
    sign = pc.fill_null(pc.struct_field(parts, "sign"), "")
    minus = pc.is_in(sign, pa.array(["-", "\u2212"])).to_numpy(zero_copy_only=False)
    return np.where(minus, -1.0, 1.0)


def _numbers(parts: pa.Array, part: str) -> NDArray[np.float64]:
    texts = pc.replace_substring(pc.struct_field(parts, part), ",", ".")
    filled = pc.if_else(pc.equal(texts, ""), None, texts)
    values: NDArray[np.float64] = filled.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _refuse(cell: str, name: str) -> None:
    category = type_value("data.categorical_columns", [key_name(name)])
    raise RetainError(
        f"column {name!r}: {cell!r} may be hours and minutes or minutes and seconds, as other "
        f"cells have seconds. Write all with hours, minutes and seconds, or type {category}."
    )
