"""One raw table under its contract: its columns found, its ids, periods and values typed.

May import: errors, schema and customers.dialect, numerals, periods, unreadable, violations.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from retain.customers.dialect import Sheet, read_cells
from retain.customers.numerals import (
    by_distinct,
    cells_are,
    cut,
    decimal_mark,
    no_numbers,
    numbers,
    plain,
    shown,
)
from retain.customers.periods import named_periods
from retain.customers.unreadable import Unreadable, refuse
from retain.customers.violations import violations, vocabulary
from retain.errors import RetainError, did_you_mean, examples
from retain.schema import ColumnSpec, TableSpec

_WHOLE = "[+-]?[0-9]{1,18}(?:[.,]0*)?"  # 18 digits fit int64; some tools export 7 as 7.0
_PERIOD = ""  # stands for the period column; no column of a contract has this name


@dataclass(frozen=True, slots=True)
class RawTable:
    """One valid table: a row a row of the file, columns by contract name, categories canonical.

    ``ids`` and ``period`` stand beside ``frame``, row by row; ``period`` is None where the table
    has one row a customer. ``unreadable`` are customers whose values mean nothing here.
    """

    name: str
    spec: TableSpec
    key: str
    frame: pd.DataFrame
    ids: pd.Series
    period: pd.Series | None
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def told(self) -> str:
        """The table as messages name it."""
        return f"{self.name} ({self.spec.file})"


def read_table(
    folder: Path, name: str, spec: TableSpec, key: str, *, lenient: bool = False
) -> RawTable:
    """The table of ``spec.file``; ``key`` is the contract name of the column that holds the ids.

    ``lenient`` notes whose values break the contract instead of refusing the file.

    Raises
    ------
    RetainError
        The file breaks its contract: a column or period is missing, a value is not in its
        vocabulary, no number, out of range or missing, or a customer stands twice.
    """
    sheet = read_cells(folder / spec.file)
    where = f"{name} ({spec.file})"
    found = _columns(sheet, spec, where)
    cells = pd.DataFrame({column: sheet.cells[found[column]] for column in spec.columns})
    ids = _ids(cells[key], spec.columns[key], where)
    period = None
    if spec.period is not None:
        at = f"tables.{name}.period"
        period = named_periods(sheet.cells[found[_PERIOD]], spec.period, where, at)
    _refuse_twice(ids, period, where)
    columns, wrong = _typed(cells.drop(columns=key), sheet, spec, ids, where)
    if not lenient:
        refuse(wrong)
    typed = pd.DataFrame(columns)
    typed[key] = ids if ids.dtype == "str" else ids.astype("float64")
    wrong += violations(typed, cells, ids, spec, where)
    if not lenient:
        refuse(wrong)
    values = {column: _canonical(typed[column], spec.columns[column]) for column in spec.columns}
    return RawTable(name, spec, key, pd.DataFrame(values), ids, period, tuple(wrong))


# --- columns -------------------------------------------------------------------------------------


def _columns(sheet: Sheet, spec: TableSpec, where: str) -> dict[str, str]:
    """The column of the file for each column of the contract."""
    there = list(sheet.cells.columns)
    wanted = {name: (column.raw, *column.aliases) for name, column in spec.columns.items()}
    if spec.period is not None:
        wanted[_PERIOD] = (spec.period.raw,)
    found = {name: _first_of(raws, there) for name, raws in wanted.items()}
    missing = [wanted[name][0] for name, column in found.items() if column is None]
    if missing:
        raise RetainError("\n".join(_no_column(raw, there, where) for raw in missing))
    left = [str(cut(column)) for column in there if column not in found.values()]
    if left:
        log = logging.getLogger(__name__)
        log.info("%s: columns not in the contract are left out: %s", where, ", ".join(left))
    return {name: column for name, column in found.items() if column is not None}


def _first_of(raws: Sequence[str], there: Sequence[str]) -> str | None:
    return next((raw for raw in map(plain, raws) if raw in there), None)


def _no_column(raw: str, there: Sequence[str], where: str) -> str:
    listed = examples((cut(column) for column in there), limit=20)
    found = f"{where}: column {raw!r} is missing; the file has {listed}"
    return f"{found}.{did_you_mean(raw, there)}"


# --- ids and periods -----------------------------------------------------------------------------


def _ids(cells: pd.Series, spec: ColumnSpec, where: str) -> pd.Series:
    at = f"{where}, column {spec.raw!r}"
    empty = cells.index[cells.isna()]
    if len(empty) > 0:
        rows = examples(f"row {row + 2}" for row in empty[:5])  # the header is row 1
        raise RetainError(f"{at}: {cells_are(len(empty))} empty ({rows}); expected an id.")
    if spec.type != "integer":
        return cells.rename("customer_id")
    wrong = cells[~cells.str.fullmatch(_WHOLE).astype(bool)]
    if not wrong.empty:
        found = f"{cells_are(len(wrong))} not a whole number: {shown(wrong)}"
        raise RetainError.at(at, found, "expected ids that are whole numbers")
    whole = cells.str.replace("[.,]0*$", "", regex=True)
    return whole.str.removeprefix("+").astype("int64").rename("customer_id")


def _refuse_twice(ids: pd.Series, period: pd.Series | None, where: str) -> None:
    rows = pd.DataFrame({"id": ids} if period is None else {"id": ids, "period": period})
    twice = rows[rows.duplicated()].drop_duplicates()
    if twice.empty:
        return
    if period is None:
        found = f"{len(twice)} ids stand more than once: {examples(twice['id'].tolist()[:5])}"
        raise RetainError.at(where, found, "expected one row a customer")
    pairs = [f"{key} {named}" for key, named in twice.head(5).to_numpy().tolist()]
    found = f"{len(twice)} pairs of id and period stand more than once: {examples(pairs)}"
    raise RetainError.at(where, found, "expected one row a customer and period")


# --- values --------------------------------------------------------------------------------------


def _typed(
    cells: pd.DataFrame, sheet: Sheet, spec: TableSpec, ids: pd.Series, where: str
) -> tuple[dict[str, pd.Series], list[Unreadable]]:
    """Numbers as floats, categories as the file writes them; and cells that are no numbers."""
    typed: dict[str, pd.Series] = {}
    wrong: list[Unreadable] = []
    for name in cells.columns.astype(str):
        column = spec.columns[name]
        typed[name] = cells[name]
        if column.type == "category":
            continue
        mark = decimal_mark(cells[name], sheet.dialect.decimal)
        typed[name] = numbers(cells[name], mark)
        odd = cells.loc[cells[name].notna() & typed[name].isna(), name]
        if not odd.empty:
            told = no_numbers(odd, mark, f"{where}, column {column.raw!r}")
            wrong.append(Unreadable(told, pd.Index(ids.loc[odd.index])))
    return typed, wrong


def _canonical(values: pd.Series, spec: ColumnSpec) -> pd.Series:
    """Categories under their canonical names, numbers as they are."""
    names = vocabulary(spec)
    return by_distinct(values, lambda raw: raw.map(names).astype("str")) if names else values
