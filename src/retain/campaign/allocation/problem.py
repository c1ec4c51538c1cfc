"""What an allocation is asked for: net values, costs, limits; and whether there is an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.allocation.limits import Limits
from retain.campaign.allocation.pool import CustomerArrays
from retain.errors import RetainError

MAX_PRICE_RATIO = 1e6
"""Times the usual net value that the price of a usual contact may be."""


@dataclass(frozen=True)
class Problem:
    """n customers, m offers, k segments; at most one offer a customer.

    Attributes
    ----------
    net
        (n, m) expected net value of an offer to a customer; finite.
    cost
        (n, m) expected cost, or (m,) where it is the same for everybody; ≥ 0.
    eligible
        (n, m) whether a customer may get an offer; None is everybody everything.
    budget
        The most all offers together may cost; None is no limit.
    capacity
        (m,) the most customers each offer may go to, ``inf`` without limit; None is no limits.
    max_contacts
        The most customers who may get any offer; None is no limit.
    segment
        (n,) the segment of each customer, 0 … k − 1; needed with ``min_contacts``.
    min_contacts
        (k,) customers of each segment who must get an offer, were it at a loss; None is nobody.
    keys
        (n,) numbers that tell customers apart wherever they stand, as hashes of their ids; None
        takes their places.
    seed
        Decides among customers who are worth the same.

    Raises
    ------
    RetainError
        Where a net value or a cost is no number, a cost or a limit is below zero, or a segment
        has fewer eligible customers than must be contacted.
    ValueError
        Where shapes do not fit.
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
        """Hold the arrays against each other."""
        for name in ("net", "cost"):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=float))
        self._check_shapes()
        self._check_numbers()
        self._check_limits()

    def _check_shapes(self) -> None:
        n, m = self.net.shape
        least = None if self.min_contacts is None else (len(self.min_contacts),)
        shapes = (
            ("cost", self.cost, ((n, m), (m,))),
            ("eligible", self.eligible, ((n, m),)),
            ("capacity", self.capacity, ((m,),)),
            ("segment", self.segment, ((n,),)),
            ("min_contacts", self.min_contacts, (least,)),
            ("keys", self.keys, ((n,),)),
        )
        for name, array, fitting in shapes:
            if array is not None and np.shape(array) not in fitting:
                raise ValueError(f"{name} is {np.shape(array)}, expected {fitting} with net {n, m}")
        if self.min_contacts is not None and self.segment is None:
            raise ValueError("min_contacts is given without segment")

    def _check_numbers(self) -> None:
        if self.net.size and not np.isfinite([self.net.min(), self.net.max()]).all():
            raise _invalid_value_error(
                "net value", self.net, ~np.isfinite(self.net), "a finite number"
            )
        if self.cost.size and not (self.cost.min() >= 0 and self.cost.max() < np.inf):
            wrong = ~(np.isfinite(self.cost) & (self.cost >= 0))
            raise _invalid_value_error("cost", self.cost, wrong, "a finite number, at least 0")

    def _check_limits(self) -> None:
        limits = (("budget", self.budget), ("max_contacts", self.max_contacts))
        for name, value in (*limits, *(("capacity", one) for one in self._capacity)):
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
        offers = self.net.shape[1]
        return np.full(offers, np.inf) if self.capacity is None else np.asarray(self.capacity)

    def select_keys(self, rows: np.ndarray) -> np.ndarray:
        """What tells the customers at these places from others."""
        return rows if self.keys is None else np.asarray(self.keys)[rows]

    @property
    def has_minimums(self) -> bool:
        """Whether any segment must get contacts."""
        return self.min_contacts is not None and bool(np.any(np.asarray(self.min_contacts) > 0))

    @property
    def limits(self) -> Limits:
        """All limits; of places and contacts, whole ones count."""
        least = np.asarray(self.min_contacts, dtype=float) if self.has_minimums else np.zeros(0)
        budget = np.inf if self.budget is None else self.budget
        contacts = np.inf if self.max_contacts is None else self.max_contacts
        whole = np.floor([*self._capacity, contacts])
        asked = np.where(least > 0, -least, np.inf)
        return Limits(np.concatenate([[budget], whole, asked]), len(self._capacity))

    @property
    def arrays(self) -> CustomerArrays:
        """All customers, with what nobody may choose closed."""
        offers = self._capacity >= 1
        budget = np.inf if self.budget is None else float(self.budget)
        dearest = budget if self.cost.size and self.cost.max() > budget else np.inf
        if self.cost.ndim == 1:
            offers, dearest = offers & (self.cost <= dearest), np.inf
        segment = np.asarray(self.segment, dtype=np.intp) if self.has_minimums else None
        allowed = None if self.eligible is None else np.ascontiguousarray(self.eligible, dtype=bool)
        return CustomerArrays(self.net, self.cost, allowed, offers, dearest, segment)


def _invalid_value_error(
    what: str, values: np.ndarray, wrong: np.ndarray, expected: str
) -> RetainError:
    """The first wrong value and its place."""
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    where = f"offer {place[-1]}" + (f" for customer {place[0]}" if len(place) > 1 else "")
    return RetainError.at(f"{what} of {where}", f"it is {values[place]}", f"expected {expected}")


def check_minimums(arrays: CustomerArrays, limits: Limits) -> None:
    """Refuse minimums that not enough customers are eligible for, or that pass the contact cap.

    Raises
    ------
    RetainError
        Naming the segment by its number, how many are eligible and how many are asked for.
    """
    asked = -limits.upper[2 + limits.n_offers :]
    eligible = np.zeros(len(asked), dtype=np.intp)
    for chunk in arrays.iter_chunks():
        pool = chunk.select(np.arange(len(chunk)))
        some = pool.net.max(axis=0, initial=-np.inf) > -np.inf
        eligible += pool.sum_by_segment(some.astype(float), len(asked)).astype(np.intp)
    for segment in np.flatnonzero(asked > eligible):
        raise RetainError(
            f"segment {segment} has {eligible[segment]:,} customers whom an offer may go to, and "
            f"{asked[segment]:,.0f} of them must be contacted. Lower its minimum."
        )
    total, most = asked[asked > 0].sum(), limits.upper[1 + limits.n_offers]
    if total > most:
        raise RetainError(
            f"the segments' minimums add up to {total:,.0f} contacts, and {most:,.0f} are allowed."
        )


def estimate_scale(arrays: CustomerArrays) -> float:
    """A net value of the usual size: the mean of the best, over a thousand customers."""
    rows = np.arange(0, len(arrays), max(len(arrays) // 1000, 1))
    best = arrays.select(rows).net.max(axis=0, initial=-np.inf)
    best = best[np.isfinite(best)]
    gains = best[best > 0]
    size = float(gains.mean()) if len(gains) else float(np.abs(best).mean()) if len(best) else 0.0
    return size if size > 0 else 1.0


def bound_prices(problem: Problem, limits: Limits, scale: float) -> np.ndarray:
    """(limits,) more than any price can be: 0 where there is no limit."""
    mean = float(problem.cost[:1000].mean()) if problem.cost.size else 0.0
    most = np.full(len(limits.upper), max(float(problem.net.max()), scale))
    if limits.n_segments:
        most[:] = MAX_PRICE_RATIO * scale
    most[0] = MAX_PRICE_RATIO * most[0] / mean if mean > 0 else 0.0
    return np.where(limits.is_finite & (np.abs(limits.upper) > 0), most, 0.0)
