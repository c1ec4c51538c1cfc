"""Columns of two answers: which one a user means, and which one says yes."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from retain.customers.files.numbers import preview, truncate
from retain.errors import RetainError, did_you_mean, examples
from retain.wording import describe_count

YES = ("1", "1.0", "true", "yes", "y", "t", "on", "да", "истина")
NO = ("0", "0.0", "false", "no", "n", "f", "off", "нет", "ложь")
_TWO = 2


def parse_positive(
    cells: pd.Series,
    positive: str | float | bool | None,  # noqa: FBT001 - a value of the target
    where: str,
) -> pd.Series:
    """Return a mask of the positive answers, of which none is missing.

    ``positive`` may be left out where the two answers say yes and no in a usual way, and may come
    as YAML reads it: ``Yes`` as True, ``1`` as a number.

    >>> parse_positive(pd.Series(["Yes", "No"]), True, "column 'Churn'").tolist()
    [True, False]
    """
    known = [str(value) for value in cells.unique()]
    if len(known) != _TWO:
        count = describe_count(len(known), "value")
        found = f"it has {count}: {preview(cells)}" if known else "it has no values"
        raise RetainError.at(where, found, "expected a target of exactly two values")
    chosen = (
        _infer_positive(known, where)
        if positive is None
        else _resolve_positive(positive, known, where)
    )
    return cells == chosen


def parse_consent(cells: pd.Series, where: str) -> pd.Series:
    """Return a mask of those who agreed; a missing answer is no agreement.

    >>> parse_consent(pd.Series(["да", "нет", None]), "column 'agreed'").tolist()
    [True, False, False]
    """
    said = cells.map(_parse_truth, na_action="ignore")
    odd = cells[cells.notna() & said.isna()]
    if not odd.empty:
        expected = f"expected answers such as {examples(YES[2:4])} and {examples(NO[2:4])}"
        raise RetainError.at(where, f"it holds {preview(odd)}", expected)
    return said.eq(True).astype(bool)


def _infer_positive(known: Sequence[str], where: str) -> str:
    yes = [value for value in known if _parse_truth(value) is True]
    no = [value for value in known if _parse_truth(value) is False]
    if len(yes) != 1 or len(no) != 1:
        found = (
            f"{where} has values {examples(map(truncate, known))}, and neither is known to mean yes"
        )
        raise RetainError(f"{found}; name the declining one with data.positive=VALUE.")
    return yes[0]


def _resolve_positive(positive: str | float | bool, known: Sequence[str], where: str) -> str:  # noqa: FBT001
    """Return the one of ``known`` that ``positive`` stands for, the most literal reading first."""
    wanted = str(positive).strip()
    readings = (
        [value for value in known if value == wanted],
        [value for value in known if value.casefold() == wanted.casefold()],
        [
            value
            for value in known
            if _parse_truth(value) is not None and _parse_truth(value) == _parse_truth(wanted)
        ],
    )
    for found in readings:
        if len(found) == 1:
            return found[0]
    hint = did_you_mean(wanted, known)
    raise RetainError(
        f"data.positive is {positive!r}; expected one of {examples(map(truncate, known))}, "
        f"the values of {where}.{hint}"
    )


def _parse_truth(value: str) -> bool | None:
    word = value.casefold()
    return True if word in YES else False if word in NO else None
