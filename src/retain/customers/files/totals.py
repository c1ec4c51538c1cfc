"""Rows of totals and notes, known by their words and by what their numbers are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retain.customers.cells.number_column import parse_plain
from retain.customers.cells.number_format import FileMarks
from retain.customers.cells.types import infer_type
from retain.customers.files.aggregates import (
    IS_STATISTIC,
    IS_SUM,
    REL_TOLERANCE,
    STATISTICS,
    AggregateComparison,
    Aggregates,
    match_aggregates,
)
from retain.customers.files.subtotals import find_subtotals
from retain.errors import RetainError

SUM_WORDS = (
    *("total", "totals", "grand total", "sub-total", "subtotal", "sum", "sums", "overall"),
    *("итого", "итог", "общий итог", "всего", "сумма", "разом", "усього", "всього", "всичко"),
    *("общо", "вкупно", "укупно", "ukupno", "skupaj", "summe", "gesamt", "gesamtsumme"),
    *("gesamtergebnis", "ergebnis", "insgesamt", "zwischensumme", "totaal", "totalt", "i alt"),
    *("somme", "total général", "totale", "somma", "suma", "soma", "total general", "total geral"),
    *("razem", "ogółem", "celkem", "spolu", "összesen", "yhteensä", "summa", "samtals", "kopā"),
    *("iš viso", "kokku", "σύνολο", "toplam", "cəmi", "jami", "барлығы", "tổng", "tổng cộng"),
    *("jumlah", "รวม", "合計", "总计", "合计", "總計", "합계", "총계", "المجموع", "סהכ", "योग"),
)
MEAN_WORDS = (
    *("average", "averages", "mean", "avg", "среднее", "в среднем", "durchschnitt", "mittelwert"),
    *("moyenne", "media", "média", "promedio", "średnia", "gemiddelde", "平均", "平均值", "평균"),
)
STATISTIC_WORDS = (
    *("median", "медиана", "mediana", "médiane", "min", "minimum", "минимум", "мин", "mínimo"),
    *("max", "maximum", "максимум", "макс", "máximo", "count", "количество", "anzahl", "std"),
    *("stdev", "std dev", "standard deviation", "стандартное отклонение", "中位数", "最大", "最小"),
)
_LONG_WORDS = ("grand total", "sub-total", "subtotal", "total", "totals", "итого", "всего", "итог")
_LAST_WORDS = ("total", "subtotal", "итог", "итого", "ergebnis", "gesamt", "résultat")
LOOSE_TOLERANCE = 0.25
"""Largest distance of totals from the sums where bad rows were dropped."""
MAX_CANDIDATES = 50
"""Rows with a word of totals above which only their sums can show that it is one."""
MAX_NOTE_SHARE = 0.01
"""Largest share of labels of several words, if ids have none."""
MIN_ROWS = 10
"""Rows above a row of totals that lacks the dropped ones."""
IS_NOTE = "it is a note and has no other cells"
_MARKS = "[\\s*=#_.:\N{EN DASH}\N{EM DASH}-]*"
_NOTE = r"\S\s+\S|^[^\pL\pN]|^(?:end|eof|конец|ende|fin)$"


def _any(words: Sequence[str]) -> str:
    return "|".join(map(re.escape, words))


def _pattern() -> str:
    all_words = _any((*SUM_WORDS, *MEAN_WORDS, *STATISTIC_WORDS))
    long, last = _any(_LONG_WORDS), _any(_LAST_WORDS)
    return (
        rf"^{_MARKS}(?:(?:{all_words}){_MARKS}|(?:{long})[\s:,(].{{0,60}}"
        rf"|.{{1,60}}[\s:](?:{last}){_MARKS})$"
    )


_PATTERN = _pattern()
_MEAN = re.compile(_any(MEAN_WORDS), re.IGNORECASE)
_STATISTIC = re.compile(rf"\W*({_any(STATISTIC_WORDS)})\W*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Totals:
    """Positions of rows that are no customers with the reason, and of rows that may be or not."""

    certain: dict[int, str] = field(default_factory=dict)
    doubtful: list[int] = field(default_factory=list)


def find_totals(
    cells: pd.DataFrame, marks: FileMarks, label: str, *, is_id: bool, lacks_rows: bool = False
) -> Totals:
    """Return the rows of a table whose label is a word of totals or a note.

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
    Totals(certain={2: 'it sums up the other rows'}, doubtful=[])
    """
    if cells[label].dtype != "str":
        return Totals()
    texts = pa.array(cells[label])
    if pc.all(pc.ascii_is_decimal(texts)).as_py():
        return Totals()
    notes = dict.fromkeys(_find_notes(cells, texts, label), IS_NOTE)
    named = [row for row in _matching(texts, _PATTERN) if row not in notes]
    if not named or (len(named) > 1 and not is_id) or len(named) + len(notes) == len(cells):
        return Totals(notes)
    others = np.setdiff1d(np.arange(len(cells)), [*named, *notes])
    columns = list(_number_columns(cells.drop(columns=label), marks, named))
    labels = {row: str(cells[label].iloc[row]) for row in named}
    loose = lacks_rows and len(others) >= MIN_ROWS
    reasons = _judge_named(columns, labels, others, LOOSE_TOLERANCE if loose else REL_TOLERANCE)
    if len(named) > MAX_CANDIDATES and 2 * len(reasons) < MAX_CANDIDATES:
        return Totals(notes)  # ids of many customers
    doubtful = [row for row in named if row not in reasons and _is_no_name(labels[row])]
    return Totals(dict(sorted({**notes, **reasons}.items())), doubtful if is_id else [])


def _matching(texts: pa.Array, pattern: str) -> list[int]:
    found = pc.match_substring_regex(texts, pattern, ignore_case=True).fill_null(False)
    return [int(n) for n in np.flatnonzero(found.to_numpy(zero_copy_only=False))]


def _find_notes(cells: pd.DataFrame, texts: pa.Array, label: str) -> list[int]:
    """Return rows of a text alone that is no id, as of the kind ``Page 1 of 3``."""
    rows = _matching(texts, _NOTE)
    if not rows or len(rows) > max(1, MAX_NOTE_SHARE * len(cells), MAX_CANDIDATES):
        return []
    is_alone = cells.iloc[rows].drop(columns=label).isna().all(axis=1).to_numpy()
    filled = [row for row, alone in zip(rows, is_alone, strict=True) if not alone]
    may_be_ids = [row for row in filled if row not in _matching(texts, _PATTERN)]
    if may_be_ids or is_alone.sum() * 2 > len(cells):  # ids have several words
        return []
    return [row for row, alone in zip(rows, is_alone, strict=True) if alone]


def _is_no_name(label: str) -> bool:
    """Return whether a word of totals cannot be a name, as Max can."""
    return _STATISTIC.fullmatch(label) is None


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


def _judge_named(
    columns: Sequence[NDArray[np.float64]],
    labels: dict[int, str],
    others: NDArray[np.int64],
    tolerance: float,
) -> dict[int, str]:
    """Return the reasons of rows whose numbers are what their words say."""
    names = [row for row, text in labels.items() if not _is_no_name(text)]
    bodies = [others, np.sort([*others, *names])] if names else [others]
    if rows := find_subtotals([one[others] for one in columns], np.zeros(len(others), dtype=bool)):
        bodies.append(np.delete(others, rows))
    reasons, above = {}, -1
    for row in list(labels)[:MAX_CANDIDATES]:
        group = others[(others > above) & (others < row)]
        for body in (*bodies, group):
            kinds = _kinds(labels[row])
            found = match_aggregates(
                columns, row, body[body != row], AggregateComparison(kinds, tolerance)
            )
            if reason := _reason(found, kinds):
                reasons[row] = reason
                break
        above = row
    if len(labels) > MAX_CANDIDATES <= 2 * len(reasons):
        reasons |= dict.fromkeys(list(labels)[MAX_CANDIDATES:], IS_SUM)
    return reasons


def _kinds(label: str) -> tuple[str, ...]:
    """Return the aggregates that a word may stand for."""
    if _STATISTIC.fullmatch(label):
        return STATISTICS
    return ("sum", "mean") if _MEAN.search(label) else ("sum",)


def _reason(found: Aggregates, kinds: Sequence[str]) -> str:
    """Return the reason for leaving a row out that has a word of totals; empty for none."""
    if found.n_near_sums:
        return IS_SUM
    is_statistic = found.n_matches > 0 if len(kinds) == 2 else found.is_one_statistic
    return IS_STATISTIC if is_statistic else ""
