"""Repair of a plan: within its limits at the lowest loss, then improved.

Annealing leaves a plan that misses its limits by a few customers. Those nearest to their margin are
moved until all limits hold; then single moves, and pairs of moves, use the slack. Prices give the
loss of every move beforehand, and the bound tells how much is left to gain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from retain.campaign.allocation.customer_pool import CustomerPool
from retain.campaign.allocation.limits import Limits, Prices

N_COST_STEPS = 41
"""Number of distinct steps of a cost difference."""


def select_marginal(
    pool: CustomerPool, prices: Prices, choice: np.ndarray, size: int
) -> np.ndarray:
    """Return the index of the ``size`` customers nearest to a change of choice.

    Half are the nearest of all. Half are the nearest of each kind, by current choice, next best
    choice and difference in cost, so that equal customers do not crowd out moves that fit.
    """
    if len(pool) <= size:
        return np.arange(len(pool))
    reduced = np.vstack([pool.apply_prices(prices), np.zeros(len(pool))])
    own = np.where(choice < 0, len(pool.net), choice).astype(np.intp), np.arange(len(pool))
    current_value = reduced[own]
    reduced[own] = -np.inf
    margin = current_value - reduced.max(axis=0)
    other = reduced.argmax(axis=0)
    cost = np.vstack([pool.cost, np.zeros(len(pool))])
    kind = own[0] * len(reduced) + other
    kind = kind * N_COST_STEPS + quantise_costs(cost[other, own[1]] - cost[own])
    order = np.argsort(margin, kind="stable")
    by_kind = order[np.argsort(rank_within_kind(kind[order]), kind="stable")]
    return np.union1d(order[: size // 2], by_kind[: size // 2])


def quantise_costs(cost: np.ndarray) -> np.ndarray:
    """Return differences of cost in coarse steps, 0 … ``N_COST_STEPS`` − 1.

    A step is a quarter of the typical difference.

    >>> quantise_costs(np.array([-1.0, 0.0, 0.1, 1.0, 50.0])).tolist()
    [20, 20, 20, 20, 39]
    """
    typical = float(np.abs(cost).mean()) or 1.0
    middle = N_COST_STEPS // 2
    return np.clip(np.rint(4 * cost / typical), -middle, middle).astype(np.intp) + middle


def rank_within_kind(kind: np.ndarray) -> np.ndarray:
    """Return the number of earlier entries of the same kind, for each entry.

    >>> rank_within_kind(np.array([7, 3, 7, 7, 3])).tolist()
    [0, 0, 1, 2, 1]
    """
    by_kind = np.argsort(kind, kind="stable")
    starts = np.flatnonzero(np.diff(kind[by_kind], prepend=-1))
    rank = np.empty(len(kind), dtype=np.intp)
    rank[by_kind] = np.arange(len(kind)) - np.repeat(starts, np.diff([*starts, len(kind)]))
    return rank


MAX_PAIRED_MOVES = 400
"""Moves tried in pairs."""
MAX_ROUNDS = 300
"""Rounds over all moves before a repair gives up."""
EXCESS_CONTACTS_PER_MOVE = 8
"""Contacts too many for which one more move is made per round."""
ROUNDING_SHARE = 1e-12
"""Excess of a sum over its limit, as a share of the limit, that counts as rounding."""


@dataclass
class Moves:
    """Net value and usage of every move of every customer.

    Attributes
    ----------
    choice
        (customers,) the current choice; ``n_offers`` for no offer.
    net, loss
        (offers + 1, customers) net value, and loss against the best choice at the dual's prices.
    usage
        (offers + 1, customers, limits) usage of each limit.
    slack, upper
        (limits,) what the current choices leave of each limit, and the limit.
    unit
        (limits,) typical usage by one contact.
    segment
        (customers,) index of the segment, 0 without minimums.
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
        """Return the moves of a pool; ``limits`` exclude the usage of other customers."""
        n_offers, n_customers = pool.net.shape
        net = np.vstack([pool.net, np.zeros(n_customers)])
        reduced = np.vstack([pool.apply_prices(prices), np.zeros(n_customers)])
        usage = np.zeros((n_offers + 1, n_customers, len(limits.upper)))
        usage[:-1, :, 0] = pool.cost
        usage[range(n_offers), :, range(1, 1 + n_offers)] = 1
        usage[:-1, :, 1 + n_offers] = 1
        if pool.segment is not None:
            usage[:-1, range(n_customers), 2 + n_offers + pool.segment] = -1
        choice = np.where(choice < 0, n_offers, choice).astype(np.intp)
        slack = limits.upper - usage[choice, range(n_customers)].sum(axis=0)
        mean = float(pool.cost.mean()) if pool.cost.size else 0.0
        unit = np.ones(len(slack))
        unit[0] = mean if mean > 0 else 1.0
        loss = reduced.max(axis=0) - reduced
        segment = np.zeros(n_customers, dtype=np.intp) if pool.segment is None else pool.segment
        return cls(choice, net, loss, usage, slack, limits.upper, unit, segment)

    @property
    def current(self) -> tuple[np.ndarray, range]:
        """Index of every customer's current choice."""
        return self.choice, range(len(self.choice))

    def sum_excess(self, slack: np.ndarray) -> np.ndarray:
        """Return the total excess (...) over limits with slack (..., limits), in contacts."""
        excess = np.negative(slack)
        excess[~np.isfinite(slack)] = 0
        excess -= ROUNDING_SHARE * np.abs(self.finite_upper)
        np.maximum(excess, 0, out=excess)
        excess /= self.unit
        return np.asarray(excess.sum(axis=-1))

    @property
    def finite_upper(self) -> np.ndarray:
        """(limits,) the limits, 0 for none."""
        return np.where(np.isfinite(self.upper), self.upper, 0)

    def compute_changes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the change of each move in net value, loss and usage."""
        return (
            self.net - self.net[self.current],
            self.loss - self.loss[self.current],
            self.usage - self.usage[self.current],
        )

    def move_if_closer(self, offer: int, customer: int) -> None:
        """Change a customer's offer if that reduces the total excess."""
        change = self.usage[offer, customer] - self.usage[self.choice[customer], customer]
        if self.sum_excess(self.slack - change) < self.sum_excess(self.slack) - 1e-9:
            self.move(offer, customer)

    def move(self, offer: int, customer: int) -> None:
        """Change a customer's offer."""
        before = self.usage[self.choice[customer], customer]
        self.slack -= self.usage[offer, customer] - before
        self.choice[customer] = offer


