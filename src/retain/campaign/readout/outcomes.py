"""What became of each customer, read from a file of unknown make and held against the campaign."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.campaign.assignment import Assignment, as_written
from retain.customers.files.booleans import parse_consent
from retain.customers.files.columns import canonical_names, find_column
from retain.customers.files.encoding import resolve_path
from retain.customers.files.numbers import decimal_mark, n_cells, preview, require_numbers, truncate
from retain.customers.files.table_file import Table, open_table
from retain.customers.files.types import mask_na_strings
from retain.errors import RetainError, did_you_mean, examples
from retain.schema import OutcomesFile

_INTEGER = "[+-]?[0-9]{1,18}(?:[.,]0*)?"  # some tools export 7 as 7.0


@dataclass(frozen=True)
class Outcomes:
    """What the file says of each chosen customer, in the campaign's order; NaN where it does not.

    ``declined`` and ``contacted`` are 1 and 0; what the file has no column for is None.
    ``in_file`` marks the customers with a row in the file, ``n_unknown_customers`` counts the rows
    of customers that the campaign did not choose.
    """

    in_file: np.ndarray
    declined: np.ndarray | None
    profit: np.ndarray | None
    contacted: np.ndarray | None
    cost: np.ndarray | None
    n_unknown_customers: int


def read_outcomes(wanted: OutcomesFile, assignment: Assignment) -> Outcomes:
    """The outcomes in a CSV or Parquet file.

    Raises
    ------
    RetainError
        A column is missing or cannot be read, ids are missing, repeat or are not the campaign's,
        nothing is said of either arm, or neither who declined nor the profit.
    """
    if wanted.file is None:
        raise RetainError("no outcomes are named; type outcomes=FILE, a CSV or Parquet file.")
    table = open_table(resolve_path(wanted.file, "outcomes.file"))
    names = canonical_names(list(table.cells.columns))
    key = find_column(wanted.id, names, "outcomes.id")
    ids = _parse_ids(table.cells[key], key, assignment.table["customer_id"])
    columns = {
        name: _resolve_column(getattr(wanted, name), name, names)
        for name in ("declined", "profit", "contacted", "cost")
    }
    _check_has_outcome(table, columns)
    place = pd.Index(ids).get_indexer(pd.Index(assignment.table["customer_id"]))
    outcomes = Outcomes(
        in_file=place >= 0,
        declined=_align(_parse_declined(table, columns["declined"], wanted), place),
        profit=_align(_parse_money(table, columns["profit"]), place),
        contacted=_align(_parse_contacted(table, columns["contacted"]), place),
        cost=_align(_parse_cost(table, columns["cost"]), place),
        n_unknown_customers=_count_unknown_customers(ids, assignment, wanted),
    )
    _check_both_arms(outcomes, assignment)
    return outcomes


# --- ids -----------------------------------------------------------------------------------------


def _parse_ids(cells: pd.Series, name: str, known: pd.Series) -> pd.Series:
    """The ids as the campaign writes them."""
    ids = mask_na_strings(cells)
    empty = ids.index[ids.isna()]
    if len(empty) > 0:
        rows = examples(f"row {row + 2}" for row in empty[:5])  # the header is row 1
        found = f"column {name!r}: {n_cells(len(empty))} empty ({rows})"
        raise RetainError(f"{found}; expected a customer id in every row.")
    if not _is_in(ids, known).all():
        ids = _normalise_ids(ids, known)
    twice = ids[ids.duplicated()]
    if not twice.empty:
        found = f"column {name!r}: {twice.nunique()} ids stand more than once: {preview(twice)}"
        raise RetainError(f"{found}; expected one row a customer.")
    return ids


def _is_in(ids: pd.Series, known: pd.Series) -> np.ndarray:
    """Which ids are known; by an index, as pandas' own ``isin`` takes a minute for a million."""
    return np.asarray(pd.Index(known).get_indexer(pd.Index(ids)) >= 0)


def _normalise_ids(ids: pd.Series, known: pd.Series) -> pd.Series:
    """Ids without a spreadsheet's apostrophe, or where all known are numbers without 0s before."""
    ids = as_written(ids)
    if not known.str.fullmatch("-?[0-9]{1,18}").all():
        return ids
    whole = ids.str.fullmatch(_INTEGER).astype(bool)
    numbers = ids[whole].str.replace("[.,]0*$", "", regex=True).astype("int64")
    return ids.where(~whole, numbers.astype("str").reindex(ids.index))


