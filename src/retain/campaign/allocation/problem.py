"""Input of an allocation: net values, costs and limits, checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.allocation.customer_pool import CustomerArrays
from retain.campaign.allocation.limits import PlanLimits
from retain.errors import RetainError

MAX_PRICE_RATIO = 1e6
"""Upper bound of the price of a typical contact, as a multiple of a typical net value."""


@dataclass(frozen=True)
class Problem:
    """n customers, m offers, k segments; at most one offer a customer, none without a gain.

    Attributes
    ----------
    net
        (n, m) expected net value of an offer to a customer; finite. An offer whose net value is not
        above 0 is never chosen, not even for a minimum.
    cost
        (n, m) expected cost, or (m,) if it is the same for all customers; ≥ 0.
    eligible
        (n, m) True where a customer may get an offer; None is everywhere.
    budget
        Highest total cost; None is no limit.
    capacity
        (m,) most customers of each offer, ``inf`` without limit; None is no limits.
    max_contacts
        Most customers who get any offer; None is no limit.
    segment
        (n,) the segment of each customer, 0 … k − 1; needed with ``min_contacts``.
    min_contacts
        (k,) fewest customers of each segment who get an offer; None is no minimum.
    keys
        (n,) numbers that identify customers in any order of rows, such as hashes of their ids;
        None uses the row numbers.
    seed
        Seed for ties between customers.

    Raises
    ------
    RetainError
        A net value or a cost is not a number, or a cost or a limit is below zero.
    ValueError
        Shapes do not fit.
    """

    net: np.ndarray
    cost: np.ndarray
    eligible: np.ndarray | None = None
    budget: float | None = None
    capacity: np.ndarray | None = None
    max_contacts: int | None = None
    segment: np.ndarray | None = None
    min_contacts: np.ndarray | None = None
    keys: np.ndarray | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the arrays."""
        for name in ("net", "cost"):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=float))
        self._check_shapes()
        self._check_numbers()
        self._check_limits()

    def _check_shapes(self) -> None:
        n, m = self.net.shape
        min_contacts = None if self.min_contacts is None else (len(self.min_contacts),)
        shapes = (
            ("cost", self.cost, ((n, m), (m,))),
            ("eligible", self.eligible, ((n, m),)),
            ("capacity", self.capacity, ((m,),)),
            ("segment", self.segment, ((n,),)),
            ("min_contacts", self.min_contacts, (min_contacts,)),
            ("keys", self.keys, ((n,),)),
        )
        for name, array, allowed in shapes:
            if array is not None and np.shape(array) not in allowed:
                raise ValueError(f"{name} is {np.shape(array)}, expected {allowed} with net {n, m}")
        if self.min_contacts is not None and self.segment is None:
            raise ValueError("min_contacts is given without segment")

    def _check_numbers(self) -> None:
        if self.net.size and not np.isfinite([self.net.min(), self.net.max()]).all():
            raise _invalid_value_error(
                "net value", self.net, ~np.isfinite(self.net), "a finite number"
            )
        if self.cost.size and not (self.cost.min() >= 0 and self.cost.max() < np.inf):
            invalid = ~(np.isfinite(self.cost) & (self.cost >= 0))
            raise _invalid_value_error("cost", self.cost, invalid, "a finite number, at least 0")

    def _check_limits(self) -> None:
        limits = (("budget", self.budget), ("max_contacts", self.max_contacts))
        for name, value in (*limits, *(("capacity", limit) for limit in self._capacity)):
            if value is not None and not value >= 0:
                raise RetainError.at(name, f"it is {value!r}", "expected a number, at least 0")
        if self.segment is not None and len(self.segment) and self.min_contacts is not None:
            if not 0 <= np.min(self.segment) <= np.max(self.segment) < len(self.min_contacts):
                raise ValueError(f"segment is not within 0 … {len(self.min_contacts) - 1}")
            if np.min(self.min_contacts) < 0:
                raise RetainError.at(
                    "min_contacts", f"it is {self.min_contacts!r}", "expected numbers ≥ 0"
                )

    @property
    def _capacity(self) -> np.ndarray:
        n_offers = self.net.shape[1]
        return np.full(n_offers, np.inf) if self.capacity is None else np.asarray(self.capacity)

    def select_keys(self, rows: np.ndarray) -> np.ndarray:
        """Return the keys of the customers of these rows."""
        return rows if self.keys is None else np.asarray(self.keys)[rows]

    @property
    def has_minimums(self) -> bool:
        """True if a segment has a minimum of contacts."""
        return self.min_contacts is not None and bool(np.any(np.asarray(self.min_contacts) > 0))

    @property
    def limits(self) -> PlanLimits:
        """All limits; capacities and contacts are rounded down."""
        minimums = np.asarray(self.min_contacts, dtype=float) if self.has_minimums else np.zeros(0)
        budget = np.inf if self.budget is None else self.budget
        contacts = np.inf if self.max_contacts is None else self.max_contacts
        counts = np.floor([*self._capacity, contacts])
        minimums = np.where(minimums > 0, -minimums, np.inf)
        return PlanLimits(np.concatenate([[budget], counts, minimums]), len(self._capacity))

    @property
    def arrays(self) -> CustomerArrays:
        """Arrays of all customers, without the offers that gain nothing or that no limit allows."""
        available = self._capacity >= 1
        budget = np.inf if self.budget is None else float(self.budget)
        max_cost = budget if self.cost.size and self.cost.max() > budget else np.inf
        if self.cost.ndim == 1:
            available, max_cost = available & (self.cost <= max_cost), np.inf
        segment = np.asarray(self.segment, dtype=np.intp) if self.has_minimums else None
        eligible = None if self.eligible is None else np.asarray(self.eligible, dtype=bool)
        return CustomerArrays(self.net, self.cost, eligible, available, max_cost, segment)


