"""The context of explanations: the winner's features, target and display names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from retain.customers.customers import Column, Customers
from retain.learning.features import feature_matrix
from retain.learning.scoring import TrainingSpec
from retain.learning.splits import Splits
from retain.record.estimates import DisplayName
from retain.schema.run import Features


@dataclass(frozen=True)
class ExplanationContext:
    """Customers for explanations: all features of the source, and those of the winner.

    Attributes
    ----------
    table
        All features, derived ones included, of training and sealed customers.
    columns
        The ``Column`` of each feature.
    model_features
        Names of the winner's features.
    target
        Target of the training customers, in the order of ``ids``.
    duplicate_groups
        Duplicate group of each training customer.
    target_label
        Display name of target 1.
    """

    table: pd.DataFrame
    columns: Mapping[str, Column]
    model_features: tuple[str, ...]
    derived: frozenset[str]
    ids: pd.Index
    target: np.ndarray
    duplicate_groups: pd.Series
    target_label: DisplayName | None

    @cached_property
    def training(self) -> pd.DataFrame:
        """Features of the training customers."""
        return self.table.loc[self.ids]

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """Features by group, groups in order of first appearance."""
        by_group: dict[str, list[str]] = {}
        for name, column in self.columns.items():
            by_group.setdefault(column.group, []).append(name)
        return by_group

    @cached_property
    def active_groups(self) -> tuple[str, ...]:
        """Groups with a feature of the winner."""
        seen = set(self.model_features)
        return tuple(group for group, names in self.groups.items() if seen & set(names))


def build_context(
    customers: Customers, training: TrainingSpec, splits: Splits
) -> ExplanationContext:
    """Return the context of a winner: its features and all others of these customers."""
    chosen = training.features
    every = Features(derived=True, plugins=chosen.plugins, max_categories=chosen.max_categories)
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
        target_label=customers.target_label,
    )


def _first(customers: Customers) -> np.ndarray:
    """Return a mask of the first row, which suffices to determine columns."""
    return np.asarray(np.arange(len(customers)) == 0)