def repair_plan(
    pool: CustomerPool, choice: np.ndarray, limits: Limits, prices: Prices, goal: float
) -> np.ndarray | None:
    """Return the choice moved within the limits and improved; None if that fails.

    Parameters
    ----------
    limits
        The limits less the usage of customers outside the pool.
    goal
        Loss, the value of unused limits included, at which improvement stops.
    """
    moves = Moves.from_pool(pool, choice, limits, prices)
    if not enforce_limits(moves):
        return None
    improve_plan(moves, prices, goal)
    return np.where(moves.choice == len(pool.net), -1, moves.choice).astype(np.int16)


def enforce_limits(moves: Moves) -> bool:
    """Move customers, cheapest reduction of excess first, and return whether all limits hold."""
    for _ in range(MAX_ROUNDS):
        excess = float(moves.sum_excess(moves.slack))
        if excess <= 0:
            return True
        net, loss, usage = moves.compute_changes()
        reduction = excess - moves.sum_excess(moves.slack - usage)
        is_useful = (reduction > 1e-9) & np.isfinite(net)
        price = np.where(is_useful, np.maximum(loss, 0) + 1e-12, np.inf)
        price /= np.where(is_useful, reduction, 1)
        size = 1 + int(excess / EXCESS_CONTACTS_PER_MOVE)
        flat_index = np.argpartition(price, min(size, price.size) - 1, axis=None)[:size]
        for flat in flat_index[np.argsort(price.reshape(-1)[flat_index])]:
            offer, customer = np.unravel_index(int(flat), price.shape)
            if np.isfinite(price[offer, customer]):
                moves.move_if_closer(int(offer), int(customer))
        if float(moves.sum_excess(moves.slack)) >= excess:
            return False
    return False


