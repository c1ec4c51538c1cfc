"""A plan within its limits: too much is taken back where it costs least, room left is used.

What cooling leaves is a plan that misses its limits by a few customers. Those nearest to their
margin are moved until all limits hold; then single moves, and moves by two, use what is left. The
price of every step is known beforehand, and the bound says how much is left to gain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from retain.campaign.allocation.limits import Limits, Prices
from retain.campaign.allocation.pool import CustomerPool

N_COST_STEPS = 41
"""Kinds of cost that are told apart."""


def select_marginal(
    pool: CustomerPool, prices: Prices, choice: np.ndarray, many: int
) -> np.ndarray:
    """The places of the customers whose choice would change first, those against it before all.

    Half are the nearest of all; half are the nearest of each kind, by present choice, next best
    and what that costs more, lest among masses of equals there be nobody to give to, or to take
    from, or none whose cost fits into what is left.
    """
    if len(pool) <= many:
        return np.arange(len(pool))
    reduced = np.vstack([pool.apply_prices(prices), np.zeros(len(pool))])
    own = np.where(choice < 0, len(pool.net), choice).astype(np.intp), np.arange(len(pool))
    mine = reduced[own]
    reduced[own] = -np.inf
    margin = mine - reduced.max(axis=0)
    other = reduced.argmax(axis=0)
    cost = np.vstack([pool.cost, np.zeros(len(pool))])
    kind = own[0] * len(reduced) + other
    kind = kind * N_COST_STEPS + quantise_costs(cost[other, own[1]] - cost[own])
    order = np.argsort(margin, kind="stable")
    by_kind = order[np.argsort(rank_within_kind(kind[order]), kind="stable")]
    return np.union1d(order[: many // 2], by_kind[: many // 2])


def quantise_costs(cost: np.ndarray) -> np.ndarray:
    """Differences of cost in coarse steps, 0 … STEPPED − 1, of a quarter of the usual one.

    >>> quantise_costs(np.array([-1.0, 0.0, 0.1, 1.0, 50.0])).tolist()
    [20, 20, 20, 20, 39]
    """
    usual = float(np.abs(cost).mean()) or 1.0
    half = N_COST_STEPS // 2
    return np.clip(np.rint(4 * cost / usual), -half, half).astype(np.intp) + half


def rank_within_kind(kind: np.ndarray) -> np.ndarray:
    """How many of the same kind come before each.

    >>> rank_within_kind(np.array([7, 3, 7, 7, 3])).tolist()
    [0, 0, 1, 2, 1]
    """
    by_kind = np.argsort(kind, kind="stable")
    starts = np.flatnonzero(np.diff(kind[by_kind], prepend=-1))
    rank = np.empty(len(kind), dtype=np.intp)
    rank[by_kind] = np.arange(len(kind)) - np.repeat(starts, np.diff([*starts, len(kind)]))
    return rank


NEAR = 400
"""Customers nearest to their margin, who may be moved."""
MAX_PAIRED_MOVES = 400
"""Moves that are tried by two."""
MAX_ROUNDS = 300
"""Looks at all moves at most before a repair is given up."""
EXCESS_CONTACTS_PER_MOVE = 8
"""One move for so many contacts too much is made at a look."""
ROUNDING_SHARE = 1e-12
"""Share of a limit by which rounding may make a sum exceed it."""


@dataclass
class Moves:
    """What every move of every customer brings and uses.

    Attributes
    ----------
    choice
        (customers,) the present choice; ``offers`` stands for nothing.
    net, loss
        (offers + 1, customers) net value, and what it lacks to the best at the dual's prices.
    usage
        (offers + 1, customers, limits) what is used of each limit.
    left, upper
        (limits,) what is left of each, and what there was.
    unit
        (limits,) what a contact uses of each, about.
    segment
        (customers,) the segment, 0 where it does not matter.
    """

    choice: np.ndarray
    net: np.ndarray
    loss: np.ndarray
    usage: np.ndarray
    slack: np.ndarray
    upper: np.ndarray
    unit: np.ndarray
    segment: np.ndarray

    @classmethod
    def from_pool(
        cls, pool: CustomerPool, choice: np.ndarray, limits: Limits, prices: Prices
    ) -> Moves:
        """The moves of a pool whose limits are the given ones less what others use."""
        offers, customers = pool.net.shape
        net = np.vstack([pool.net, np.zeros(customers)])
        reduced = np.vstack([pool.apply_prices(prices), np.zeros(customers)])
        uses = np.zeros((offers + 1, customers, len(limits.upper)))
        uses[:-1, :, 0] = pool.cost
        uses[range(offers), :, range(1, 1 + offers)] = 1
        uses[:-1, :, 1 + offers] = 1
        if pool.segment is not None:
            uses[:-1, range(customers), 2 + offers + pool.segment] = -1
        choice = np.where(choice < 0, offers, choice).astype(np.intp)
        left = limits.upper - uses[choice, range(customers)].sum(axis=0)
        mean = float(pool.cost.mean()) if pool.cost.size else 0.0
        unit = np.ones(len(left))
        unit[0] = mean if mean > 0 else 1.0
        loss = reduced.max(axis=0) - reduced
        segment = np.zeros(customers, dtype=np.intp) if pool.segment is None else pool.segment
        return cls(choice, net, loss, uses, left, limits.upper, unit, segment)

    @property
    def current(self) -> tuple[np.ndarray, range]:
        """Index of every customer's present choice."""
        return self.choice, range(len(self.choice))

    def sum_excess(self, left: np.ndarray) -> np.ndarray:
        """(...) by how much limits (..., limits) are passed, in contacts."""
        over = np.negative(left)
        over[~np.isfinite(left)] = 0
        over -= ROUNDING_SHARE * np.abs(self.finite_upper)
        np.maximum(over, 0, out=over)
        over /= self.unit
        return np.asarray(over.sum(axis=-1))

    @property
    def finite_upper(self) -> np.ndarray:
        """The limits, 0 in place of none."""
        return np.where(np.isfinite(self.upper), self.upper, 0)

    def compute_changes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What each move adds in net value, in loss, and in what is used of each limit."""
        return (
            self.net - self.net[self.current],
            self.loss - self.loss[self.current],
            self.usage - self.usage[self.current],
        )

    def move_if_closer(self, offer: int, customer: int) -> None:
        """Move a customer to another offer where limits are passed by less then."""
        change = self.usage[offer, customer] - self.usage[self.choice[customer], customer]
        if self.sum_excess(self.slack - change) < self.sum_excess(self.slack) - 1e-9:
            self.move(offer, customer)

    def move(self, offer: int, customer: int) -> None:
        """Move a customer to another offer."""
        before = self.usage[self.choice[customer], customer]
        self.slack -= self.usage[offer, customer] - before
        self.choice[customer] = offer


def repair_plan(
    pool: CustomerPool, choice: np.ndarray, limits: Limits, prices: Prices, goal: float
) -> np.ndarray | None:
    """The choice moved within the limits and improved; None where it cannot be.

    Parameters
    ----------
    limits
        What customers outside the pool have left.
    goal
        Loss, limits' unused worth included, below which nothing more is tried.
    """
    moves = Moves.from_pool(pool, choice, limits, prices)
    if not enforce_limits(moves):
        return None
    improve_plan(moves, prices, goal)
    return np.where(moves.choice == len(pool.net), -1, moves.choice).astype(np.int16)


def enforce_limits(moves: Moves) -> bool:
    """Whether moves, the cheapest for what they mend first, came within all limits."""
    for _ in range(MAX_ROUNDS):
        lacks = float(moves.sum_excess(moves.slack))
        if lacks <= 0:
            return True
        net, loss, uses = moves.compute_changes()
        mends = lacks - moves.sum_excess(moves.slack - uses)
        helps = (mends > 1e-9) & np.isfinite(net)
        price = np.where(helps, np.maximum(loss, 0) + 1e-12, np.inf)
        price /= np.where(helps, mends, 1)
        many = 1 + int(lacks / EXCESS_CONTACTS_PER_MOVE)
        places = np.argpartition(price, min(many, price.size) - 1, axis=None)[:many]
        for place in places[np.argsort(price.reshape(-1)[places])]:
            offer, customer = np.unravel_index(int(place), price.shape)
            if np.isfinite(price[offer, customer]):
                moves.move_if_closer(int(offer), int(customer))
        if float(moves.sum_excess(moves.slack)) >= lacks:
            return False
    return False


def improve_plan(moves: Moves, prices: Prices, goal: float) -> None:
    """Make the moves, alone or by two, that add most, until the loss is below the goal."""
    for _ in range(MAX_ROUNDS):
        worth = float(
            moves.loss[moves.current].sum()
            + np.maximum(np.where(prices.vector > 0, moves.slack, 0), 0) @ prices.vector
        )
        if worth <= goal or not _make_best_move(moves):
            return


def _make_best_move(moves: Moves) -> bool:
    """Whether a single move, or else one by two, adds something.

    Of single moves the one that loses least against the prices comes first: it leaves the room
    that it takes to nobody who would make more of it.
    """
    net, loss, uses = moves.compute_changes()
    least = 1e-12 * np.abs(moves.net[moves.current]).max(initial=0)
    adds = (net > least) & (moves.sum_excess(moves.slack - uses) <= 0)
    if adds.any():
        loses = np.where(adds, loss, np.inf)
        offer, customer = np.unravel_index(int(loses.argmin()), loses.shape)
        moves.move(int(offer), int(customer))
        return True
    return _make_best_pair(moves, net, loss, uses)


def _make_best_pair(moves: Moves, net: np.ndarray, loss: np.ndarray, uses: np.ndarray) -> bool:
    """Whether two moves add something together."""
    offer, customer = _select_candidates(moves, net, loss)
    gain, use = net[offer, customer], uses[offer, customer]
    both = gain[:, None] + gain
    adds = both > 1e-12 * np.abs(gain).max(initial=0)
    adds &= customer[:, None] != customer
    adds[_lower_triangle(len(gain))] = False
    first, second = np.nonzero(adds)
    ranked = np.argsort(-both[first, second])
    for start in range(0, len(ranked), 2000):
        some = ranked[start : start + 2000]
        a, b = first[some], second[some]
        left = moves.slack - use[a]
        left -= use[b]
        fits = moves.sum_excess(left) <= 0
        if fits.any():
            best = int(fits.argmax())
            for one in (a[best], b[best]):
                moves.move(int(offer[one]), int(customer[one]))
            return True
    return False


@lru_cache(maxsize=8)
def _lower_triangle(size: int) -> np.ndarray:
    """The diagonal of a square and all below it."""
    return np.tri(size, dtype=bool)


def _select_candidates(
    moves: Moves, net: np.ndarray, loss: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Moves that lose little, of each kind some: from an offer to another, or to nothing."""
    cost = np.where(np.isfinite(net), loss, np.inf)
    cost[moves.current] = np.inf
    flat = np.argsort(cost, axis=None)[: 20 * MAX_PAIRED_MOVES]
    flat = flat[np.isfinite(cost.reshape(-1)[flat])]
    offer, customer = np.unravel_index(flat, cost.shape)
    kind = moves.choice[customer] * len(net) + offer + moves.segment[customer] * len(net) ** 2
    kind = kind * N_COST_STEPS + quantise_costs(
        moves.usage[offer, customer, 0] - moves.usage[moves.current][customer, 0]
    )
    some = np.sort(np.argsort(rank_within_kind(kind), kind="stable")[:MAX_PAIRED_MOVES])
    return offer[some], customer[some]
