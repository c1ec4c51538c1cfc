"""Checks that a column is of one type: how many cells may be of another, and refusals."""

from __future__ import annotations

import logging

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from retain.customers.cells.arrow_cells import DictionaryColumn
from retain.customers.cells.dates import ParsedDates
from retain.customers.cells.durations import ParsedDurations
from retain.customers.cells.invalid_rows import InvalidCellsError
from retain.customers.cells.number_column import ParsedNumbers
from retain.customers.cells.numbers import n_cells, preview
from retain.customers.columns import key_name
from retain.errors import RetainError, type_value

_NEARLY = 0.9  # from this share on, the cells that do not fit count as errors
MIN_NUMBER_SHARE = 0.9
"""Share of distinct cells that are numbers above which the others may mean missing values."""
MAX_MISSING_WORDS = 5
"""Different words up to which a message asks whether they mean missing values."""
MAX_LEVELS = 20
"""Levels up to which a column with some numbers is a category without being asked for."""


_Parsed = ParsedNumbers | ParsedDates | ParsedDurations
_WITH_SIGNS = r"^[^\pL0-9]{0,6}[0-9][0-9., ']*[.,][0-9]+[^\pL0-9]{0,6}$"
_WITH_UNIT = r"^[-+]?[0-9][0-9., ']*(?:\s?\pL{2,12}|\s\pL)[.]?$"
MAX_UNITS = 6
"""Different words behind numbers up to which they are units."""


def parses_fully(
    column: DictionaryColumn,
    parsed: _Parsed,
    index: pd.Index,
    kind: str,
    name: str,
) -> bool:
    """Return whether all cells are of this kind; raise if nearly all are."""
    rows, is_odd = column.counts(), parsed.column.distinct.isna().to_numpy()
    share = 1 - rows[is_odd].sum() / rows.sum()
    if _NEARLY <= share < 1:
        odd = odd_cells(column, parsed, index)
        problem = f"column {name!r}: {n_cells(len(odd))} not a {kind} as the others: {preview(odd)}"
        missing = type_value("data.missing_values", odd.drop_duplicates().head(5).tolist())
        raise InvalidCellsError(
            f"{problem}; expected {kind}s and empty cells. Mend these cells, say that they are "
            f"missing: {missing}, leave their rows out: data.bad_rows=drop, or read the column "
            f"as a category: {type_value('data.categorical_columns', [key_name(name)])}",
            odd.index,
        )
    return bool(share == 1)


def check_quantities(column: DictionaryColumn, name: str) -> None:
    """Raise if many different cells are numbers with several units, or within odd signs."""
    texts = pa.array(column.distinct.array, type=pa.string(), from_pandas=True)
    if len(texts) <= MAX_LEVELS:
        return
    least = _NEARLY * len(texts)
    has_signs = pc.match_substring_regex(texts, _WITH_SIGNS)
    has_unit = pc.match_substring_regex(texts, _WITH_UNIT)
    units = pc.unique(pc.replace_substring_regex(texts.filter(has_unit), r"[^\pL]", ""))
    if pc.sum(has_signs).as_py() < least and not (
        pc.sum(has_unit).as_py() >= least and len(units) <= MAX_UNITS
    ):
        return
    key = type_value("data.categorical_columns", [key_name(name)])
    raise RetainError(
        f"column {name!r}: the cells look like numbers, but not of one unit or with one sign: "
        f"{preview(column.distinct)}; expected numbers. Convert them to one unit, or read the "
        f"{len(texts)} different cells as a category: {key}"
    )


def check_few_levels(column: DictionaryColumn, parsed: _Parsed, index: pd.Index, name: str) -> None:
    """Warn that a column with some numbers is a category; raise if it has too many levels."""
    odd = odd_cells(column, parsed, index)
    key = type_value("data.categorical_columns", [key_name(name)])
    words = odd.drop_duplicates().head(MAX_MISSING_WORDS + 1).tolist()
    missing = type_value("data.missing_values", words) if len(words) <= MAX_MISSING_WORDS else ""
    levels = len(column.distinct)
    if levels > MAX_LEVELS:
        problem = f"column {name!r}: most cells look like numbers or dates, but not {preview(odd)}"
        say = f", say that they are missing: {missing}," if missing else ","
        raise InvalidCellsError(
            f"{problem}; expected one kind of cells. Mend these{say} or read the "
            f"{levels} different cells as a category: {key}",
            odd.index,
        )
    say = f"; if that is a missing value: {missing}" if missing else ""
    log = logging.getLogger(__name__)
    log.warning(
        "column %r is a category, as it holds %s. To say so: %s%s", name, preview(odd), key, say
    )


def odd_cells(column: DictionaryColumn, parsed: _Parsed, index: pd.Index) -> pd.Series:
    """Return the cells without a parsed value."""
    texts = column.with_distinct(column.distinct.where(parsed.column.distinct.isna()))
    return texts.cells().set_axis(index).dropna()


def are_mostly_numbers(column: DictionaryColumn, parsed: ParsedNumbers) -> bool:
    """Return whether a few words, however frequent, stand among distinct numbers."""
    n_numbers = int(parsed.column.distinct.notna().sum())
    return n_numbers > MIN_NUMBER_SHARE * len(column.distinct)
