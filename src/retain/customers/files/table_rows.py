"""Rows of a table that are no customers: empty, the header again, totals, without an id."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retain.customers.cells.invalid_rows import InvalidCellsError
from retain.customers.cells.numbers import truncate
from retain.customers.cells.types import InferredColumn, infer_type, mask_na_strings
from retain.customers.columns import Roles
from retain.customers.files.aggregates import find_aggregates
from retain.customers.files.bad_rows import RowPolicy
from retain.customers.files.table_file import FileTable
from retain.customers.files.totals import Totals, find_totals
from retain.errors import RetainError
from retain.wording import describe_count

MAX_MISSING_IDS = 0.5
"""Largest share of rows without an id: more, and it is the wrong column."""


def drop_other_rows(table: FileTable, id_column: str | None, totals_rows: str) -> FileTable:
    """Return the table without rows that are no customers, each with its reason.

    Raises
    ------
    RetainError
        A row may be of totals or not, or most rows have no id.
    """
    if totals_rows not in ("auto", "drop", "keep"):
        expected = "expected auto, drop or keep"
        raise RetainError.at("data.totals_rows", f"it is {totals_rows!r}", expected)
    table = _drop_empty(table)
    table = _drop_headers(table)
    if totals_rows != "keep" and table.cells.shape[1] > 1:
        table = _drop_totals(table, id_column, drop_doubtful=totals_rows == "drop")
    return table if id_column is None else _drop_without_id(table, id_column)


def drop_bad_cells(table: FileTable, roles: Roles, policy: RowPolicy) -> FileTable:
    """Return the table without rows of cells that are not as the others of their column."""
    if not policy.drop:
        return table
    errors: list[InvalidCellsError] = []
    for name in roles.features:
        if name not in roles.categorical_columns:
            try:
                infer_type(table.cells[name], table.marks, name)
            except InvalidCellsError as error:
                errors.append(error)
    return _drop_invalid_cells(table, errors, policy) if errors else table


def _drop_invalid_cells(
    table: FileTable, errors: list[InvalidCellsError], policy: RowPolicy
) -> FileTable:
    """Return the table without the rows of invalid cells; raise if they are more than allowed.

    A row of names within the table is the header of another one, and ends this one.
    """
    reasons: dict[int, str] = {}
    for error in errors:
        for row in error.rows:
            reasons.setdefault(int(row), str(error).split(";")[0])
    for row in sorted(reasons):
        if row > 0 and _is_header_like(table, row, sum(row in error.rows for error in errors)):
            below = range(row, len(table.cells))
            reasons.update(dict.fromkeys(below, f"another table begins on line {table.line(row)}"))
            break
    reasons = dict(sorted(reasons.items()))
    found = table.without(_mask(table, list(reasons)), "bad rows", reasons)
    n_bad = [step for step in table.steps if step.name == "bad rows"]
    n_rows = n_bad[0].n_before if n_bad else len(table.cells)
    bad = [row for row in found.dropped if row not in table.dropped]
    policy.check((*bad, *table.dropped[: sum(s.n_before - s.n_after for s in n_bad)]), n_rows)
    return found


def _drop_empty(table: FileTable) -> FileTable:
    empty = np.ones(len(table.cells), dtype=bool)
    for name in table.cells:
        empty &= table.cells[name].isna().to_numpy()
        if not empty.any():
            return table
    if empty.all():
        raise RetainError(f"file {str(table.path)!r} holds empty rows only; expected customers.")
    return table.without(empty, "empty rows", {})


def _drop_headers(table: FileTable) -> FileTable:
    """Drop rows that repeat the header, as where several exports were put together."""
    names = [str(name) for name in table.cells]
    first = table.cells.iloc[:, 0]
    if first.dtype != "str":
        return table
    is_same = first.str.casefold().eq(names[0].casefold())
    candidates = np.flatnonzero(is_same.fillna(value=False).to_numpy(dtype=bool))
    folded = [name.casefold() for name in names]
    rows = [
        int(n)
        for n in candidates
        if [str(cell).casefold() for cell in table.cells.iloc[n]] == folded
    ]
    return table.without(
        _mask(table, rows), "repeated headers", dict.fromkeys(rows, "the header again")
    )


def _drop_totals(table: FileTable, id_column: str | None, *, drop_doubtful: bool) -> FileTable:
    label = str(table.cells.columns[0]) if id_column is None else id_column
    found = find_totals(
        table.cells,
        table.marks,
        label,
        is_id=id_column is not None,
        lacks_rows=bool(table.dropped),
    )
    return _without_totals(table, label, found, drop_doubtful=drop_doubtful)


def drop_aggregates(
    table: FileTable, roles: Roles, features: Mapping[str, InferredColumn], totals_rows: str
) -> FileTable:
    """Return the table without rows whose numbers are sums or statistics of the other rows.

    ``features`` are its columns by canonical name.

    Raises
    ------
    RetainError
        A row may be of totals or a customer.
    """
    if totals_rows == "keep":
        return table
    columns = [one.cells.to_numpy(np.float64) for one in features.values() if _is_number(one)]
    others = [one.cells for one in features.values() if not _is_number(one)]
    is_blank = np.full(len(table.cells), not others)
    for cells in others:
        is_blank |= cells.isna().to_numpy()
    certain, doubtful = find_aggregates(columns, is_blank)
    label = str(table.cells.columns[0]) if roles.id is None else roles.id
    found = Totals(certain, doubtful)
    return _without_totals(table, label, found, drop_doubtful=totals_rows == "drop")


def _is_number(column: InferredColumn) -> bool:
    return column.kind == "number" and not column.is_date


def _without_totals(
    table: FileTable, label: str, found: Totals, *, drop_doubtful: bool
) -> FileTable:
    """Return the table without rows of totals; raise for those that may be customers."""
    if found.doubtful and not drop_doubtful:
        row = found.doubtful[0]
        text = truncate(table.cells[label].iloc[row])
        raise RetainError(
            f"file {str(table.path)!r}, line {table.line(row)}: {text!r} in column {label!r} looks "
            "like a row of totals, but its numbers do not show it for certain. To leave such "
            "rows out: data.totals_rows=drop. If it is a customer: data.totals_rows=keep"
        )
    reasons = {**dict.fromkeys(found.doubtful, "it may sum up the other rows"), **found.certain}
    reasons = dict(sorted(reasons.items()))
    hint = ". To keep such rows: data.totals_rows=keep"
    return table.without(_mask(table, list(reasons)), "totals rows", reasons, hint)


def _drop_without_id(table: FileTable, name: str) -> FileTable:
    missing = mask_na_strings(table.cells[name]).isna().to_numpy()
    if missing.mean() > MAX_MISSING_IDS:
        count = describe_count(int(missing.sum()), "row has", "rows have")
        raise RetainError(
            f"column {name!r}: {count} no id of {len(missing):,}; expected ids, or data.id=null."
        )
    reasons = dict.fromkeys(np.flatnonzero(missing).tolist(), f"no id in column {name!r}")
    return table.without(missing, "no id", reasons)


def _is_header_like(table: FileTable, row: int, n_invalid: int) -> bool:
    """Return whether a row of invalid cells holds distinct names only."""
    cells = [str(cell) for cell in table.cells.iloc[row] if not pd.isna(cell)]
    names = [cell for cell in cells if not any(sign.isdigit() for sign in cell)]
    return n_invalid > 0 and len(cells) > 1 and len(set(names)) == len(cells)


def _mask(table: FileTable, rows: list[int]) -> NDArray[np.bool_]:
    mask = np.zeros(len(table.cells), dtype=bool)
    mask[rows] = True
    return mask
