"""Outcomes of the chosen customers, read from a file in any common format."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.campaign.assignment import Assignment
from retain.campaign.assignment_table import unescape_formulas
from retain.customers.cells.booleans import parse_consent
from retain.customers.cells.number_column import require_numbers
from retain.customers.cells.numbers import n_cells, preview, truncate
from retain.customers.cells.types import mask_na_strings
from retain.customers.columns import canonical_names, find_column
from retain.customers.files.encoding import resolve_path
from retain.customers.files.table_file import FileTable, open_table
from retain.errors import RetainError, did_you_mean, examples
from retain.record.outcomes_log import OutcomesLogInfo
from retain.schema.readout import OutcomesFile
from retain.verdict.headings import RUSSIAN
from retain.wording import describe_count

_INTEGER = "[+-]?[0-9]{1,18}(?:[.,]0*)?"  # some tools export 7 as 7.0

MIN_KNOWN_SHARE = 0.5
"""Of a file's customers, those who are in the campaign if it is the campaign's file."""


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of each chosen customer, in the campaign's order; NaN if missing.

    ``declined`` and ``contacted`` are 1 and 0; None without a column. ``in_file`` marks the
    customers with a row in the file, ``n_unknown_customers`` counts the rows of customers not in
    the campaign. ``log`` says what they were made of if there is a purchase log instead of a file.
    """

    in_file: np.ndarray
    declined: np.ndarray | None
    profit: np.ndarray | None
    contacted: np.ndarray | None
    cost: np.ndarray | None
    n_unknown_customers: int
    log: OutcomesLogInfo | None = None

    @property
    def is_observed(self) -> np.ndarray:
        """Mask of the customers with a decline or a profit, shape (n,)."""
        known = [values for values in (self.declined, self.profit) if values is not None]
        return np.asarray(np.isfinite(known).any(axis=0))


def read_outcomes(config: OutcomesFile, assignment: Assignment) -> Outcomes:
    """Read the outcomes of a campaign from a CSV or Parquet file.

    Raises
    ------
    RetainError
        As in ``read_outcomes_of``, or an arm has no outcome.
    """
    customers = OutcomeCustomers(assignment.table["customer_id"], "campaign", assignment.id)
    outcomes = read_outcomes_of(config, customers)
    check_both_arms(outcomes, assignment)
    return outcomes


@dataclass(frozen=True)
class OutcomeCustomers:
    """The ids of the customers whose outcomes are read, and of what they are: a campaign."""

    ids: pd.Series
    kind: str
    name: str


def read_outcomes_of(config: OutcomesFile, customers: OutcomeCustomers) -> Outcomes:
    """Read the outcomes of customers from a CSV or Parquet file.

    Raises
    ------
    RetainError
        A column is missing or unreadable, ids are missing, repeated or not those of the customers,
        or the file has neither declines nor profit.
    """
    if config.file is None:
        raise RetainError(
            "no outcomes are named; type outcomes=FILE, a CSV or Parquet file, or for a newer "
            "purchase log data=purchases data.path=LOG."
        )
    table = open_table(resolve_path(config.file, "outcomes.file"))
    names = canonical_names(list(table.cells.columns))
    key = find_column(_as_spelt(config.id, names), names, "outcomes.id")
    ids = _parse_ids(table.cells[key], key, customers.ids)
    columns = {
        name: _resolve_column(getattr(config, name), name, names)
        for name in ("declined", "profit", "contacted", "cost")
    }
    _check_has_outcome(table, columns)
    index = pd.Index(ids).get_indexer(pd.Index(customers.ids))
    return Outcomes(
        in_file=index >= 0,
        declined=_align(_parse_declined(table, columns["declined"], config), index),
        profit=_align(_parse_money(table, columns["profit"]), index),
        contacted=_align(_parse_contacted(table, columns["contacted"]), index),
        cost=_align(_parse_cost(table, columns["cost"]), index),
        n_unknown_customers=_count_unknown_customers(ids, customers, config),
    )


