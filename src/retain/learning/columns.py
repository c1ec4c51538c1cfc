"""Which feature each column that a model meets came from: one-hot columns, missing indicators.

May import: errors, schema, customers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from imblearn.pipeline import Pipeline
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder


def met(pipeline: Pipeline, table: pd.DataFrame) -> np.ndarray:
    """The columns that the last step of a fitted ``pipeline`` meets for the rows of ``table``."""
    columns: Any = table
    for _, step in pipeline.steps[:-1]:
        if hasattr(step, "transform"):  # a sampler has to do with training rows alone
            columns = step.transform(columns)
    return np.asarray(columns)


def origins(pipeline: Pipeline) -> list[str]:
    """The feature behind each column the last step of a fitted ``pipeline`` meets, in order.

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
