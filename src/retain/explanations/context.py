"""The context of explanations: the winner's features, target and display names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from retain.customers.customers import Column, Customers, DisplayName
from retain.learning.features import feature_matrix
from retain.learning.scoring import TrainingSpec
from retain.learning.splits import Splits
from retain.schema import Features


@dataclass(frozen=True)
class ExplanationContext:
    """Customers as the reasons need them; every feature of the source, the winner's marked.

    Attributes
    ----------
    table
        Every feature, derived ones included, of training and sealed customers.
    columns
        What is known about each feature.
    model_features
        Names of those the winner sees.
    target
        Of the training customers, in the order of ``ids``.
    duplicate_groups
        A label shared by copies of the same training customer.
    activity
        What a target of 1 means, for people.
    """

    table: pd.DataFrame
    columns: Mapping[str, Column]
    model_features: tuple[str, ...]
    derived: frozenset[str]
    ids: pd.Index
    target: np.ndarray
    duplicate_groups: pd.Series
    activity: DisplayName | None

    @cached_property
    def training(self) -> pd.DataFrame:
        """The training customers alone."""
        return self.table.loc[self.ids]

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """Features by group, groups in order of first appearance."""
        found: dict[str, list[str]] = {}
        for name, column in self.columns.items():
            found.setdefault(column.group, []).append(name)
        return found

    @cached_property
    def active_groups(self) -> tuple[str, ...]:
        """Groups the winner sees something of."""
        seen = set(self.model_features)
        return tuple(group for group, names in self.groups.items() if seen & set(names))


def build_context(
    customers: Customers, training: TrainingSpec, splits: Splits
) -> ExplanationContext:
    """Return the grounds of a winner: what it sees of these customers, beside all there is."""
    every = Features(derived=True, max_categories=training.features.max_categories)
    order = splits.ids.append(splits.test_ids)
    table = feature_matrix(customers, every).loc[order]
    return ExplanationContext(
        table=table,
        columns=customers.column_info(map(str, table)),
        model_features=tuple(map(str, training.feature_table(customers.rows(_first(customers))))),
        derived=frozenset(one.name for one in customers.derived_features),
        ids=splits.ids,
        target=customers.y.loc[splits.ids].to_numpy(),
        duplicate_groups=customers.duplicate_groups.loc[splits.ids],
        activity=customers.target_label,
    )


def _first(customers: Customers) -> np.ndarray:
    """One row is enough to tell which columns there are."""
    return np.asarray(np.arange(len(customers)) == 0)
