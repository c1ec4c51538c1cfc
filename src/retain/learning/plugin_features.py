"""Registered features: computed from a row, or learned within the training rows of a fold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from retain.customers.customers import Customers, DerivedFeature
from retain.errors import RetainError, did_you_mean
from retain.plugins.registry import Plugin, find, require

CHECKED_ROWS = 1000
"""Rows for which a feature is computed twice."""


def add_features(customers: Customers, names: Sequence[str]) -> Customers:
    """Return the customers with the registered features of these names as derived ones.

    Names that are not registered, or belong to a feature already, are passed over.

    Raises
    ------
    RetainError
        The customers lack an input.
    """
    known = {*customers.columns, *(one.name for one in customers.derived_features)}
    found = [find("feature", name) for name in names if name not in known]
    plugins = [one for one in found if one is not None]
    for one in plugins:
        _check_inputs(one, known)
    added = [_to_derived(one) for one in plugins if not one.keywords["fitted"]]
    return replace(customers, derived_features=(*customers.derived_features, *added))


def check_new(customers: Customers, names: Sequence[str]) -> None:
    """Raise a ``RetainError`` for a registered feature with the name of one of the customers'."""
    derived = {one.name for one in customers.derived_features if one.operation != "plugin"}
    for name in names:
        if name in customers.columns or name in derived:
            raise RetainError(
                f"features.plugins: these customers have a feature {name!r} of their own; "
                "expected another name in the plug-in."
            )


def _to_derived(plugin: Plugin) -> DerivedFeature:
    facts = plugin.keywords
    group, inputs = facts["group"], facts["inputs"]
    return DerivedFeature(plugin.name, group, "plugin", inputs, facts["en"], facts["ru"])


def _check_inputs(plugin: Plugin, known: Collection[str]) -> None:
    lacking = [name for name in plugin.keywords["inputs"] if name not in known]
    if lacking:
        raise RetainError(
            f"features.plugins: {plugin.name!r} reads {', '.join(lacking)}, which these customers "
            f"lack.{did_you_mean(lacking[0], known)}"
        )


def fitted_features(names: Sequence[str]) -> dict[str, str]:
    """Return the input by name of the features that are learned within a fold."""
    plugins = [require("feature", name, "features.plugins") for name in names]
    return {one.name: one.keywords["inputs"][0] for one in plugins if one.keywords["fitted"]}


def compute(name: str, table: pd.DataFrame) -> pd.Series:
    """Return a registered feature of the rows of ``table``, its inputs.

    Raises
    ------
    RetainError
        There is not one number a row, or a value depends on other rows.
    """
    function = require("feature", name, "features.plugins").target
    values = _to_numbers(name, function(table), len(table))
    part = np.arange(min(len(table), CHECKED_ROWS))[::-2]
    again = _to_numbers(name, function(table.iloc[part]), len(part))
    if not np.array_equal(values[part], again, equal_nan=True):
        raise RetainError(
            f"the feature {name!r} of a customer changes with the other rows, so test rows would "
            "leak into training rows; expected a function of a row alone, or a class, which is "
            "fitted on training rows."
        )
    return pd.Series(values, table.index, name=name)


def _to_numbers(name: str, values: Any, count: int) -> np.ndarray:
    """Return values, of shape (count,) or (count, 1), as numbers; infinite ones are missing."""
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise RetainError(f"the feature {name!r} gives no numbers: {error}.") from None
    if numbers.shape == (count, 1):  # as a transformer of scikit-learn gives them
        numbers = numbers[:, 0]
    if numbers.shape != (count,):
        raise RetainError(
            f"the feature {name!r} gives an array of shape {numbers.shape} for {count} rows; "
            "expected one number a row."
        )
    return np.where(np.isfinite(numbers), numbers, np.nan)


class PluginFeatures(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Registered encodings as further columns of a feature table.

    Parameters
    ----------
    inputs
        The feature that each reads, by its name.
    """

    def __init__(self, inputs: dict[str, str]) -> None:
        self.inputs = inputs

    def fit(self, table: pd.DataFrame, target: np.ndarray) -> Self:
        """Fit each on its input and the targets, shape (n,)."""
        self.fitted_ = {}
        for name, of in self.inputs.items():
            encoding = require("feature", name, "features.plugins").target()
            encoding.fit(table[of], np.asarray(target))
            self.fitted_[name] = encoding
        return self

    def transform(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with a column of numbers for each."""
        made = {
            name: _to_numbers(name, self.fitted_[name].transform(table[of]), len(table))
            for name, of in self.inputs.items()
        }
        return table.assign(**made)
