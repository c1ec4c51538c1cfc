"""Checks that a pipeline is applicable to these customers."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import InvalidParameterError

from retain.errors import NotApplicable
from retain.learning.blend import Blend
from retain.learning.columns import missing_features_reason
from retain.learning.pipeline import PipelineSpec, categories, takes_categories

RESAMPLING, NEIGHBOURS = ("fit_resample", "_fit_resample"), ("kneighbors", "_check_n_neighbors")
"""Functions of the libraries that raise where rows are too few for their parameters."""
_ONE_CLASS = re.compile("(?i)2 classes|two classes|one class|single class|only one unique value")
Rule = Callable[[PipelineSpec, pd.DataFrame, np.ndarray], str | None]


def check_compatible(spec: PipelineSpec, table: pd.DataFrame, target: np.ndarray) -> None:
    """Raise ``NotApplicable`` with all reasons why ``spec`` cannot be fitted on these rows."""
    reasons = [reason for rule in RULES if (reason := rule(spec, table, target)) is not None]
    if reasons:
        raise NotApplicable("; ".join(reasons))


@contextmanager
def raise_not_applicable() -> Iterator[None]:
    """Raise ``NotApplicable`` where a sampler or a model has too few rows, of any class it needs.

    What a sampler leaves to the next step, or which ratio it can reach, is known only by fitting.
    """
    try:
        yield
    except (ValueError, RuntimeError) as error:
        reason = _find_limit(error)
        if reason is None:
            raise
        raise NotApplicable(reason) from error


def _find_limit(error: Exception) -> str | None:
    """Return why rows are too few; None if the error has another cause, as a wrong parameter."""
    if isinstance(error, InvalidParameterError):
        return None
    names = {frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)}
    first = str(error).strip().partition("\n")[0].rstrip(".")
    if names & set(RESAMPLING):
        return f"the sampler cannot resample the training rows of a fold: {first}"
    if names & set(NEIGHBOURS):
        return f"the model looks at more neighbours than a fold has training rows: {first}"
    if _ONE_CLASS.search(first):
        return f"the rows that the model learns from in a fold are of one class: {first}"
    return None


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
    """Return the largest number of neighbours within a class, in a sampler or a nested one."""
    parameters = {} if sampler is None else sampler.get_params()
    counts = [
        value
        for name, value in parameters.items()
        if name.endswith(("k_neighbors", "n_neighbors")) and isinstance(value, int)
        if not name.startswith("enn__")  # among all rows, made ones included
    ]
    if parameters.get("smote", 0) is None:
        from imblearn.over_sampling import SMOTE  # imported for samplers only, as in pipeline

        counts.append(SMOTE().k_neighbors)
    return max(counts, default=0)


def _check_inner_folds(spec: PipelineSpec, _: pd.DataFrame, target: np.ndarray) -> str | None:
    """Return a problem of the folds within training rows that calibrate or weigh a blend."""
    calibrates = spec.calibration.method is not None or not hasattr(spec.model, "predict_proba")
    folds = spec.calibration.folds if calibrates else 0
    if isinstance(spec.model, Blend):
        folds = max(folds, spec.model.folds)
    minority = int(np.unique_counts(target).counts.min())
    if minority >= folds:
        return None
    return (
        f"calibration has {folds} folds within the training rows, which hold only {minority} "
        "customers of the smaller class"
    )


def _check_adasyn(spec: PipelineSpec, _: pd.DataFrame, target: np.ndarray) -> str | None:
    """Return a problem of ADASYN, which rounds its added rows per neighbourhood, maybe to none."""
    if spec.sampler is None:
        return None
    from imblearn.over_sampling import ADASYN  # imported for samplers only, as in pipeline

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
    _check_inner_folds,
    _check_adasyn,
    _check_tunable,
    _missing_features,
)
