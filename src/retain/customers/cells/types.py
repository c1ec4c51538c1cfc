"""The type of a column without a contract: numbers, dates or a category."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from retain.customers.cells.arrow_cells import DictionaryColumn, to_dictionary
from retain.customers.cells.codes import find_code_reading
from retain.customers.cells.date_digits import check_two_parts, find_digit_dates
from retain.customers.cells.dates import dates_to_days, parse_dates
from retain.customers.cells.invalid_rows import InvalidCellsError, InvalidRows
from retain.customers.cells.number_column import ParsedNumbers, parse_column
from retain.customers.cells.number_format import FileMarks
from retain.customers.cells.numbers import n_cells, normalise_digits, not_a_number_message, preview
from retain.customers.columns import snake_case
from retain.customers.customers import Kind
from retain.errors import RetainError, type_value

_ABSENT = frozenset(
    (
        *("na", "n/a", "n.a.", "n.a", "n. a.", "n/a.", "n/d", "k.a.", "k. a.", "н/д", "н.д."),
        *("#n/a", "#n/d", "<na>", "nan", "null", "(null)", "<null>", "\\n", "none"),
        *("-", "--", "---", "\u2013", "\u2014", "?"),
    )
)
_NUMBERS = "numbers"
_NEARLY = 0.9  # from this share on, the cells that do not fit count as errors
MIN_NUMBER_SHARE = 0.9
"""Share of distinct cells that are numbers above which the others may mean missing values."""
MAX_MISSING_WORDS = 5
"""Different words up to which a message asks whether they mean missing values."""
MAX_LEVELS = 20
"""Levels up to which a column with some numbers is a category without being asked for."""


@dataclass(frozen=True, slots=True)
class InferredColumn:
    """A column of an inferred kind; a date is a number of days since 1970-01-01.

    ``reading`` says how formatted numbers and dates are read, such as ``amounts in €, 1.234,56``.
    """

    kind: Kind
    cells: pd.Series
    is_date: bool = False
    reading: str = ""

    @property
    def is_quantity(self) -> bool:
        """True for dates and formatted numbers, which are never ids."""
        return self.kind == "number" and bool(self.is_date or self.reading)


def infer_type(cells: pd.Series, marks: FileMarks, name: str) -> InferredColumn:
    """Return the column as numbers, dates or a category, whichever its cells are.

    Raise a ``RetainError`` if most cells are numbers or dates but some are not: these may be
    errors, and the user has to decide; also if they may be numbers, dates or codes. Few levels,
    such as 1, 2 and 3+, are a category, with a warning.

    >>> infer_type(pd.Series(["1", "?", "2,5"]), FileMarks(), "pages").cells.tolist()
    [1.0, nan, 2.5]
    >>> infer_type(pd.Series(["1970-01-02"]), FileMarks(), "since").cells.tolist()
    [1.0]
    """
    if cells.dtype != "str":
        return _try_types(cells, name)
    texts = mask_na_strings(cells)
    column = _to_column(texts)
    if name in marks.date_formats:
        return _infer_named_dates(column, texts, marks, name)
    parsed = parse_column(column, marks, name)
    values = parsed.cells().set_axis(texts.index)
    if len(column.distinct) == 0 or _parses_fully(values, texts, name, "number"):
        found = _infer_digit_dates(column, values, parsed, marks, name)
        code = "" if found.is_date else find_code_reading(column, marks, name)
        reading = found.reading.replace(_NUMBERS, code, 1)
        return InferredColumn("category", cells, reading=reading or code) if code else found
    dates = parse_dates(column, marks, name)
    days = dates.days.set_axis(texts.index)
    if _parses_fully(days, texts, name, "date"):
        return InferredColumn("number", days, is_date=True, reading=dates.reading)
    is_number = parsed.n_like >= dates.n_like
    total = int(texts.notna().sum())
    if 2 * max(parsed.n_like, dates.n_like) > total or _are_mostly_numbers(column, parsed):
        _check_few_levels(values if is_number else days, texts, name)
    else:
        check_two_parts(column, name)
    return InferredColumn("category", cells)


def coerce_type(
    cells: pd.Series, marks: FileMarks, name: str, kind: Kind, ids: pd.Index
) -> tuple[InferredColumn, list[InvalidRows]]:
    """Return the column as the kind of the training data, and the customers who do not fit it.

    Raise a ``RetainError`` if no cell is of this kind.

    >>> cells, ids = pd.Series(["3", "many"]), pd.Index(["Ann", "Bob"])
    >>> column, invalid = coerce_type(cells, FileMarks(), "pages", "number", ids)
    >>> column.cells.tolist(), [(one.message, one.ids.tolist()) for one in invalid]
    ([3.0, nan], [("column 'pages': 1 cell is not a number: 'many'; expected numbers with decimal \
mark '.'.", ['Bob'])])
    """
    if kind == "category":
        return InferredColumn("category", as_text(cells)), []
    if cells.dtype != "str":
        return _try_types(cells, name), []
    texts = mask_na_strings(cells)
    column = _to_column(texts)
    if name in marks.date_formats:
        dated = parse_dates(column, marks, name)
        inferred, decimal = InferredColumn("number", dated.days, reading=dated.reading), "."
    else:
        parsed = parse_column(column, marks, name)
        decimal = parsed.format.decimal
        values = parsed.cells()
        if values.isna().sum() > texts.isna().sum():
            dates = parse_dates(column, marks, name).days
            values = max(values, dates, key=lambda one: int(one.notna().sum()))
            inferred = InferredColumn("number", values)
        else:
            inferred = _infer_digit_dates(column, values, parsed, marks, name)
    values = inferred.cells.set_axis(texts.index)
    odd = texts[texts.notna() & values.isna()]
    if odd.empty:
        return replace(inferred, cells=values), []
    message = not_a_number_message(odd, decimal, f"column {name!r}")
    if values.isna().all():
        raise RetainError(message)
    return InferredColumn("number", values), [InvalidRows(message, ids[odd.index])]


def _to_column(texts: pd.Series) -> DictionaryColumn:
    """Return texts dictionary-encoded, with digits of any script as those of ASCII."""
    column = to_dictionary(texts)
    distinct = pa.array(column.distinct.array, type=pa.string(), from_pandas=True)
    plain = normalise_digits(distinct)
    if plain is distinct:
        return column
    return to_dictionary(column.with_distinct(plain.to_pandas().astype("str")).cells())


def _infer_named_dates(
    column: DictionaryColumn, texts: pd.Series, marks: FileMarks, name: str
) -> InferredColumn:
    """Return dates of the format that the user names; raise if some cells are none."""
    dates = parse_dates(column, marks, name)
    days = dates.days.set_axis(texts.index)
    if not _parses_fully(days, texts, name, "date"):
        odd = texts[texts.notna() & days.isna()]
        problem = f"{n_cells(len(odd))} not of data.date_format: {preview(odd)}"
        expected = f"expected dates as {marks.date_formats[name]}"
        raise RetainError.at(f"column {name!r}", problem, expected)
    return InferredColumn("number", days, is_date=True, reading=dates.reading)


def _infer_digit_dates(
    column: DictionaryColumn,
    values: pd.Series,
    parsed: ParsedNumbers,
    marks: FileMarks,
    name: str,
) -> InferredColumn:
    """Return numbers, or the dates that they are."""
    found = None if name in marks.formats else find_digit_dates(column, name)
    if found is None:
        return InferredColumn("number", values, reading=parsed.reading)
    if found.days is None:
        return InferredColumn("number", values, reading=f"{_NUMBERS}; {found.reading}")
    days = column.with_distinct(pd.Series(found.days)).cells().set_axis(values.index)
    return InferredColumn("number", days, is_date=True, reading=found.reading)


def _are_mostly_numbers(column: DictionaryColumn, parsed: ParsedNumbers) -> bool:
    """Return whether a few words, however frequent, stand among distinct numbers."""
    n_numbers = int(parsed.column.distinct.notna().sum())
    return n_numbers > MIN_NUMBER_SHARE * len(column.distinct)


def as_text(cells: pd.Series) -> pd.Series:
    """Return the cells as texts, whole numbers without a decimal point."""
    if cells.dtype == "float64" and bool(_exact(cells.dropna()).all()):
        cells = cells.astype("Int64")
    return cells.astype("str")


def _exact(cells: pd.Series) -> pd.Series:
    """Return a mask of whole numbers that floats represent exactly."""
    return (cells % 1 == 0) & (cells.abs() <= 2**53)


def mask_na_strings(cells: pd.Series) -> pd.Series:
    """Return cells as texts, missing for ``NA``, ``null``, ``-``, ``?`` and the like."""
    text = as_text(cells)
    return text.mask(text.str.lower().isin(_ABSENT))


def uninformative_reason(values: pd.Series, *, is_quantity: bool) -> str:
    """Return the reason to drop a feature (constant, empty or an id), else an empty text.

    Dates and formatted numbers, such as amounts in a currency, are quantities and never ids.

    >>> uninformative_reason(pd.Series([3.0, 3.0]), is_quantity=False)
    'constant'
    """
    observed = values.dropna()
    distinct = observed.nunique()
    if distinct == 0:
        return "empty"
    if distinct == 1 and len(observed) == len(values):
        return "constant"
    whole = values.dtype == "str" or bool((observed % 1 == 0).all())
    if whole and not is_quantity and distinct == len(observed) > len(values) / 2:
        return "different in every row, like an identifier"
    return ""


def _try_types(cells: pd.Series, name: str) -> InferredColumn:
    """Return a column that Parquet has typed."""
    if cells.dtype.kind == "M":
        return InferredColumn("number", dates_to_days(cells), is_date=True)
    values = cells.astype("float64")
    if np.isinf(values).any():
        where = f"column {name!r}"
        raise RetainError.at(where, "it holds infinite values", "expected finite numbers")
    return InferredColumn("number", values)


def _parses_fully(values: pd.Series, texts: pd.Series, name: str, kind: str) -> bool:
    """Return whether all cells are of this kind; raise if nearly all are."""
    odd = texts[texts.notna() & values.isna()]
    share = 1 - len(odd) / texts.notna().sum()
    if _NEARLY <= share < 1:
        problem = f"column {name!r}: {n_cells(len(odd))} not a {kind} as the others: {preview(odd)}"
        missing = type_value("data.missing_values", odd.drop_duplicates().head(5).tolist())
        raise InvalidCellsError(
            f"{problem}; expected {kind}s and empty cells. Mend these cells, say that they are "
            f"missing: {missing}, leave their rows out: data.bad_rows=drop, or read the column "
            f"as a category: data.categorical_columns=[{snake_case(name)}]",
            odd.index,
        )
    return bool(share == 1)


def _check_few_levels(values: pd.Series, texts: pd.Series, name: str) -> None:
    """Warn that a column with some numbers is a category; raise if it has too many levels."""
    odd = texts[texts.notna() & values.isna()]
    key = type_value("data.categorical_columns", [snake_case(name)])
    words = odd.drop_duplicates().head(MAX_MISSING_WORDS + 1).tolist()
    missing = type_value("data.missing_values", words) if len(words) <= MAX_MISSING_WORDS else ""
    levels = texts.nunique()
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
