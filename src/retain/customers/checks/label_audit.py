"""Test whether declined customers really bought less than a period before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np

from retain.customers.customers import Customers, DerivedFeature

SIGNIFICANT = 1.96
"""Standard errors for a comparison asked once (5 %)."""


@dataclass(frozen=True, slots=True)
class Decrease:
    """Customers of a class with both figures known, and how many of them have the last below."""

    n_customers: int
    n_decreased: int
    change: float | None
    """Median of last ÷ before − 1; None unless most had something before."""

    @property
    def share(self) -> float:
        """The share that fell; there must be customers."""
        return self.n_decreased / self.n_customers


@dataclass(frozen=True, slots=True)
class PeriodChange:
    """The share of customers whose figure fell from one period to the next, by class.

    >>> moved = PeriodChange(Decrease(100, 40, None), Decrease(200, 50, None))
    >>> round(moved.z, 2), moved.is_consistent
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
        """The z-value of the difference of the shares, their variance pooled; 0 without any."""
        one, other = self.declined, self.stayed
        pooled = (one.n_decreased + other.n_decreased) / (one.n_customers + other.n_customers)
        variance = pooled * (1 - pooled) * (1 / one.n_customers + 1 / other.n_customers)
        return (one.share - other.share) / sqrt(variance) if variance else 0.0

    @property
    def is_consistent(self) -> bool:
        """True if those labelled as declined fell more often, beyond chance."""
        return self.z > SIGNIFICANT


def compare_periods(customers: Customers, before: str, last: str) -> PeriodChange:
    """Compare two successive figures of customers with a target."""
    first, second = (customers.features[name].to_numpy(dtype=float) for name in (before, last))
    known = np.isfinite(first) & np.isfinite(second)
    target = customers.y.to_numpy()
    declined, stayed = known & (target == 1), known & (target == 0)
    return PeriodChange(
        _decrease(first[declined], second[declined]), _decrease(first[stayed], second[stayed])
    )


def find_successive_periods(customers: Customers) -> Iterator[tuple[DerivedFeature, str, str]]:
    """Each derived slope and difference of numbers that are there, with its last two periods.

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
