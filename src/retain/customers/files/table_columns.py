"""Columns of a table: those to leave out, cells that mean nothing, and what each was read as."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from retain.customers.cells.booleans import Answer
from retain.customers.cells.numbers import truncate
from retain.customers.cells.types import InferredColumn
from retain.customers.columns import Roles, canonical_names, find_column
from retain.customers.files.table_file import FileTable
from retain.errors import RetainError
from retain.record.document import ColumnInfo
from retain.wording import describe_count

NUMBER_TYPES = {"amounts": "amount", "percentages": "share"}
"""Types of numbers by the first word of their reading."""
N_EXAMPLES = 2
"""Cells of a column that are shown."""
N_SHOWN, N_SEARCHED = 10, 1_000
"""Rows that are searched for them at first, and if they do not have them."""


def drop_named(table: FileTable, names: Sequence[str], *, skip_unknown: bool) -> FileTable:
    """Return the table without these columns; ``skip_unknown`` lets it lack some."""
    canonical = canonical_names(list(table.cells.columns))
    listed = [names] if isinstance(names, str) else names
    dropped = []
    for name in listed:
        if skip_unknown and name not in (*canonical, *canonical.values()):
            continue
        dropped.append(find_column(name, canonical, "data.drop_columns"))
    if len(set(dropped)) == len(canonical):
        raise RetainError("data.drop_columns names every column; expected some to be left.")
    return replace(table, cells=table.cells.drop(columns=dropped)) if dropped else table


def mask_missing_values(table: FileTable, values: Sequence[Answer]) -> FileTable:
    """Return the table with these cells missing, whatever their case, and log how many."""
    listed = list(values) if isinstance(values, list | tuple) else [str(values)]
    if not listed:
        return table
    cells, counts = table.cells.copy(), {}
    for name in cells:
        mask = _is_listed(cells[name], listed)
        if mask.any():
            cells[name] = cells[name].mask(mask)
            counts[name] = int(mask.sum())
    log = logging.getLogger(__name__)
    summary = "; ".join(f"{name!r} {count:,}" for name, count in counts.items()) or "no cell"
    log.info("%s: missing by data.missing_values: %s", table.path.name, summary)
    return replace(table, cells=cells)


def _is_listed(cells: pd.Series, values: Sequence[Answer]) -> pd.Series:
    if cells.dtype == "str":
        texts = {form for value in values for form in _forms(value)}
        return cells.str.casefold().isin(texts)
    if cells.dtype.kind in "if":
        return cells.isin([value for value in values if isinstance(value, int | float)])
    return pd.Series(data=False, index=cells.index)


def _forms(value: Answer) -> tuple[str, ...]:
    text = str(value).strip().casefold()
    whole = isinstance(value, int) and not isinstance(value, bool)
    return (text, f"{text}.0", f"{text},0", f"{text}.00", f"{text},00") if whole else (text,)


def describe_columns(
    names: Sequence[str],
    table: FileTable,
    roles: Roles,
    features: Mapping[str, InferredColumn],
    useless: Mapping[str, str],
) -> Iterator[ColumnInfo]:
    """Yield what each column of the file was read as; ``names`` are all of them.

    ``useless`` are the reasons for which features were left out, by canonical name.
    """
    for name in names:
        if name not in roles.names:
            yield _column_info(name, "left out", "data.drop_columns", 0.0)
            continue
        cells = table.cells[name]
        kind, detail = _describe_kind(name, roles, useless, features)
        shown = _first_values(cells)
        texts = tuple(str(truncate(str(cell))) for cell in shown)
        info = _column_info(name, kind, detail, float(cells.isna().mean()), texts)
        n_levels = int(features[roles.names[name]].cells.nunique()) if kind == "category" else None
        yield info.model_copy(update={"n_levels": n_levels})


def _first_values(cells: pd.Series) -> list[object]:
    """Return the first distinct cells, searched for among the first rows with one."""
    found = [one for one in dict.fromkeys(cells.array[:N_SHOWN]) if not pd.isna(one)]
    if len(found) < N_EXAMPLES:
        head = cells.head(N_SEARCHED).dropna()
        head = cells.dropna().head(N_SEARCHED) if head.empty else head
        found = list(head.drop_duplicates())
    return found[:N_EXAMPLES]


def _column_info(
    name: str, kind: str, detail: str, missing: float, examples: tuple[str, ...] = ()
) -> ColumnInfo:
    return ColumnInfo(name=name, type=kind, detail=detail, missing=missing, examples=examples)


def _describe_kind(
    name: str, roles: Roles, useless: Mapping[str, str], features: Mapping[str, InferredColumn]
) -> tuple[str, str]:
    """Return the type of a column, and the detail about it."""
    key, role = roles.names[name], roles.role(name)
    inferred = features.get(key)
    if inferred is None:
        return str(role), ""
    if key in useless:
        return "left out", useless[key]
    if inferred.kind == "category":
        levels = describe_count(int(inferred.cells.nunique()), "level")
        return "category", "; ".join(filter(None, (levels, inferred.reading)))
    if inferred.is_date:
        return "date", inferred.reading
    return NUMBER_TYPES.get(
        inferred.reading.split(" ", 1)[0].rstrip(","), "number"
    ), inferred.reading
