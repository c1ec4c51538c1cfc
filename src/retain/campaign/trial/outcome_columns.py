"""The outcomes of a trial: how the cells of their columns are read."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retain.campaign.trial.names import as_tuple, find_named
from retain.campaign.trial.trial import Outcome, OutcomeKind
from retain.customers.cells.booleans import parse_consent
from retain.customers.cells.numbers import preview, truncate
from retain.errors import RetainError, examples, type_value
from retain.schema.readout import TrialKeys

TWO = 2
MAX_VALUE = 1e15
"""Largest outcome or covariate: squares of larger numbers leave what a computer counts with."""


def parse_outcome(cells: pd.Series, label: str, keys: TrialKeys) -> Outcome:
    """Return an outcome of which more is better: one of which less is better is turned round.

    Raises
    ------
    RetainError
        The cells are neither numbers nor answers, or not of the kind that was typed.
    """
    labels = {label: label}
    kinds = [kind for name, kind in keys.kind.items() if find_named(name, labels)]
    positives = [one for name, one in keys.positive.items() if find_named(name, labels)]
    kind = kinds[0] if kinds else None
    if positives or not pd.api.types.is_numeric_dtype(cells):
        values = parse_answers(cells, label, positives[0] if positives else None)
        found: OutcomeKind = "binary"
    else:
        values = cells.to_numpy(dtype=float)
        found = detect_kind(values) if kind is None else kind
    _check_kind(values, kind or found, label)
    if not any(find_named(name, labels) for name in as_tuple(keys.lower_is_better)):
        return Outcome(label, kind or found, values)
    if found == "binary":
        return Outcome(f"no {label}", "binary", 1 - values, is_reversed=True)
    return Outcome(f"minus {label}", kind or found, -values, is_reversed=True)


def detect_kind(values: np.ndarray) -> OutcomeKind:
    """Return the kind of numbers: 0 and 1 are binary, whole numbers a count, others money.

    >>> [detect_kind(np.array(values)) for values in ([0, 1.0], [0, 3.0], [0, 9.99], [-1.0, 2])]
    ['binary', 'count', 'money', 'money']
    """
    observed = values[np.isfinite(values)]
    if np.isin(observed, (0, 1)).all():
        return "binary"
    return "count" if (observed >= 0).all() and (observed % 1 == 0).all() else "money"


def _check_kind(values: np.ndarray, kind: OutcomeKind, label: str) -> None:
    observed = values[np.isfinite(values)]
    check_magnitude(observed, label)
    fits = fits_kind(observed, kind)
    if not fits.all():
        problem = f"column {label!r} holds {examples(map(float, observed[~fits]))}"
        expected = {"binary": "expected 0 and 1", "count": "expected whole numbers from 0"}[kind]
        raise RetainError.at(f"kind.{label}", problem, expected)


def check_magnitude(values: np.ndarray, label: str) -> None:
    """Raise ``RetainError`` for numbers beyond ``MAX_VALUE``; NaN is no number."""
    beyond = values[np.abs(values) > MAX_VALUE]
    if len(beyond):
        problem = f"it holds {examples(map(float, beyond))}"
        expected = f"expected numbers of at most {MAX_VALUE:g}"
        raise RetainError.at(f"column {truncate(label)!r}", problem, expected)


def fits_kind(observed: np.ndarray, kind: OutcomeKind) -> np.ndarray:
    """Return a mask of the values that an outcome of a kind can have.

    >>> fits_kind(np.array([0.0, 3.0, 0.5, -1.0]), "count").tolist()
    [True, True, False, False]
    """
    fits: dict[OutcomeKind, np.ndarray] = {
        "binary": np.isin(observed, (0, 1)),
        "count": (observed >= 0) & (observed % 1 == 0),
        "money": np.ones(len(observed), dtype=bool),
    }
    return fits[kind]


def parse_answers(cells: pd.Series, label: str, positive: object) -> np.ndarray:
    """Return 1 for the positive answer, 0 for the other one, NaN where missing, shape (n,)."""
    if positive is None:
        answers = list(dict.fromkeys(cells.dropna()))
        return parse_yes_no(cells, label, hint=_choices(answers, label))
    texts = [f"{one:g}" if isinstance(one, float) else str(one) for one in cells]
    wanted = str(positive).strip().casefold()
    is_positive = np.array([one.strip().casefold() == wanted for one in texts])
    if not is_positive.any():
        problem = f"{positive!r} is no value of column {label!r}"
        raise RetainError.at(f"positive.{label}", problem, f"it holds {preview(cells.dropna())}")
    return np.where(cells.isna(), np.nan, is_positive)


def _choices(answers: list[object], label: str) -> str:
    if len(answers) != TWO:
        return ""
    typed = " or ".join(type_value(f"positive.{label}", one) for one in answers)
    return f" Or name the value that means yes: {typed}"


def parse_yes_no(cells: pd.Series, label: str, *, hint: str = "") -> np.ndarray:
    """Return 1 for yes, 0 for no and NaN for missing answers, shape (n,)."""
    texts = cells
    if pd.api.types.is_numeric_dtype(cells):
        texts = cells.map("{:g}".format, na_action="ignore")
    try:
        answers = parse_consent(texts, f"column {truncate(label)!r}")
    except RetainError as error:
        raise RetainError(f"{error}{hint}") from None
    return np.where(cells.isna(), np.nan, answers.to_numpy(dtype=float))
