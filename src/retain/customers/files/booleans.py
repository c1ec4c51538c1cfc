"""Columns of two answers, and the positive one."""

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
    """Return a mask of the positive answers; no cell may be missing.

    ``positive`` may be None if the answers are a usual form of yes and no, and may have the type
    that YAML gives it: ``Yes`` is True, ``1`` is a number.

    >>> parse_positive(pd.Series(["Yes", "No"]), True, "column 'Churn'").tolist()
    [True, False]
    """
    answers = [str(value) for value in cells.unique()]
    if len(answers) != _TWO:
        count = describe_count(len(answers), "value")
        problem = f"it has {count}: {preview(cells)}" if answers else "it has no values"
        raise RetainError.at(where, problem, "expected a target of exactly two values")
    chosen = (
        _infer_positive(answers, where)
        if positive is None
        else _resolve_positive(positive, answers, where)
    )
    return cells == chosen


def parse_consent(cells: pd.Series, where: str) -> pd.Series:
    """Return a mask of customers who agreed; a missing answer is no agreement.

    >>> parse_consent(pd.Series(["да", "нет", None]), "column 'agreed'").tolist()
    [True, False, False]
    """
    agreed = cells.map(_parse_truth, na_action="ignore")
    odd = cells[cells.notna() & agreed.isna()]
    if not odd.empty:
        expected = f"expected answers such as {examples(YES[2:4])} and {examples(NO[2:4])}"
        raise RetainError.at(where, f"it holds {preview(odd)}", expected)
    return agreed.eq(True).astype(bool)


def _infer_positive(answers: Sequence[str], where: str) -> str:
    yes = [value for value in answers if _parse_truth(value) is True]
    no = [value for value in answers if _parse_truth(value) is False]
    if len(yes) != 1 or len(no) != 1:
        listed = examples(map(truncate, answers))
        problem = f"{where} has values {listed}, and neither is known to mean yes"
        raise RetainError(f"{problem}; name the declining one with data.positive=VALUE.")
    return yes[0]


def _resolve_positive(positive: str | float | bool, answers: Sequence[str], where: str) -> str:  # noqa: FBT001
    """Return the answer that ``positive`` stands for, trying the most literal reading first."""
    wanted = str(positive).strip()
    readings = (
        [value for value in answers if value == wanted],
        [value for value in answers if value.casefold() == wanted.casefold()],
        [
            value
            for value in answers
            if _parse_truth(value) is not None and _parse_truth(value) == _parse_truth(wanted)
        ],
    )
    for matches in readings:
        if len(matches) == 1:
            return matches[0]
    hint = did_you_mean(wanted, answers)
    raise RetainError(
        f"data.positive is {positive!r}; expected one of {examples(map(truncate, answers))}, "
        f"the values of {where}.{hint}"
    )


def _parse_truth(value: str) -> bool | None:
    word = value.casefold()
    return True if word in YES else False if word in NO else None
