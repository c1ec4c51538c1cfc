"""What an allocation is asked for: net values, costs, limits; and whether there is an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.allocation.limits import Limits
from retain.campaign.allocation.pool import Cells
from retain.errors import RetainError

DEAREST = 1e6
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
    contacts
        The most customers who may get any offer; None is no limit.
    segment
        (n,) the segment of each customer, 0 … k − 1; needed with ``least``.
    least
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
    contacts: int | None = None
    segment: np.ndarray | None = None
    least: np.ndarray | None = None
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
        least = None if self.least is None else (len(self.least),)
        shapes = (
            ("cost", self.cost, ((n, m), (m,))),
            ("eligible", self.eligible, ((n, m),)),
            ("capacity", self.capacity, ((m,),)),
            ("segment", self.segment, ((n,),)),
            ("least", self.least, (least,)),
            ("keys", self.keys, ((n,),)),
        )
        for name, array, fitting in shapes:
            if array is not None and np.shape(array) not in fitting:
                raise ValueError(f"{name} is {np.shape(array)}, expected {fitting} with net {n, m}")
        if self.least is not None and self.segment is None:
            raise ValueError("least is given without segment")

    def _check_numbers(self) -> None:
        if self.net.size and not np.isfinite([self.net.min(), self.net.max()]).all():
            raise _at("net value", self.net, ~np.isfinite(self.net), "a finite number")
        if self.cost.size and not (self.cost.min() >= 0 and self.cost.max() < np.inf):
            wrong = ~(np.isfinite(self.cost) & (self.cost >= 0))
            raise _at("cost", self.cost, wrong, "a finite number, at least 0")

    def _check_limits(self) -> None:
        limits = (("budget", self.budget), ("contacts", self.contacts))
        for name, value in (*limits, *(("capacity", one) for one in self._capacity)):
            if value is not None and not value >= 0:
                raise RetainError.at(name, f"it is {value!r}", "expected a number, at least 0")
        if self.segment is not None and len(self.segment) and self.least is not None:
            if not 0 <= np.min(self.segment) <= np.max(self.segment) < len(self.least):
                raise ValueError(f"segment is not within 0 … {len(self.least) - 1}")
            if np.min(self.least) < 0:
                raise RetainError.at("least", f"it is {self.least!r}", "expected numbers ≥ 0")

    @property
    def _capacity(self) -> np.ndarray:
        offers = self.net.shape[1]
        return np.full(offers, np.inf) if self.capacity is None else np.asarray(self.capacity)

    def names(self, rows: np.ndarray) -> np.ndarray:
        """What tells the customers at these places from others."""
        return rows if self.keys is None else np.asarray(self.keys)[rows]

    @property
    def minimums(self) -> bool:
        """Whether any segment must get contacts."""
        return self.least is not None and bool(np.any(np.asarray(self.least) > 0))

    @property
    def limits(self) -> Limits:
        """All limits; of places and contacts, whole ones count."""
        least = np.asarray(self.least, dtype=float) if self.minimums else np.zeros(0)
        budget = np.inf if self.budget is None else self.budget
        contacts = np.inf if self.contacts is None else self.contacts
        whole = np.floor([*self._capacity, contacts])
        asked = np.where(least > 0, -least, np.inf)
        return Limits(np.concatenate([[budget], whole, asked]), len(self._capacity))

    @property
    def cells(self) -> Cells:
        """All customers, with what nobody may choose closed."""
        offers = self._capacity >= 1
        budget = np.inf if self.budget is None else float(self.budget)
        dearest = budget if self.cost.size and self.cost.max() > budget else np.inf
        if self.cost.ndim == 1:
            offers, dearest = offers & (self.cost <= dearest), np.inf
        segment = np.asarray(self.segment, dtype=np.intp) if self.minimums else None
        allowed = None if self.eligible is None else np.ascontiguousarray(self.eligible, dtype=bool)
        return Cells(self.net, self.cost, allowed, offers, dearest, segment)


def _at(what: str, values: np.ndarray, wrong: np.ndarray, expected: str) -> RetainError:
    """The first wrong value and its place."""
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    where = f"offer {place[-1]}" + (f" for customer {place[0]}" if len(place) > 1 else "")
    return RetainError.at(f"{what} of {where}", f"it is {values[place]}", f"expected {expected}")


def check_minimums(cells: Cells, limits: Limits) -> None:
    """Refuse minimums that not enough customers are eligible for, or that pass the contact cap.

    Raises
    ------
    RetainError
        Naming the segment by its number, how many are eligible and how many are asked for.
    """
    asked = -limits.most[2 + limits.offers :]
    eligible = np.zeros(len(asked), dtype=np.intp)
    for block in cells.blocks():
        pool = block.part(np.arange(len(block)))
        some = pool.net.max(axis=0, initial=-np.inf) > -np.inf
        eligible += pool.per_segment(some.astype(float), len(asked)).astype(np.intp)
    for segment in np.flatnonzero(asked > eligible):
        raise RetainError(
            f"segment {segment} has {eligible[segment]:,} customers whom an offer may go to, and "
            f"{asked[segment]:,.0f} of them must be contacted. Lower its minimum."
        )
    total, most = asked[asked > 0].sum(), limits.most[1 + limits.offers]
    if total > most:
        raise RetainError(
            f"the segments' minimums add up to {total:,.0f} contacts, and {most:,.0f} are allowed."
        )


def usual(cells: Cells) -> float:
    """A net value of the usual size: the mean of the best, over a thousand customers."""
    rows = np.arange(0, len(cells), max(len(cells) // 1000, 1))
    best = cells.pool(rows).net.max(axis=0, initial=-np.inf)
    best = best[np.isfinite(best)]
    gains = best[best > 0]
    size = float(gains.mean()) if len(gains) else float(np.abs(best).mean()) if len(best) else 0.0
    return size if size > 0 else 1.0


def highest(problem: Problem, limits: Limits, scale: float) -> np.ndarray:
    """(limits,) more than any price can be: 0 where there is no limit."""
    mean = float(problem.cost[:1000].mean()) if problem.cost.size else 0.0
    most = np.full(len(limits.most), max(float(problem.net.max()), scale))
    if limits.segments:
        most[:] = DEAREST * scale
    most[0] = DEAREST * most[0] / mean if mean > 0 else 0.0
    return np.where(limits.given & (np.abs(limits.most) > 0), most, 0.0)