def _count_unknown_customers(ids: pd.Series, assignment: Assignment, wanted: OutcomesFile) -> int:
    """How many customers of the file are not the campaign's; refused unless they may be dropped."""
    known = _is_in(ids, assignment.table["customer_id"])
    strange = ids[~known]
    if not known.any():
        expected = examples(map(truncate, assignment.table["customer_id"].head(3)))
        found = f"none of its {len(ids)} customers is in the campaign: {preview(strange)}"
        raise RetainError.at(f"column {wanted.id!r}", found, f"expected ids such as {expected}")
    if not strange.empty and wanted.unknown_customers == "error":
        found = (
            f"{len(strange)} of {len(ids)} customers are not in the campaign: {preview(strange)}"
        )
        raise RetainError(
            f"column {wanted.id!r}: {found}; expected those contacted or held out. "
            "To leave the others out: outcomes.unknown_customers=drop"
        )
    if (share := float(known.mean())) < wanted.min_known_share:
        raise RetainError(
            f"column {wanted.id!r}: {int(known.sum())} of {len(ids)} customers ({share:.1%}) are "
            f"of campaign {assignment.id}; expected {wanted.min_known_share:.0%} at least, since "
            "these may be the outcomes of another one. If they are not: "
            f"outcomes.min_known_share={math.floor(1000 * share) / 1000:g}"
        )
    return len(strange)


# --- columns -------------------------------------------------------------------------------------


def _resolve_column(typed: str | None, name: str, names: dict[str, str]) -> str | None:
    """The column typed, or the one that is called so; None where there is none."""
    if typed is not None:
        return find_column(typed, names, f"outcomes.{name}")
    return find_column(name, names, name) if name in (*names, *names.values()) else None


def _check_has_outcome(table: Table, columns: dict[str, str | None]) -> None:
    """Refuse a file that tells of no outcome."""
    messages = [column for key in ("declined", "profit") if (column := columns[key]) is not None]
    if not messages:
        has = examples(map(truncate, table.cells.columns), 12)
        raise RetainError(
            f"{table.path.name} tells neither who declined nor the profit; it has {has}. "
            "Type outcomes.declined=COLUMN or outcomes.profit=COLUMN."
        )
    empty = [column for column in messages if mask_na_strings(table.cells[column]).isna().all()]
    if len(empty) == len(messages):
        listed = " and ".join(map(repr, empty))
        raise RetainError(f"{table.path.name}: nothing stands in column {listed}.")


def _align(values: pd.Series | None, place: np.ndarray) -> np.ndarray | None:
    """Values of the file's rows in the campaign's order, NaN for customers it lacks."""
    if values is None:
        return None
    found = values.to_numpy(dtype="float64")[np.maximum(place, 0)]
    return np.where(place >= 0, found, np.nan)


def _parse_declined(table: Table, name: str | None, wanted: OutcomesFile) -> pd.Series | None:
    if name is None:
        return None
    said = mask_na_strings(table.cells[name])
    if wanted.positive is None:
        return _parse_yes_no(said, name, " Or name the value: outcomes.positive=VALUE.")
    known = said.dropna().unique().tolist()
    positive = str(wanted.positive).strip().casefold()
    if len(known) > 2 or positive not in [value.casefold() for value in known]:
        hint = did_you_mean(str(wanted.positive), known)
        raise RetainError(
            f"outcomes.positive is {wanted.positive!r}; expected one of two values of column "
            f"{name!r}, which holds {examples(map(truncate, known))}.{hint}"
        )
    return said.str.casefold().eq(positive).astype("float64").mask(said.isna())


def _parse_contacted(table: Table, name: str | None) -> pd.Series | None:
    return None if name is None else _parse_yes_no(mask_na_strings(table.cells[name]), name)


def _parse_yes_no(said: pd.Series, name: str, hint: str = "") -> pd.Series:
    """1 for yes, 0 for no, NaN where nothing is said."""
    try:
        return parse_consent(said, f"column {name!r}").astype("float64").mask(said.isna())
    except RetainError as error:
        raise RetainError(f"{error}{hint}") from None


def _parse_money(table: Table, name: str | None) -> pd.Series | None:
    if name is None:
        return None
    cells, where = table.cells[name], f"column {name!r}"
    if cells.dtype == "str":
        said = mask_na_strings(cells)
        return require_numbers(said, decimal_mark(said, table.decimal), where)
    if cells.dtype.kind == "M" or np.isinf(cells.to_numpy(dtype="float64")).any():
        raise RetainError.at(where, "it holds dates or infinities", "expected amounts of money")
    return cells.astype("float64")


def _parse_cost(table: Table, name: str | None) -> pd.Series | None:
    costs = _parse_money(table, name)
    if costs is not None and (costs < 0).any():
        found = f"{n_cells(int((costs < 0).sum()))} below zero: {examples(costs[costs < 0])}"
        raise RetainError.at(f"column {name!r}", found, "expected costs of 0 and more")
    return costs


def _check_both_arms(outcomes: Outcomes, assignment: Assignment) -> None:
    """Refuse where the campaign or the file leaves nobody to compare with."""
    treated = assignment.treated
    if treated.all() or not treated.any():
        arm = "held out" if treated.all() else "contacted"
        raise RetainError(
            f"the campaign {assignment.id} {arm} nobody, so there is nothing to compare with. "
            "Plan the next one with a control group: campaign.control_share=0.2"
        )
    seen = [column for column in (outcomes.declined, outcomes.profit) if column is not None]
    for name, rows in (("contacted", treated), ("held out", ~treated)):
        if not any(np.isfinite(column[rows]).any() for column in seen):
            raise RetainError(
                f"the file tells no outcome of the {int(rows.sum())} customers {name}; expected "
                "outcomes of all who were chosen, contacted or not."
            )