def hash_outcomes(outcomes: Outcomes) -> str:
    """Return the SHA-256 of declines and profits in the campaign's order, as hex digits.

    Contacts and costs are no outcomes, and the file's format does not matter.
    """
    digest = hashlib.sha256()
    for values in (outcomes.declined, outcomes.profit):
        cells = np.full(1, np.inf) if values is None else np.where(values == 0, 0.0, values)
        digest.update(np.where(np.isnan(cells), np.nan, cells).astype("<f8").tobytes())
    return digest.hexdigest()


# --- ids -----------------------------------------------------------------------------------------


def _parse_ids(cells: pd.Series, name: str, campaign_ids: pd.Series) -> pd.Series:
    """Return the ids as the campaign writes them."""
    ids = mask_na_strings(cells)
    empty = ids.index[ids.isna()]
    if len(empty) > 0:
        rows = examples(f"row {row + 2}" for row in empty[:5])  # the header is row 1
        message = f"column {name!r}: {n_cells(len(empty))} empty ({rows})"
        raise RetainError(f"{message}; expected a customer id in every row.")
    if not _is_in(ids, campaign_ids).all():
        ids = _normalise_ids(ids, campaign_ids)
    repeated = ids[ids.duplicated()]
    if not repeated.empty:
        are = describe_count(repeated.nunique(), "id is", "ids are")
        message = f"column {name!r}: {are} repeated: {preview(repeated)}"
        raise RetainError(f"{message}; expected one row per customer.")
    return ids


def _is_in(ids: pd.Series, campaign_ids: pd.Series) -> np.ndarray:
    """Return whether ids are in the campaign, by an index: pandas' ``isin`` is far slower here."""
    return np.asarray(pd.Index(campaign_ids).get_indexer(pd.Index(ids)) >= 0)


def _normalise_ids(ids: pd.Series, campaign_ids: pd.Series) -> pd.Series:
    """Remove a spreadsheet's apostrophe and, if all ids are integers, leading and decimal zeros."""
    ids = unescape_formulas(ids)
    if not campaign_ids.str.fullmatch("-?[0-9]{1,18}").all():
        return ids
    is_integer = ids.str.fullmatch(_INTEGER).astype(bool)
    numbers = ids[is_integer].str.replace("[.,]0*$", "", regex=True).astype("int64")
    return ids.where(~is_integer, numbers.astype("str").reindex(ids.index))


def _count_unknown_customers(
    ids: pd.Series, customers: OutcomeCustomers, config: OutcomesFile
) -> int:
    """Count the file's customers not among these; raise unless they may be dropped."""
    is_known = _is_in(ids, customers.ids)
    unknown_ids, of = ids[~is_known], f"the {customers.kind}"
    if not is_known.any():
        expected = examples(map(truncate, customers.ids.head(3)))
        message = f"none of its {len(ids)} customers is in {of}: {preview(unknown_ids)}"
        raise RetainError.at(f"column {config.id!r}", message, f"expected ids such as {expected}")
    if not unknown_ids.empty and config.unknown_customers == "error":
        raise RetainError(
            f"column {config.id!r}: {len(unknown_ids)} of {len(ids)} customers are not in "
            f"{of}: {preview(unknown_ids)}. "
            "To drop the others: outcomes.unknown_customers=drop"
        )
    least = MIN_KNOWN_SHARE if config.min_known_share is None else config.min_known_share
    if (share := float(is_known.mean())) < least:
        raise RetainError(
            f"column {config.id!r}: {int(is_known.sum())} of {len(ids)} customers ({share:.1%}) "
            f"are in {customers.kind} {customers.name}; expected at least "
            f"{least:.0%}, since these may be the outcomes of another one. If "
            f"they are not: outcomes.min_known_share={math.floor(1000 * share) / 1000:g}"
        )
    return len(unknown_ids)


# --- columns -------------------------------------------------------------------------------------


def _resolve_column(text: str | None, name: str, names: dict[str, str]) -> str | None:
    """Return the column typed, or the one of this name; None if there is none."""
    if text is not None:
        return find_column(text, names, f"outcomes.{name}")
    name = _as_spelt(name, names)
    return find_column(name, names, name) if name in (*names, *names.values()) else None


def _as_spelt(name: str, names: dict[str, str]) -> str:
    """Return a column's name, or its Russian heading where the file has that alone."""
    heading = RUSSIAN.get(name, name)
    return heading if heading in names and name not in (*names, *names.values()) else name


