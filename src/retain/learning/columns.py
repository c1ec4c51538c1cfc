"""The feature of each input column of a fitted pipeline's last step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from retain.errors import NotApplicable


def transformed_columns(pipeline: Pipeline, table: pd.DataFrame) -> np.ndarray:
    """Return the input of the last step of a fitted ``pipeline`` for ``table``."""
    columns: Any = table
    for _, step in pipeline.steps[:-1]:
        if hasattr(step, "transform"):  # a sampler only changes training rows
            columns = step.transform(columns)
    return np.asarray(columns)


def column_origins(pipeline: Pipeline) -> list[str]:
    """Return the feature of each input column of the last step of a fitted ``pipeline``.

    A registered encoding belongs to the feature that it encodes.
    Derived from fitted attributes, because names of one-hot columns may be ambiguous.
    """
    columns = [name for part in _parts(pipeline) for name in part]
    encode = pipeline.named_steps.get("encode")
    if encode is not None:
        one_hot, names = encode.transformers_[0][1:]
        rest = [name for name in columns if name not in set(names)]
        columns = [*_one_hot(one_hot, list(names)), *rest]
    features = pipeline.named_steps.get("features")
    inputs = {} if features is None else features.inputs
    return [inputs.get(name, name) for name in columns]


def _parts(pipeline: Pipeline) -> list[list[str]]:
    """Return the columns after imputation: numbers, their missing indicators, categories."""
    parts = []
    for name, step, columns in pipeline.named_steps["prepare"].transformers_:
        names = list(columns)
        if name == "numbers":
            fill = step if isinstance(step, SimpleImputer) else step.named_steps["fill"]
            names += [names[index] for index in fill.indicator_.features_]
        parts.append(names)
    return parts


def _one_hot(encoder: OneHotEncoder, names: list[str]) -> list[str]:
    """Return each name once per one-hot column; rare values share one column."""
    repeated = []
    rare = encoder.infrequent_categories_
    for name, values, few in zip(names, encoder.categories_, rare, strict=True):
        count = len(values) if few is None else len(values) - len(few) + 1
        repeated += [name] * count
    return repeated


def required_features(model: BaseEstimator) -> tuple[str, ...] | None:
    """Return the features a model requires; None for a model that takes any.

    >>> from retain.learning.recency_rule import RecencyRule
    >>> required_features(RecencyRule()), required_features(BaseEstimator())
    (('days_since_order',), None)
    """
    return getattr(model, "required_features", None)


def select_model_columns(
    model: BaseEstimator, table: pd.DataFrame, known: Iterable[str]
) -> pd.DataFrame:
    """Return the columns of a feature table that a model uses.

    Parameters
    ----------
    known
        Features of the customers, including those of groups that are switched off.

    Raises
    ------
    NotApplicable
        A required feature is missing.
    """
    named = required_features(model)
    if named is None:
        return table
    if (reason := missing_features_reason(model, table, known)) is not None:
        raise NotApplicable(reason)
    return table[list(named)]


def missing_features_reason(
    model: BaseEstimator, table: pd.DataFrame, known: Iterable[str] = ()
) -> str | None:
    """Return the reason why a model cannot use a table, or None.

    >>> from retain.learning.recency_rule import RecencyRule
    >>> missing_features_reason(RecencyRule(), pd.DataFrame({"pages": [1.0]}))
    'model recency_rule reads days_since_order, which these customers lack'
    """
    missing = [name for name in required_features(model) or () if name not in table]
    if not missing:
        return None
    message = f"model {getattr(model, 'name', type(model).__name__)} reads {', '.join(missing)}"
    off = set(missing) <= set(known)
    return (
        f"{message}, whose group is switched off"
        if off
        else f"{message}, which these customers lack"
    )
