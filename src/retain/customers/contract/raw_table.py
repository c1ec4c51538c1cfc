"""One raw table under its contract, with typed ids, periods and values."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retain.customers.cells.arrow_cells import DictionaryColumn, Places
from retain.customers.cells.invalid_rows import InvalidRows, raise_invalid
from retain.customers.cells.number_column import parse_column
from retain.customers.cells.numbers import (
    n_cells,
    normalise_spaces,
    not_a_number_message,
    preview,
    truncate,
)
from retain.customers.contract.periods import parse_periods
from retain.customers.contract.violations import category_vocabulary, find_violations
from retain.customers.files.dialect import Sheet, read_cells
from retain.errors import RetainError, did_you_mean, examples
from retain.schema.contract import ColumnSpec, TableSpec
from retain.wording import describe_count

_WHOLE = "[+-]?[0-9]{1,18}(?:[.,]0*)?"  # 18 digits fit int64; some tools export 7 as 7.0
_DIGITS = 18


def read_ids(csv: Sheet, column: str, spec: ColumnSpec, where: str) -> pd.Series:
    """Return the id of each row."""
    if spec.type == "integer" and _are_digits(csv.table.column(column)):
        whole = csv.table.column(column).cast(pa.int64())
        return pd.Series(whole.to_numpy(), name="customer_id")
    cells, at = csv.column(column).cells(), f"{where}, column {spec.raw!r}"
    empty = cells.index[cells.isna()]
    if len(empty) > 0:
        rows = examples(f"row {row + 2}" for row in empty[:5])  # the header is row 1
        raise RetainError(f"{at}: {n_cells(len(empty))} empty ({rows}); expected an id.")
    if spec.type != "integer":
        return cells.rename("customer_id")
    wrong = cells[~cells.str.fullmatch(_WHOLE).astype(bool)]
    if not wrong.empty:
        problem = f"{n_cells(len(wrong))} not a whole number: {preview(wrong)}"
        raise RetainError.at(at, problem, "expected ids that are whole numbers")
    whole = cells.str.replace("[.,]0*$", "", regex=True)
    return whole.str.removeprefix("+").astype("int64").rename("customer_id")


def factorize_ids(ids: pd.Series) -> tuple[NDArray[np.intp], pd.Index]:
    """Return the index of each row's customer, and the customers in order of appearance."""
    if ids.dtype == "str" or not ids.is_monotonic_increasing:
        rows, customers = pd.factorize(ids)
        return rows, pd.Index(customers, name="customer_id")
    values = ids.to_numpy()
    fresh = np.append(True, values[1:] != values[:-1])
    return np.cumsum(fresh) - 1, pd.Index(values[fresh], name="customer_id")


def _are_digits(texts: pa.ChunkedArray) -> bool:
    """Return whether the texts consist of digits only, few enough for int64."""
    if not pa.types.is_string(texts.type):
        return False
    longest = pc.max(pc.binary_length(texts)).as_py()
    return bool(longest <= _DIGITS and pc.all(pc.ascii_is_decimal(texts)).as_py())


_PERIOD = ""  # stands for the period column; no column of a contract has this name


@dataclass(frozen=True, slots=True)
class RawTable:
    """One valid table: columns by contract name, categories canonical.

    Attributes
    ----------
    ids
        The distinct customers.
    rows
        Index of each row's customer in ``ids``.
    periods
        Index of each row's period in the order of the contract; None in a table with one row per
        customer.
    invalid
        Customers with invalid values.
    """

    name: str
    spec: TableSpec
    key: str
    ids: pd.Index
    rows: NDArray[np.intp]
    periods: Places | None
    columns: Mapping[str, DictionaryColumn]
    invalid: tuple[InvalidRows, ...] = ()

    @property
    def description(self) -> str:
        """The name of the table in messages."""
        return f"{self.name} ({self.spec.file})"

    def reindex(self, customers: pd.Index) -> RawTable:
        """Return the same rows with these customers as ids; some may have no row."""
        if self.ids.equals(customers):
            return self
        return replace(self, ids=customers, rows=customers.get_indexer(self.ids)[self.rows])

    def values(self, name: str, period: str | None = None) -> pd.Series:
        """Return a column by customer, of one period in a long table; missing without a row."""
        column, rows, codes = self.columns[name], self.rows, self.columns[name].codes
        if period is not None and self.spec.period is not None:
            chosen = self.periods == self.spec.period.order.index(period)
            rows, codes = rows[chosen], codes[chosen]
        by_customer = np.full(len(self.ids), -1, dtype=np.int32)
        by_customer[rows] = codes
        return replace(column, codes=by_customer).cells().set_axis(self.ids)


