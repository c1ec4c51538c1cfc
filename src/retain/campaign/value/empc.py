"""EMPC: the expected maximum profit of targeting by a score, over a random save rate γ.

Verbraken, Verbeke & Baesens 2013 (eq. 11 and 12), with values of individual customers as in
Óskarsdóttir, Baesens & Vanthienen 2018. A targeted decliner brings
γ · (value − incentive) − contact, and a targeted stayer costs
contact + redemption_rate_stayers · incentive; γ ~ Beta.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.offers.offers import redemption_cost
from retain.campaign.offers.save_rate import partial_save_rate_moments
from retain.schema.campaign import Assumptions, Beta, Offer


@dataclass(frozen=True)
class Empc:
    """Expected maximum profit per scored customer, and the share to target (0 to 1)."""

    value: float
    share: float


def empc(  # noqa: PLR0913 - the terms of the measure
    declined: np.ndarray,
    score: np.ndarray,
    value: np.ndarray | float,
    *,
    incentive: np.ndarray | float,
    contact: float,
    save_rate: Beta,
    redemption_rate_stayers: float = 1.0,
) -> Empc:
    """Return the exact EMPC: the best cut-off for each save rate, integrated in closed form.

    For a save rate γ the profit of targeting the k highest scores is γ · A(k) − B(k), so the
    maximum over k is an upper envelope of lines. On each of its pieces one cut-off is best, and the
    Beta's mass and partial mean have a closed form. Equal scores are targeted together.

    Parameters
    ----------
    declined
        1 for decliners and 0 for stayers, or a probability, shape (n,).
    score
        Higher is riskier, shape (n,).
    value, incentive
        By customer, shape (n,), or one number, in the same unit of money.
    contact
        Cost of one contact.
    save_rate
        Distribution of γ.
    redemption_rate_stayers
        Share of targeted stayers who take the incentive; 1 in the papers.

    >>> declined, score = np.array([0, 1, 0, 1, 0, 1, 0, 1]), np.linspace(0.1, 0.8, 8)
    >>> result = empc(declined, score, 200, incentive=10, contact=1,
    ...     save_rate=Beta(alpha=6, beta=14))
    >>> round(result.value, 4), round(result.share, 4)
    (23.8756, 0.8744)
    """
    won = declined * (value - incentive)
    lost = contact + (1 - declined) * redemption_rate_stayers * incentive
    slope, cost, counts = _profit_lines(score, won, lost)
    lines, starts = _envelope(slope, cost)
    mass, mean = partial_save_rate_moments(save_rate, np.append(starts, np.inf))
    best = mean @ slope[lines] - mass @ cost[lines]
    return Empc(float(best) / len(score), float(mass @ counts[lines]) / len(score))


def of_offer(
    audience: Audience, declined: np.ndarray, offer: Offer, assumptions: Assumptions
) -> Empc:
    """Return the EMPC of the audience's scores with its values at stake and one offer's costs.

    ``declined`` has shape (n,), in the order of ``audience.table``, which must have profit.
    """
    table = audience.table
    return empc(
        declined,
        table["score"].to_numpy(),
        table["value_at_stake"].to_numpy(),
        incentive=redemption_cost(
            offer, table["profit"].to_numpy(dtype=float), assumptions.horizon.value
        ),
        contact=offer.contact_cost,
        save_rate=offer.save_rate,
        redemption_rate_stayers=offer.redemption_rate_stayers,
    )


def _profit_lines(
    score: np.ndarray, won: np.ndarray, lost: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A, B and the number of targeted customers of each cut-off, from 0 customers on."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, values=True)
    slope, cost = (np.append(0.0, np.cumsum(one[order])[last]) for one in (won, lost))
    return slope, cost, np.append(0, np.flatnonzero(last) + 1)


def _envelope(slope: np.ndarray, cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lines γ · slope − cost on the upper envelope, by slope, and their first γ.

    One pass over lines sorted by slope (Andrew's monotone chain).
    """
    order = np.lexsort((cost, slope))
    # of equal slopes only the cheapest, which comes first, can be on the envelope
    first = np.append(True, np.diff(slope[order]) > 0)
    lines: list[int] = []
    starts: list[float] = []
    slopes, costs = slope.tolist(), cost.tolist()
    for line in order[first].tolist():
        start = -np.inf
        while lines:
            last = lines[-1]
            start = (costs[line] - costs[last]) / (slopes[line] - slopes[last])
            if start > starts[-1]:
                break
            lines.pop()
            starts.pop()
            start = -np.inf
        lines.append(line)
        starts.append(start)
    return np.array(lines), np.array(starts)