def _invalid_value_error(
    name: str, values: np.ndarray, is_invalid: np.ndarray, expected: str
) -> RetainError:
    """Return an error that names the first invalid value."""
    index = tuple(int(i) for i in np.argwhere(is_invalid)[0])
    position = f"offer {index[-1]}" + (f" for customer {index[0]}" if len(index) > 1 else "")
    return RetainError.at(f"{name} of {position}", f"it is {values[index]}", f"expected {expected}")


def check_minimums(arrays: CustomerArrays, limits: PlanLimits) -> None:
    """Raise RetainError for minimums above the customers who gain, or above all contacts."""
    minimums = -limits.upper[2 + limits.n_offers :]
    eligible = np.zeros(len(minimums), dtype=np.intp)
    for chunk in arrays.iter_chunks():
        is_eligible = chunk.net.max(axis=0, initial=-np.inf) > -np.inf
        eligible += chunk.sum_by_segment(is_eligible.astype(float), len(minimums)).astype(np.intp)
    for segment in np.flatnonzero(minimums > eligible):
        raise RetainError(
            f"segment {segment} has {eligible[segment]:,} customers for whom an offer pays, and "
            f"{minimums[segment]:,.0f} of them must be contacted. Lower its minimum."
        )
    total, allowed = minimums[minimums > 0].sum(), limits.upper[1 + limits.n_offers]
    if total > allowed:
        raise RetainError(
            f"the segments' minimums add up to {total:,.0f} contacts, and {allowed:,.0f} are "
            "allowed."
        )


def estimate_scale(arrays: CustomerArrays) -> float:
    """Return a typical net value: the mean of the best offer's, over a thousand customers."""
    rows = np.arange(0, len(arrays), max(len(arrays) // 1000, 1))
    best = arrays.select(rows).net.max(axis=0, initial=-np.inf)
    best = best[np.isfinite(best)]
    gains = best[best > 0]
    size = float(gains.mean()) if len(gains) else float(np.abs(best).mean()) if len(best) else 0.0
    return size if size > 0 else 1.0


def bound_prices(problem: Problem, limits: PlanLimits, scale: float) -> np.ndarray:
    """Return an upper bound (limits,) of each price, 0 without a limit."""
    mean = float(problem.cost[:1000].mean()) if problem.cost.size else 0.0
    bounds = np.full(len(limits.upper), max(float(problem.net.max()), scale))
    if limits.n_segments:
        bounds[:] = MAX_PRICE_RATIO * scale
    bounds[0] = MAX_PRICE_RATIO * bounds[0] / mean if mean > 0 else 0.0
    return np.where(limits.is_finite & (np.abs(limits.upper) > 0), bounds, 0.0)
