"""The profit curve: expected net value by the share of customers targeted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from retain.campaign.audience import Audience
from retain.record.plan_scenarios import ProfitCurve

if TYPE_CHECKING:
    from retain.campaign.offers.offers import OfferMatrix

POINTS = 200
"""Largest number of points of a curve."""


def profit_curve(audience: Audience, offers: OfferMatrix, offer: str | None = None) -> ProfitCurve:
    """Return the profit curve of one offer, or of each customer's best one, without limits.

    Only eligible customers are targeted. Ties are broken by customer id, so the curve does not
    depend on the order of rows.
    """
    net = np.where(offers.eligible, offers.net, -np.inf)
    net = net.max(axis=1) if offer is None else net[:, offers.names.index(offer)]
    eligible = np.flatnonzero(net > -np.inf)
    ids = audience.table.index.astype(str).to_numpy()[eligible]
    eligible = eligible[np.argsort(ids, kind="stable")]
    risk = audience.table["risk"].to_numpy()
    curve, by_risk = (
        np.append(0.0, np.cumsum(net[eligible][np.argsort(-by[eligible], kind="stable")]))
        for by in (net, risk)
    )
    best = int(np.argmax(curve))
    points = _points(len(curve), best)
    total = len(audience)
    return ProfitCurve(
        offer=offer,
        share=tuple((points / total).tolist()),
        profit=tuple(curve[points].tolist()),
        profit_by_risk=tuple(by_risk[points].tolist()),
        best_share=best / total,
        best_profit=float(curve[best]),
    )


def _points(count: int, best: int) -> np.ndarray:
    """Return positions of points: the first, the last, the best and others at equal steps."""
    steps = np.linspace(0, count - 1, min(count, POINTS - 1)).round().astype(int)
    return np.unique(np.append(steps, best))
