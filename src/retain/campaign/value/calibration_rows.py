"""Rows of scored customers with outcomes, from which a calibration is learnt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from retain.campaign.value.calibration_map import ProfitScale, logit
from retain.customers.customers import Customers
from retain.learning.scores import Scores
from retain.learning.splits import assign_folds

FOLDS = 5


@dataclass(frozen=True)
class CalibrationRows:
    """Rows of scored customers: one per customer, or per customer and repeat.

    ``x`` are logits, ``z`` standardised profits, ``weight`` is one over the number of the
    customer's rows, ``cluster`` are codes of duplicate groups.
    """

    ids: pd.Index
    x: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    cluster: np.ndarray
    profit: np.ndarray | None
    z: np.ndarray | None = None

    @classmethod
    def of(cls, table: pd.DataFrame, customers: Customers) -> CalibrationRows:
        """Return the rows of ``customer_id, target, probability``."""
        target = table["target"].to_numpy(dtype=float)
        if np.isnan(target).any():
            raise ValueError("scores without a target cannot be recalibrated")
        ids = pd.Index(table["customer_id"])
        each, profit = pd.factorize(ids)[0], customers.profit
        return cls(
            ids=ids,
            x=logit(table["probability"].to_numpy(dtype=float)),
            target=target,
            weight=1 / np.bincount(each)[each],
            cluster=pd.factorize(customers.duplicate_groups.loc[ids])[0],
            profit=None if profit is None else profit.loc[ids].to_numpy(dtype=float),
        )

    @property
    def clusters(self) -> np.ndarray | None:
        """Codes of duplicate groups; None if every row is alone in its own."""
        return None if int(self.cluster.max()) + 1 == len(self.x) else self.cluster

    @property
    def smaller_class(self) -> int:
        """Number of customers in the smaller class."""
        share = self.weight @ self.target
        return int(min(share, self.weight.sum() - share) + 0.5)

    def at(self, chosen: np.ndarray) -> CalibrationRows:
        """Return the rows of a mask."""
        profit, z = (None if one is None else one[chosen] for one in (self.profit, self.z))
        cluster = np.unique(self.cluster[chosen], return_inverse=True)[1]
        arrays = (self.x[chosen], self.target[chosen], self.weight[chosen], cluster)
        return CalibrationRows(self.ids[chosen], *arrays, profit, z)

    def with_profit(self, scale: ProfitScale | None) -> CalibrationRows:
        """Return the rows with standardised profits, or without."""
        if scale is None or self.profit is None:
            return replace(self, z=None)
        return replace(self, z=scale.standardise(self.profit))


def calibration_tables(scores: Scores) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row per customer with the mean score, and one per customer and repeat."""
    table = scores.table.sort_values(["customer_id", "repeat"], kind="stable")
    means = {"target": "first", "probability": "mean"}
    return table.groupby("customer_id", sort=True).agg(means).reset_index(), table


def iter_folds(rows: CalibrationRows) -> Iterator[np.ndarray]:
    """Yield the mask of the test rows of each fold, stratified, duplicates together."""
    first = np.unique(rows.cluster, return_index=True)[1]
    index = pd.RangeIndex(len(first))
    target = pd.Series(rows.target[first], index=index)
    fold = assign_folds(target, pd.Series(index, index=index), FOLDS, seed=0).to_numpy()
    for number in range(FOLDS):
        yield (fold == number)[rows.cluster]
