"""The feature behind each column of a fitted pipeline's last step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from imblearn.pipeline import Pipeline
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder

from retain.errors import NotApplicable


def transformed_columns(pipeline: Pipeline, table: pd.DataFrame) -> np.ndarray:
    """Return the columns of the last step of a fitted ``pipeline`` for ``table``."""
    columns: Any = table
    for _, step in pipeline.steps[:-1]:
        if hasattr(step, "transform"):  # a sampler has to do with training rows alone
            columns = step.transform(columns)
    return np.asarray(columns)


def column_origins(pipeline: Pipeline) -> list[str]:
    """Return the feature behind each column the last step of a fitted ``pipeline`` meets, in order.

    Told from what the steps learnt and not from the columns' names, since a category may be
    called as another feature's column is.
    """
    prepared = [name for part in _parts(pipeline) for name in part]
    encode = pipeline.named_steps.get("encode")
    if encode is None:
        return prepared
    one_hot, names = encode.transformers_[0][1:]
    rest = [name for name in prepared if name not in set(names)]
    return [*_one_hot(one_hot, list(names)), *rest]


def _parts(pipeline: Pipeline) -> list[list[str]]:
    """Columns after filling: numbers, their missing indicators, categories."""
    parts = []
    for name, step, columns in pipeline.named_steps["prepare"].transformers_:
        known = list(columns)
        if name == "numbers":
            fill = step if isinstance(step, SimpleImputer) else step.named_steps["fill"]
            known += [known[place] for place in fill.indicator_.features_]
        parts.append(known)
    return parts


def _one_hot(encoder: OneHotEncoder, names: list[str]) -> list[str]:
    """Each name as often as its category has columns; rare values share one."""
    found = []
    rare = encoder.infrequent_categories_
    for name, values, few in zip(names, encoder.categories_, rare, strict=True):
        count = len(values) if few is None else len(values) - len(few) + 1
        found += [name] * count
    return found


def required_features(model: BaseEstimator) -> tuple[str, ...] | None:
    """Return the features a model names, None for one that takes what there is.

    >>> from retain.learning.recency_rule import RecencyRule
    >>> required_features(RecencyRule()), required_features(BaseEstimator())
    (('days_since_order',), None)
    """
    return getattr(model, "required_features", None)


def select_model_columns(
    model: BaseEstimator, table: pd.DataFrame, known: Iterable[str]
) -> pd.DataFrame:
    """Return the columns of a feature table that a model sees.

    Parameters
    ----------
    known
        Features of the customers, those of groups that are switched off included.

    Raises
    ------
    NotApplicable
        When the model reads what is not there.
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
    """Return the reason for which a model cannot read a table, or None.

    >>> from retain.learning.recency_rule import RecencyRule
    >>> missing_features_reason(RecencyRule(), pd.DataFrame({"pages": [1.0]}))
    'model recency_rule reads days_since_order, which these customers lack'
    """
    lacking = [name for name in required_features(model) or () if name not in table]
    if not lacking:
        return None
    message = f"model {getattr(model, 'name', type(model).__name__)} reads {', '.join(lacking)}"
    off = set(lacking) <= set(known)
    return (
        f"{message}, whose group is switched off"
        if off
        else f"{message}, which these customers lack"
    )
