"""The result of a check, and what several checks compute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from retain.customers.checks.duplicates import DuplicateGroups
from retain.customers.checks.univariate_auc import (
    MIN_ROWS,
    Numbers,
    UnivariateAuc,
    category_auc,
    find_id_copies,
    find_target_copies,
    number_auc,
)
from retain.customers.customers import Customers
from retain.errors import NotApplicable, type_value


@dataclass(frozen=True, slots=True)
class Folding:
    """The folds of a validation.

    ``is_shuffled``: customers are shuffled before folding. ``duplicates``: the copies that folds
    keep together; None before they are searched for. ``aucs``: the result of ``feature_aucs``, None
    before it is computed.
    """

    is_shuffled: bool
    duplicates: DuplicateGroups | None = None
    aucs: Mapping[str, UnivariateAuc] | None = None


@dataclass(frozen=True, slots=True)
class DataCheck:
    """One result of the audit.

    A ``caution`` is repeated in the verdict. ``values`` are the names and numbers of the sentence,
    for its translation. ``is_severe``: no run may start unless the user allows the code.
    """

    code: str
    outcome: Literal["passed", "mitigated", "caution", "failed", "not_applicable"]
    sentence: str
    values: Mapping[str, Any] = field(default_factory=dict, compare=False)
    is_severe: bool = False


def known_target(customers: Customers) -> Numbers:
    """Return the target as 0 and 1; raise ``NotApplicable`` where it cannot be compared."""
    if customers.target is None:
        raise NotApplicable("these customers have no target")
    if len(customers) < MIN_ROWS:
        raise NotApplicable(f"{len(customers)} customers are too few to tell")
    if customers.target.nunique() < 2:
        raise NotApplicable("all customers have the same label")
    return customers.target.to_numpy(dtype=np.int64)


def feature_auc(customers: Customers, name: str, target: Numbers) -> UnivariateAuc:
    """Return how well one feature alone separates the classes."""
    by = category_auc if customers.columns[name].kind == "category" else number_auc
    return by(customers.features[name], target)


def drop_hint(customers: Customers, names: Iterable[str]) -> str:
    """Return what to type to leave features out; empty for a source without that key."""
    if not customers.reading.columns:
        return ""
    return f" To leave out: {type_value('data.drop_columns', list(names))}"


def feature_aucs(
    customers: Customers, target: Numbers, folding: Folding | None = None
) -> Mapping[str, UnivariateAuc]:
    """Return ``feature_auc`` of all features but copies of the id and the target."""
    if folding is not None and folding.aucs is not None:
        return folding.aucs
    copies = {*find_id_copies(customers), *find_target_copies(customers)}
    names = [name for name in customers.columns if name not in copies]
    if not names:
        raise NotApplicable("every feature repeats the id or the target")
    return {name: feature_auc(customers, name, target) for name in names}
