"""Combinations that have no meaning on these customers, with the reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from imblearn.over_sampling import ADASYN
from sklearn.base import BaseEstimator

from retain.errors import NotApplicable
from retain.learning.blend import Blend
from retain.learning.columns import missing_features_reason
from retain.learning.pipeline import PipelineSpec, categories, takes_categories

Rule = Callable[[PipelineSpec, pd.DataFrame, np.ndarray], str | None]


def check_compatible(spec: PipelineSpec, table: pd.DataFrame, target: np.ndarray) -> None:
    """Raise ``NotApplicable`` with every reason against fitting ``spec`` on these rows."""
    reasons = [reason for rule in RULES if (reason := rule(spec, table, target)) is not None]
    if reasons:
        raise NotApplicable("; ".join(reasons))


def _check_column_kinds(spec: PipelineSpec, table: pd.DataFrame, _: np.ndarray) -> str | None:
    if not takes_categories(spec.sampler):
        return None
    names = categories(table)
    if not names:
        return "smotenc needs a category feature and the groups that are on have none: use smote"
    if len(names) == table.shape[1]:
        return "smotenc needs a number feature and the groups that are on have none"
    return None


def _check_neighbours(spec: PipelineSpec, _: pd.DataFrame, target: np.ndarray) -> str | None:
    neighbours = _neighbours(spec.sampler)
    minority = int(np.unique_counts(target).counts.min())
    if minority > neighbours:
        return None
    return (
        f"the sampler looks at {neighbours} neighbours and a fold has only {minority} customers "
        "of the smaller class"
    )


def _neighbours(sampler: BaseEstimator | None) -> int:
    """Return the most neighbours a sampler, or one within it, is configured to look at."""
    found = [0]
    for name, value in ({} if sampler is None else sampler.get_params()).items():
        if name.endswith(("k_neighbors", "n_neighbors")) and isinstance(value, int):
            found.append(value)
    return max(found)


def _check_adasyn(spec: PipelineSpec, _: pd.DataFrame, target: np.ndarray) -> str | None:
    """ADASYN rounds the rows it adds for each neighbourhood and may be left with none."""
    if not isinstance(spec.sampler, ADASYN):
        return None
    counts = np.unique_counts(target).counts
    if counts.max() - counts.min() <= counts.min() / 10:
        return "adasyn has nothing to add: the classes are balanced already"
    return None


def _check_tunable(spec: PipelineSpec, _: pd.DataFrame, __: np.ndarray) -> str | None:
    if not spec.tuning.on:
        return None
    if isinstance(spec.model, Blend):
        return "a blend's members are not tuned within it: tune one alone, or use tuning=none"
    if not spec.search:
        return (
            f"nothing says where to look for parameters of {type(spec.model).__name__}: add "
            "search: {PARAMETER: {low: …, high: …}} to the model's file, or use tuning=none"
        )
    return None


def _missing_features(spec: PipelineSpec, table: pd.DataFrame, _: np.ndarray) -> str | None:
    members = spec.model.members.values() if isinstance(spec.model, Blend) else ()
    return next(
        (why for one in members if (why := missing_features_reason(one, table)) is not None), None
    )


RULES: tuple[Rule, ...] = (
    _check_column_kinds,
    _check_neighbours,
    _check_adasyn,
    _check_tunable,
    _missing_features,
)
