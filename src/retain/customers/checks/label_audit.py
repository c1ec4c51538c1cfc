"""Test whether declined customers really bought less than a period before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np

from retain.customers.customers import Customers, DerivedFeature

SIGNIFICANT_Z = 1.96
"""z-value of a single comparison at the 5 % level."""


@dataclass(frozen=True, slots=True)
class Decrease:
    """Customers of a class with both figures observed, and those whose last figure is lower."""

    n_customers: int
    n_decreased: int
    change: float | None
    """Median of last ÷ before − 1; None unless most had a positive figure before."""

    @property
    def share(self) -> float:
        """The share of customers whose figure decreased."""
        return self.n_decreased / self.n_customers


@dataclass(frozen=True, slots=True)
class PeriodChange:
    """The share of customers whose figure decreased from one period to the next, by class.

    >>> change = PeriodChange(Decrease(100, 40, None), Decrease(200, 50, None))
    >>> round(change.z, 2), change.is_consistent
    (2.67, True)
    """

    declined: Decrease
    stayed: Decrease

    @property
    def is_observed(self) -> bool:
        """True if both classes have customers with both figures."""
        return self.declined.n_customers > 0 and self.stayed.n_customers > 0

    @property
    def z(self) -> float:
        """The z-value of the difference of the shares with pooled variance; 0 without variance."""
        one, other = self.declined, self.stayed
        pooled = (one.n_decreased + other.n_decreased) / (one.n_customers + other.n_customers)
        variance = pooled * (1 - pooled) * (1 / one.n_customers + 1 / other.n_customers)
        return (one.share - other.share) / sqrt(variance) if variance else 0.0

    @property
    def is_consistent(self) -> bool:
        """True if customers labelled as declined decreased significantly more often."""
        return self.z > SIGNIFICANT_Z


def compare_periods(customers: Customers, before: str, last: str) -> PeriodChange:
    """Compare two successive figures of customers with a target."""
    first, second = (customers.features[name].to_numpy(dtype=float) for name in (before, last))
    observed = np.isfinite(first) & np.isfinite(second)
    target = customers.y.to_numpy()
    declined, stayed = observed & (target == 1), observed & (target == 0)
    return PeriodChange(
        _decrease(first[declined], second[declined]), _decrease(first[stayed], second[stayed])
    )


def find_successive_periods(customers: Customers) -> Iterator[tuple[DerivedFeature, str, str]]:
    """Yield each derived slope and difference with the names of its last two periods.

    A slope names its periods earliest first, a difference the later one first.
    """
    numbers = {name for name, column in customers.columns.items() if column.kind == "number"}
    for one in customers.derived_features:
        if len(one.inputs) > 1 and numbers.issuperset(one.inputs):
            if one.operation == "slope":
                yield one, one.inputs[-2], one.inputs[-1]
            elif one.operation == "difference":
                yield one, one.inputs[1], one.inputs[0]


def _decrease(before: np.ndarray, last: np.ndarray) -> Decrease:
    some = before > 0
    change = None
    if 2 * some.sum() > len(before):
        with np.errstate(over="ignore"):
            ratio = float(np.median(last[some] / before[some]))
        change = ratio - 1 if np.isfinite(ratio) else None
    return Decrease(len(before), int((last < before).sum()), change)