def read_table(
    folder: Path, name: str, spec: TableSpec, key: str, *, drop_invalid: bool = False
) -> RawTable:
    """Read the table of ``spec.file``; ``key`` is the contract's name of the id column.

    ``drop_invalid`` collects customers with invalid values instead of rejecting the file.

    Raises
    ------
    RetainError
        The file breaks its contract: a column or period is missing, a value is not in its
        vocabulary, not a number, out of range or missing, or a customer is repeated.
    """
    raws = [normalise_spaces(raw) for raw in (spec.columns[key].raw, *spec.columns[key].aliases)]
    csv = read_cells(folder / spec.file, distinct=raws)
    where = f"{name} ({spec.file})"
    headers = _columns(csv, spec, where)
    ids = read_ids(csv, headers[key], spec.columns[key], where)
    periods = None
    if spec.period is not None:
        key_path = f"tables.{name}.period"
        periods = parse_periods(csv.column(headers[_PERIOD]), spec.period, where, key_path)
    rows, customers = factorize_ids(ids)
    table = RawTable(name, spec, key, customers, rows, periods, {})
    _check_unique_rows(table)
    cells = {column: csv.column(headers[column]) for column in spec.columns if column != key}
    columns, wrong = _parse_columns(cells, csv, spec, ids, where)
    if not drop_invalid:
        raise_invalid(wrong)
    columns[key] = DictionaryColumn(_ids_as_column(table.ids), rows.astype(np.int32))
    wrong += find_violations(
        columns, lambda column: csv.column(headers[column]).cells(), ids, spec, where
    )
    if not drop_invalid:
        raise_invalid(wrong)
    values = {column: _canonical(columns[column], spec.columns[column]) for column in spec.columns}
    return replace(table, columns=values, invalid=tuple(wrong))


# --- columns -------------------------------------------------------------------------------------


def _columns(csv: Sheet, spec: TableSpec, where: str) -> dict[str, str]:
    """Return the column of the file for each column of the contract."""
    header = csv.columns
    wanted = {name: (column.raw, *column.aliases) for name, column in spec.columns.items()}
    if spec.period is not None:
        wanted[_PERIOD] = (spec.period.raw,)
    by_name = {name: _find_header(raws, header) for name, raws in wanted.items()}
    missing = [wanted[name][0] for name, column in by_name.items() if column is None]
    if missing:
        raise RetainError("\n".join(_missing_column_message(raw, header, where) for raw in missing))
    left = [str(truncate(column)) for column in header if column not in by_name.values()]
    if left:
        log = logging.getLogger(__name__)
        log.info("%s: columns not in the contract are left out: %s", where, ", ".join(left))
    return {name: column for name, column in by_name.items() if column is not None}


def _find_header(raws: Sequence[str], header: Sequence[str]) -> str | None:
    return next((raw for raw in map(normalise_spaces, raws) if raw in header), None)


def _missing_column_message(raw: str, header: Sequence[str], where: str) -> str:
    listed = examples((truncate(column) for column in header), limit=20)
    problem = f"{where}: column {raw!r} is missing; the file has {listed}"
    return f"{problem}.{did_you_mean(raw, header)}"


def _check_unique_rows(table: RawTable) -> None:
    spec, slots = table.spec.period, table.rows
    if table.periods is not None and spec is not None:
        slots = table.rows * len(spec.order) + table.periods
    counts = np.bincount(slots)
    if counts.max() <= 1:
        return
    repeats = pd.Series(slots[counts[slots] > 1])
    twice = repeats[repeats.duplicated()].unique()
    if spec is None:
        ids = table.ids[twice]
        are = describe_count(len(ids), "id is", "ids are")
        problem = f"{are} repeated: {examples(ids.tolist()[:5])}"
        raise RetainError.at(table.description, problem, "expected one row per customer")
    pairs = [(table.ids[n // len(spec.order)], spec.order[n % len(spec.order)]) for n in twice[:5]]
    listed = examples(f"{one} {period}" for one, period in pairs)
    are = describe_count(len(twice), "pair of id and period is", "pairs of id and period are")
    problem = f"{are} repeated: {listed}"
    raise RetainError.at(table.description, problem, "expected one row per customer and period")


# --- values --------------------------------------------------------------------------------------


def _parse_columns(
    cells: Mapping[str, DictionaryColumn], csv: Sheet, spec: TableSpec, ids: pd.Series, where: str
) -> tuple[dict[str, DictionaryColumn], list[InvalidRows]]:
    """Return numbers as floats and categories as in the file; and cells that are not numbers."""
    typed: dict[str, DictionaryColumn] = {}
    wrong: list[InvalidRows] = []
    for name, column in cells.items():
        typed[name] = column
        if spec.columns[name].type == "category":
            continue
        raw = spec.columns[name].raw
        parsed = parse_column(column, csv.marks, raw, f"{where}, column {raw!r}")
        typed[name] = parsed.column
        is_invalid = typed[name].distinct.isna()
        if is_invalid.any():
            invalid = column.with_distinct(column.distinct.where(is_invalid)).cells().dropna()
            message = not_a_number_message(
                invalid, parsed.format.decimal, f"{where}, column {raw!r}"
            )
            wrong.append(InvalidRows(message, pd.Index(ids.loc[invalid.index])))
    return typed, wrong


def _ids_as_column(ids: pd.Index) -> pd.Series:
    """Return ids as column values: texts, or numbers as floats."""
    values = pd.Series(ids)
    return values if values.dtype == "str" else values.astype("float64")


def _canonical(column: DictionaryColumn, spec: ColumnSpec) -> DictionaryColumn:
    """Return categories under their canonical names; numbers unchanged."""
    names = category_vocabulary(spec)
    return column.with_distinct(column.distinct.map(names).astype("str")) if names else column