def improve_plan(moves: Moves, prices: Prices, goal: float) -> None:
    """Make the moves, single or in pairs, that gain most, until the loss is below the goal."""
    for _ in range(MAX_ROUNDS):
        remaining = float(
            moves.loss[moves.current].sum()
            + np.maximum(np.where(prices.vector > 0, moves.slack, 0), 0) @ prices.vector
        )
        if remaining <= goal or not _make_best_move(moves):
            return


def _make_best_move(moves: Moves) -> bool:
    """Make a single move, or else a pair, that gains net value; return whether there was one.

    Of single moves, the one with the smallest loss against the prices comes first: it takes slack
    that no other customer could use better.
    """
    net, loss, usage = moves.compute_changes()
    min_gain = 1e-12 * np.abs(moves.net[moves.current]).max(initial=0)
    is_gain = (net > min_gain) & (moves.sum_excess(moves.slack - usage) <= 0)
    if is_gain.any():
        candidates = np.where(is_gain, loss, np.inf)
        offer, customer = np.unravel_index(int(candidates.argmin()), candidates.shape)
        moves.move(int(offer), int(customer))
        return True
    return _make_best_pair(moves, net, loss, usage)


def _make_best_pair(moves: Moves, net: np.ndarray, loss: np.ndarray, usage: np.ndarray) -> bool:
    """Make the best pair of moves that gains net value; return whether there was one."""
    offer, customer = _select_candidates(moves, net, loss)
    gain, pair_usage = net[offer, customer], usage[offer, customer]
    total_gain = gain[:, None] + gain
    is_gain = total_gain > 1e-12 * np.abs(gain).max(initial=0)
    is_gain &= customer[:, None] != customer
    is_gain[_lower_triangle(len(gain))] = False
    first, second = np.nonzero(is_gain)
    order = np.argsort(-total_gain[first, second])
    for start in range(0, len(order), 2000):
        selected = order[start : start + 2000]
        a, b = first[selected], second[selected]
        slack = moves.slack - pair_usage[a]
        slack -= pair_usage[b]
        fits = moves.sum_excess(slack) <= 0
        if fits.any():
            best = int(fits.argmax())
            for index in (a[best], b[best]):
                moves.move(int(offer[index]), int(customer[index]))
            return True
    return False


@lru_cache(maxsize=8)
def _lower_triangle(size: int) -> np.ndarray:
    """Return a mask of the diagonal of a square and everything below it."""
    return np.tri(size, dtype=bool)


def _select_candidates(
    moves: Moves, net: np.ndarray, loss: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return moves of little loss, some of each kind: to another offer, or to none."""
    cost = np.where(np.isfinite(net), loss, np.inf)
    cost[moves.current] = np.inf
    flat = np.argsort(cost, axis=None)[: 20 * MAX_PAIRED_MOVES]
    flat = flat[np.isfinite(cost.reshape(-1)[flat])]
    offer, customer = np.unravel_index(flat, cost.shape)
    kind = moves.choice[customer] * len(net) + offer + moves.segment[customer] * len(net) ** 2
    kind = kind * N_COST_STEPS + quantise_costs(
        moves.usage[offer, customer, 0] - moves.usage[moves.current][customer, 0]
    )
    selected = np.sort(np.argsort(rank_within_kind(kind), kind="stable")[:MAX_PAIRED_MOVES])
    return offer[selected], customer[selected]
