"""From customers to the matrix a model may see: toggled groups and derived features."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from retain.customers.customers import Customers, DerivedFeature, Kind
from retain.customers.files.columns import check_required_columns
from retain.errors import NotApplicable, RetainError, did_you_mean
from retain.schema import GROUPS, Features


def feature_matrix(customers: Customers, features: Features) -> pd.DataFrame:
    """Columns of the groups that are switched on, derived features last.

    Returns
    -------
    DataFrame of shape (n_customers, n_features), numbers as float64, categories as ``str``.

    Raises
    ------
    NotApplicable
        When every group is switched off.
    RetainError
        When a toggle names no group.
    """
    check_toggles(features, set(customers.groups) | {d.group for d in customers.derived_features})
    on = {group for group in customers.groups if features.on(group)}
    kept = [name for name, column in customers.columns.items() if column.group in on]
    if not kept:
        raise NotApplicable("every feature group of these customers is switched off")
    table = customers.features[kept]
    if not features.derived:
        return table
    return pd.concat([table, *_derive_all(customers, kept, features)], axis=1)


def training_columns(customers: Customers, kinds: Mapping[str, Kind]) -> pd.DataFrame:
    """Return the columns a model learnt from, in its order, of customers it is to score.

    Raises
    ------
    RetainError
        Naming every feature that these customers lack, or that is no number any more.

    >>> from retain.customers.customers import Column
    >>> table = pd.DataFrame({"pages": [1.0], "minutes": [2.0]}, index=[7])
    >>> columns = {name: Column(name, "site", "number") for name in table}
    >>> training_columns(Customers(table, columns), {"minutes": "number"}).columns.tolist()
    ['minutes']
    >>> training_columns(Customers(table, columns), {"minute": "number"})
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: the model was trained on feature 'minute', which these customers \
do not have. Did you mean 'minutes'?
    """
    derived = {one.name: one for one in customers.derived_features}
    check_required_columns(kinds, [*customers.columns, *derived])
    found = {
        name: customers.features[name]
        if name in customers.columns
        else derive(derived[name], customers.features)
        for name in kinds
    }
    table = pd.DataFrame(found, index=customers.features.index)
    numbers = {name: pd.api.types.is_numeric_dtype(table[name]) for name in kinds}
    wrong = [name for name, kind in kinds.items() if numbers[name] != (kind == "number")]
    if wrong:
        message = ", ".join(f"{name!r} is no {kinds[name]}" for name in wrong)
        raise RetainError(f"{message}, as in the training data; expected the same kind.")
    return table


def check_toggles(features: Features, groups: set[str]) -> None:
    """Refuse a toggle for a group that neither the trade nor these customers know."""
    known = sorted(set(GROUPS) | groups)
    for toggle in features.toggles:
        if toggle not in known:
            raise RetainError(
                f"features.{toggle} switches no feature group: these are "
                f"{', '.join(known)}.{did_you_mean(toggle, known)}"
            )


def _derive_all(customers: Customers, kept: list[str], features: Features) -> list[pd.Series]:
    """Those whose group is on and whose inputs are all there."""
    return [
        derive(feature, customers.features)
        for feature in customers.derived_features
        if features.on(feature.group) and set(feature.inputs) <= set(kept)
    ]


def derive(feature: DerivedFeature, table: pd.DataFrame) -> pd.Series:
    """One derived feature; missing where an input is missing or a denominator is zero.

    >>> pages = pd.DataFrame({"pages": [6.0, 5.0], "categories": [3.0, 0.0]})
    >>> ratio = DerivedFeature("pages_per_category", "site", "ratio", ("pages", "categories"))
    >>> derive(ratio, pages).tolist()
    [2.0, nan]
    """
    values = table[list(feature.inputs)].to_numpy(dtype=float)
    return pd.Series(_OPERATIONS[feature.operation](values), table.index, name=feature.name)


def _ratio(values: np.ndarray) -> np.ndarray:
    top, bottom = values[:, 0], values[:, 1]
    empty = np.full(len(top), np.nan)
    return np.asarray(np.divide(top, bottom, out=empty, where=bottom != 0))


def _slope(values: np.ndarray) -> np.ndarray:
    """Least-squares change a period."""
    time = np.arange(values.shape[1]) - (values.shape[1] - 1) / 2
    return np.asarray(values @ (time / (time**2).sum()))


_OPERATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ratio": _ratio,
    "difference": lambda values: values[:, 0] - values[:, 1],
    "slope": _slope,
    "mean": lambda values: values.mean(axis=1),
}
