"""The columns of a table that have a role: id, target, profit and consent."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pandas as pd

from retain.customers.cells.booleans import Answer, parse_consent, parse_positive
from retain.customers.cells.number_column import require_numbers
from retain.customers.cells.numbers import preview, truncate
from retain.customers.cells.types import infer_type, mask_na_strings
from retain.customers.customers import Customers
from retain.customers.files.table_file import FileTable
from retain.errors import RetainError, type_value
from retain.record.estimates import DisplayName
from retain.wording import describe_count

MAX_LABEL_VALUES = 5
"""Values of the target that its label names."""
_WHOLE = "0|-?[1-9][0-9]{0,17}"  # an id with leading zeros is a text

log = logging.getLogger(__name__)


def log_reading(name: str, reading: str) -> None:
    """Log how formatted numbers are read."""
    if reading:
        log.info("column %r: %s", name, reading)


def log_customers(customers: Customers) -> None:
    """Log how many customers were read from a source, and how many of them decline."""
    n_features = len(customers.columns)
    log.info("customers: %s; %d features", customers.describe_funnel(), n_features)
    if customers.target is not None and customers.target_label is not None:
        n, total, label = int(customers.target.sum()), len(customers), customers.target_label.en
        log.info(
            "declines: %s of %s (%.3g %%), where %s", f"{n:,}", f"{total:,}", 100 * n / total, label
        )


def parse_target(
    answers: pd.Series, positive: Answer | Sequence[Answer] | None, name: str
) -> pd.Series:
    """Return 1 where the answer means a decline, else 0."""
    chosen = BLANK if positive == "" else positive
    positives = parse_positive(answers.dropna(), chosen, f"column {name!r}", name)
    return positives.reindex(answers.index, fill_value=False).astype("int64")


BLANK = "(empty)"
"""The answer of an empty cell, where it is one."""


def fill_blank_answers(
    answers: pd.Series, positive: Answer | Sequence[Answer] | None, name: str
) -> pd.Series:
    """Return answers of which all are the same, with empty cells as the other one.

    They are it if the user says what means a decline: the one answer, or the empty cells.

    Raises
    ------
    RetainError
        ``positive`` is not given.
    """
    n_blank, found = int(answers.isna().sum()), answers.dropna().astype(str)
    if n_blank == 0 or len(found.str.casefold().unique()) != 1:
        return answers
    if positive is not None:
        return answers.fillna(BLANK)
    value = str(found.iloc[0])
    shown, (yes, no) = truncate(value), (type_value("data.positive", one) for one in (value, ""))
    empty = describe_count(n_blank, "cell is", "cells are")
    raise RetainError(
        f"column {name!r}: {shown!r} in {describe_count(len(found), 'row')}, and {empty} empty. "
        f"If {shown!r} means a decline, and an empty cell means none: {yes}. "
        f"If an empty cell means a decline: {no}"
    )


def target_label(
    name: str | None, answers: pd.Series | None, target: pd.Series | None
) -> DisplayName | None:
    """Return the positive answers as in the file."""
    if answers is None or target is None:
        return None
    found = [truncate(one) for one in answers[target == 1].unique()]
    listed = {str(one).casefold(): str(one) for one in reversed(found)}
    label = f"{name} = {' or '.join(list(listed.values())[::-1][:MAX_LABEL_VALUES])}"
    label += " or …" if len(listed) > MAX_LABEL_VALUES else ""
    return DisplayName(label, label)


def parse_profit(table: FileTable, name: str) -> pd.Series:
    """Return the profit as floats."""
    cells, where = table.cells[name], f"column {name!r}"
    if cells.dtype == "str":
        parsed = require_numbers(mask_na_strings(cells), table.marks, name)
        log_reading(name, parsed.reading)
        return parsed.cells()
    inferred = infer_type(cells, table.marks, name)
    if inferred.is_date:
        raise RetainError.at(where, "it holds dates", "expected numbers, as it is the profit")
    return inferred.cells


def parse_consent_column(table: FileTable, name: str) -> pd.Series:
    """Return a mask of customers who agreed to be contacted."""
    return parse_consent(mask_na_strings(table.cells[name]), f"column {name!r}")


def parse_ids(table: FileTable, name: str | None) -> pd.Index:
    """Return ids: int64 if all are whole numbers, else texts; row numbers without a column."""
    if name is None:
        log.info("%s: no data.id, so the row number is the id", table.path.name)
        return pd.RangeIndex(1, len(table.cells) + 1, name="customer_id")
    cells = _drop_joiners(mask_na_strings(table.cells[name]), name)
    repeated = cells[cells.duplicated()]
    if not repeated.empty:
        are = describe_count(repeated.nunique(), "id is", "ids are")
        problem = f"column {name!r}: {are} repeated: {preview(repeated)}"
        raise RetainError(f"{problem}; expected one row per customer.")
    whole = table.cells[name].dtype == "int64" or bool(cells.str.fullmatch(_WHOLE).all())
    return pd.Index(cells.astype("int64") if whole else cells, name="customer_id")


def _drop_joiners(ids: pd.Series, name: str) -> pd.Series:
    """Return ids without characters that join letters, which cannot be seen, and log them."""
    found = ids.str.contains("[\u200c\u200d]", na=False)
    if not found.any():
        return ids
    log.info("column %r: ids without the invisible characters U+200C and U+200D", name)
    return ids.str.replace("[\u200c\u200d]", "", regex=True)
