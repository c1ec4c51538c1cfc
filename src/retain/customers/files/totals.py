"""Totals rows of a table: known by their words, and by being the sum (or mean) of the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retain.customers.cells.number_column import parse_plain
from retain.customers.cells.number_format import FileMarks
from retain.customers.cells.types import infer_type
from retain.errors import RetainError

SUM_WORDS = (
    *("total", "totals", "grand total", "sub-total", "subtotal", "sum", "sums", "overall"),
    *("итого", "всего", "сумма", "разом", "усього", "всичко", "укупно", "ukupno"),
    *("summe", "gesamt", "gesamtsumme", "insgesamt", "zwischensumme", "totaal", "totalt"),
    *("somme", "total général", "totale", "somma", "suma", "soma", "total general", "total geral"),
    *("razem", "ogółem", "celkem", "spolu", "összesen", "yhteensä", "summa", "σύνολο", "toplam"),
    *("合計", "总计", "合计", "總計", "합계", "총계", "المجموع", "סהכ", "योग"),
)
MEAN_WORDS = (
    *("average", "averages", "mean", "avg", "среднее", "в среднем", "durchschnitt", "mittelwert"),
    *("moyenne", "media", "média", "promedio", "średnia", "gemiddelde", "平均", "平均值", "평균"),
)
_LONG_WORDS = ("grand total", "sub-total", "subtotal", "total", "totals", "итого", "всего")
REL_TOLERANCE = 1e-3
"""Totals are often rounded; no customer is by chance that near the sum of all others."""
LOOSE_TOLERANCE = 0.25
"""The same for rows with a word of totals, where bad rows were dropped."""
MAX_CANDIDATES = 50
"""Rows with a word of totals above which it is a value as any other."""
MIN_UNNAMED_ROWS = 10
"""Rows above a last one that is known as their sum without a word."""
N_HEAD = 100
"""Rows whose sum the last row must exceed before all rows are added up."""


def _pattern() -> str:
    words = "|".join(map(re.escape, (*SUM_WORDS, *MEAN_WORDS)))
    long = "|".join(map(re.escape, _LONG_WORDS))
    return rf"^(?:(?:{words})[\s:.=]*|(?:{long})[\s:,(].{{0,60}})$"


_PATTERN = _pattern()
_MEAN = re.compile("|".join(map(re.escape, MEAN_WORDS)), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Totals:
    """Positions of totals rows, and of rows that have a word of totals but not the sums."""

    certain: list[int]
    doubtful: list[int]


def find_totals(
    cells: pd.DataFrame, marks: FileMarks, label: str, *, is_id: bool, lacks_rows: bool = False
) -> Totals:
    """Return the totals rows of a table.

    Parameters
    ----------
    label
        The column that holds the words, or nothing where there are none.
    is_id
        Whether it is the id: then no word of totals may stand in it.
    lacks_rows
        Whether bad rows were dropped, which the totals include.

    Examples
    --------
    >>> names = ["Ann", "Bob", "Total"]
    >>> cells = pd.DataFrame({"id": names, "pages": ["1", "2", "3"]}, dtype="str")
    >>> find_totals(cells, FileMarks(), "id", is_id=True)
    Totals(certain=[2], doubtful=[])
    """
    named = _find_named(cells[label])
    if len(named) > MAX_CANDIDATES or (len(named) > 1 and not is_id):
        named = []
    last = len(cells) - 1
    unnamed = [last] if last not in named and _may_be_sum(cells, marks, label) else []
    others = np.setdiff1d(np.arange(len(cells)), [*named, *unnamed])
    if len(others) == len(cells) or len(others) == 0:
        return Totals([], named if is_id else [])
    columns = list(_number_columns(cells.drop(columns=label), marks, [*named, *unnamed]))
    certain = []
    labels = {row: _text(cells[label], row) for row in (*named, *unnamed)}
    for row in (*named, *unnamed):
        loose = lacks_rows and row in named and len(others) >= MIN_UNNAMED_ROWS
        tolerance = LOOSE_TOLERANCE if loose else REL_TOLERANCE
        n_sums, n_means = _count_matches(columns, row, others, tolerance)
        text = labels[row]
        is_mean = row in named and n_means > 0 and _MEAN.search(text) is not None
        fewest = 2 if row in unnamed and text else 1
        if is_mean or n_sums >= fewest:
            certain.append(row)
    return Totals(sorted(certain), [row for row in named if row not in certain])


def _find_named(labels: pd.Series) -> list[int]:
    """Return the positions of cells that are words of totals."""
    if labels.dtype != "str":
        return []
    texts = pa.array(labels)
    if pc.all(pc.ascii_is_decimal(texts)).as_py():
        return []
    found = pc.match_substring_regex(texts, _PATTERN, ignore_case=True).fill_null(False)
    return [int(n) for n in np.flatnonzero(found.to_numpy(zero_copy_only=False))]


def _text(labels: pd.Series, row: int) -> str:
    """Return a label, empty where it is missing."""
    return "" if labels.isna().iloc[row] else str(labels.iloc[row])


def _may_be_sum(cells: pd.DataFrame, marks: FileMarks, label: str) -> bool:
    """Return whether the last row may be the sum of all others, seen from the first ones."""
    n_head = min(N_HEAD, len(cells) - 1)
    head = pd.concat([cells.head(n_head), cells.tail(1)], ignore_index=True)
    row = len(head) - 1
    if row < 1 or (row < MIN_UNNAMED_ROWS and _text(cells[label], -1)):
        return False
    numbers = _number_columns(head.drop(columns=label), marks, [row])
    above = [abs(one[row]) >= abs(np.nansum(one[:row])) * (1 - REL_TOLERANCE) for one in numbers]
    fewest = 2 if _text(cells[label], -1) else 1
    return int(sum(above)) >= fewest


def _number_columns(
    cells: pd.DataFrame, marks: FileMarks, rows: list[int]
) -> Iterator[NDArray[np.float64]]:
    """Yield the columns that are numbers, if some of these rows has one."""
    for name in cells:
        column = cells[name]
        plain = parse_plain(pa.array(column.array)) if column.dtype == "str" else None
        if plain is not None:
            yield plain
            continue
        some = column.iloc[rows]
        if not some.astype("str").str.contains("[0-9]", na=False).any():
            continue
        try:
            inferred = infer_type(column, marks, str(name))
        except RetainError:  # reported with the other columns
            continue
        if inferred.kind == "number" and not inferred.is_date:
            yield inferred.cells.to_numpy(dtype=np.float64)


def _count_matches(
    columns: list[NDArray[np.float64]], row: int, others: NDArray[np.int64], tolerance: float
) -> tuple[int, int]:
    """Return in how many columns a row is the sum, and the mean, of the others."""
    sums = [
        (float(one[row]), float(np.nansum(one[others])), float(np.nanmean(one[others])))
        for one in columns
        if not np.isnan(one[others]).all()
    ]
    return (
        sum(_is_close(value, total, tolerance) for value, total, _ in sums),
        sum(_is_close(value, mean, tolerance) for value, _, mean in sums),
    )


def _is_close(value: float, expected: float, tolerance: float) -> bool:
    return expected != 0 and bool(abs(value - expected) <= tolerance * abs(expected))
