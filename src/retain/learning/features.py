"""The feature matrix of a model: toggled groups and derived features."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from retain.customers.columns import check_required_columns
from retain.customers.customers import Customers, DerivedFeature, Kind
from retain.errors import NotApplicable, RetainError, did_you_mean
from retain.learning import plugin_features
from retain.schema.run import GROUPS, Features


def feature_matrix(customers: Customers, features: Features) -> pd.DataFrame:
    """Return the columns of the groups that are switched on, derived features last.

    Returns
    -------
    DataFrame of shape (n_customers, n_features), numbers as float64, categories as ``str``.

    Raises
    ------
    NotApplicable
        All groups are switched off.
    RetainError
        A toggle names an unknown group.
    """
    plugin_features.check_new(customers, features.plugins)
    customers = plugin_features.add_features(customers, features.plugins)
    check_toggles(features, set(customers.groups) | {d.group for d in customers.derived_features})
    on = {group for group in customers.groups if features.on(group)}
    names = [name for name, column in customers.columns.items() if column.group in on]
    if not names:
        raise NotApplicable("every feature group of these customers is switched off")
    table = customers.features[names]
    derived = _derive_all(customers, names, features)
    return pd.concat([table, *derived], axis=1) if derived else table


def select_model_columns(customers: Customers, kinds: Mapping[str, Kind]) -> pd.DataFrame:
    """Return the model's columns, in its order, of customers to be scored.

    Raises
    ------
    RetainError
        Naming all features that are missing or of another kind than in training.

    >>> from retain.customers.customers import Column
    >>> table = pd.DataFrame({"pages": [1.0], "minutes": [2.0]}, index=[7])
    >>> columns = {name: Column(name, "site", "number") for name in table}
    >>> select_model_columns(Customers(table, columns), {"minutes": "number"}).columns.tolist()
    ['minutes']
    >>> select_model_columns(Customers(table, columns), {"minute": "number"})
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: these customers lack feature 'minute', which those that were \
learned from have. Did you mean 'minutes'?
    """
    customers = plugin_features.add_features(customers, list(kinds))
    derived = {one.name: one for one in customers.derived_features}
    check_required_columns(kinds, [*customers.columns, *derived])
    values = {
        name: customers.features[name]
        if name in customers.columns
        else derive(derived[name], customers.features)
        for name in kinds
    }
    table = pd.DataFrame(values, index=customers.features.index)
    numbers = {name: pd.api.types.is_numeric_dtype(table[name]) for name in kinds}
    wrong = [name for name, kind in kinds.items() if numbers[name] != (kind == "number")]
    if wrong:
        message = ", ".join(f"{name!r} is no {kinds[name]}" for name in wrong)
        raise RetainError(f"{message}, as in the training data; expected the same kind.")
    return table


def check_toggles(features: Features, groups: set[str]) -> None:
    """Raise for a toggle of a group that is neither predefined nor one of these customers'."""
    allowed = sorted(set(GROUPS) | groups)
    for toggle in features.toggles:
        if toggle not in allowed:
            raise RetainError(
                f"features.{toggle} switches no feature group: these are "
                f"{', '.join(allowed)}.{did_you_mean(toggle, allowed)}"
            )


def _derive_all(customers: Customers, names: list[str], features: Features) -> list[pd.Series]:
    """Return the derived and registered features with an active group and all inputs."""
    return [
        derive(feature, customers.features)
        for feature in customers.derived_features
        if features.derived or feature.name in features.plugins
        if features.on(feature.group) and set(feature.inputs) <= set(names)
    ]


def derive(feature: DerivedFeature, table: pd.DataFrame) -> pd.Series:
    """Return a derived feature; missing where an input is missing or a denominator is zero.

    >>> pages = pd.DataFrame({"pages": [6.0, 5.0], "categories": [3.0, 0.0]})
    >>> ratio = DerivedFeature("pages_per_category", "site", "ratio", ("pages", "categories"))
    >>> derive(ratio, pages).tolist()
    [2.0, nan]
    """
    if feature.operation == "plugin":
        return plugin_features.compute(feature.name, table[list(feature.inputs)])
    values = table[list(feature.inputs)].to_numpy(dtype=float)
    return pd.Series(_OPERATIONS[feature.operation](values), table.index, name=feature.name)


def _ratio(values: np.ndarray) -> np.ndarray:
    top, bottom = values[:, 0], values[:, 1]
    empty = np.full(len(top), np.nan)
    return np.asarray(np.divide(top, bottom, out=empty, where=bottom != 0))


def _slope(values: np.ndarray) -> np.ndarray:
    """Return the least-squares change per period."""
    time = np.arange(values.shape[1]) - (values.shape[1] - 1) / 2
    return np.asarray(values @ (time / (time**2).sum()))


_OPERATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ratio": _ratio,
    "difference": lambda values: values[:, 0] - values[:, 1],
    "slope": _slope,
    "mean": lambda values: values.mean(axis=1),
}
