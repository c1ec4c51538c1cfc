"""The profit curve: what targeting the best share of customers is expected to bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from retain.campaign.audience import Audience

if TYPE_CHECKING:
    from retain.campaign.offers.offers import OfferMatrix

POINTS = 200
"""Points of a curve at most."""


@dataclass(frozen=True)
class ProfitCurve:
    """Expected net value by the share of all customers that is targeted.

    Attributes
    ----------
    offer
        The offer all get; None where each gets the one that is best for the customer.
    shares
        From 0 to the share that may get it, at most ``POINTS``.
    profit
        Expected net value of targeting that share, those with the highest expected net first.
    by_risk
        The same where those with the highest risk come first, as is usual.
    best_share, best_profit
        Where ``profit`` is highest; never below 0, which nobody targeted brings.
    """

    offer: str | None
    shares: np.ndarray
    profit: np.ndarray
    by_risk: np.ndarray
    best_share: float
    best_profit: float

    def as_json(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        return {
            "offer": self.offer,
            "share": self.shares.tolist(),
            "profit": self.profit.tolist(),
            "profit_by_risk": self.by_risk.tolist(),
            "best_share": self.best_share,
            "best_profit": self.best_profit,
        }


def profit_curve(audience: Audience, offers: OfferMatrix, offer: str | None = None) -> ProfitCurve:
    """Return the profit curve of one offer, or of each customer's best one, without limits.

    Only customers who are eligible are targeted. Both orders, and equal customers, are settled by
    customer id, so the curve does not depend on the order of rows.
    """
    net = np.where(offers.eligible, offers.net, -np.inf)
    net = net.max(axis=1) if offer is None else net[:, offers.names.index(offer)]
    may = np.flatnonzero(net > -np.inf)
    ids = audience.table.index.astype(str).to_numpy()[may]
    may = may[np.argsort(ids, kind="stable")]
    risk = audience.table["risk"].to_numpy()
    curve, usual = (
        np.append(0.0, np.cumsum(net[may][np.argsort(-by[may], kind="stable")]))
        for by in (net, risk)
    )
    best = int(np.argmax(curve))
    at = _points(len(curve), best)
    total = len(audience)
    return ProfitCurve(offer, at / total, curve[at], usual[at], best / total, float(curve[best]))


def _points(count: int, best: int) -> np.ndarray:
    """Positions to show: the first, the last, the best and others at equal steps."""
    steps = np.linspace(0, count - 1, min(count, POINTS - 1)).round().astype(int)
    return np.unique(np.append(steps, best))