def _check_has_outcome(table: FileTable, columns: dict[str, str | None]) -> None:
    """Raise RetainError for a file without any outcome."""
    outcome_columns = [
        column for key in ("declined", "profit") if (column := columns[key]) is not None
    ]
    if not outcome_columns:
        has = examples(map(truncate, table.cells.columns), 12)
        raise RetainError(
            f"{table.path.name} has neither declines nor profit; its columns are {has}. "
            "Type outcomes.declined=COLUMN or outcomes.profit=COLUMN."
        )
    empty = [
        column for column in outcome_columns if mask_na_strings(table.cells[column]).isna().all()
    ]
    if len(empty) == len(outcome_columns):
        listed = " and ".join(map(repr, empty))
        raise RetainError(f"{table.path.name} has no values in column {listed}.")


def _align(values: pd.Series | None, index: np.ndarray) -> np.ndarray | None:
    """Return values of the file's rows in the campaign's order, NaN for missing customers."""
    if values is None:
        return None
    aligned = values.to_numpy(dtype="float64")[np.maximum(index, 0)]
    return np.where(index >= 0, aligned, np.nan)


def _parse_declined(table: FileTable, name: str | None, config: OutcomesFile) -> pd.Series | None:
    if name is None:
        return None
    answers = mask_na_strings(table.cells[name])
    if config.positive is None:
        return _parse_yes_no(answers, name, " Or name the value: outcomes.positive=VALUE.")
    values = answers.dropna().unique().tolist()
    positive = str(config.positive).strip().casefold()
    if len(values) > 2 or positive not in [value.casefold() for value in values]:
        hint = did_you_mean(str(config.positive), values)
        raise RetainError(
            f"outcomes.positive is {config.positive!r}; expected one of two values of column "
            f"{name!r}, which holds {examples(map(truncate, values))}.{hint}"
        )
    return answers.str.casefold().eq(positive).astype("float64").mask(answers.isna())


def _parse_contacted(table: FileTable, name: str | None) -> pd.Series | None:
    return None if name is None else _parse_yes_no(mask_na_strings(table.cells[name]), name)


def _parse_yes_no(answers: pd.Series, name: str, hint: str = "") -> pd.Series:
    """Return 1 for yes, 0 for no, NaN for empty cells."""
    try:
        return parse_consent(answers, f"column {name!r}").astype("float64").mask(answers.isna())
    except RetainError as error:
        raise RetainError(f"{error}{hint}") from None


def _parse_money(table: FileTable, name: str | None) -> pd.Series | None:
    if name is None:
        return None
    cells, location = table.cells[name], f"column {name!r}"
    if cells.dtype == "str":
        return require_numbers(mask_na_strings(cells), table.marks, name).cells()
    if cells.dtype.kind == "M" or np.isinf(cells.to_numpy(dtype="float64")).any():
        raise RetainError.at(location, "it holds dates or infinities", "expected amounts of money")
    return cells.astype("float64")


def _parse_cost(table: FileTable, name: str | None) -> pd.Series | None:
    costs = _parse_money(table, name)
    if costs is not None and (costs < 0).any():
        message = f"{n_cells(int((costs < 0).sum()))} below zero: {examples(costs[costs < 0])}"
        raise RetainError.at(f"column {name!r}", message, "expected costs of 0 and more")
    return costs


def check_both_arms(outcomes: Outcomes, assignment: Assignment) -> None:
    """Raise RetainError if the campaign or the file has only one arm."""
    treated = assignment.is_treated
    if treated.all() or not treated.any():
        arm = "no control group" if treated.all() else "only a control group"
        raise RetainError(
            f"campaign {assignment.id} has {arm}, so there is nothing to compare. "
            "Plan the next one with a control group: campaign.control_share=0.2"
        )
    observed = [column for column in (outcomes.declined, outcomes.profit) if column is not None]
    for name, rows in (("treated", treated), ("control", ~treated)):
        if not any(np.isfinite(column[rows]).any() for column in observed):
            raise RetainError(
                f"the file has no outcome of the {int(rows.sum())} customers in the {name} arm; "
                "expected outcomes of all chosen customers, contacted or not."
            )
