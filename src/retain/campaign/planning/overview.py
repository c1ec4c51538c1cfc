"""The numbers of the page's first screen: how many, how much, by which channel, and where."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.planning.plan import CampaignPlan
from retain.campaign.segmentation.outcomes import AudienceOutcomes
from retain.campaign.value.monte_carlo import MonteCarlo
from retain.campaign.value.value import positive_profit
from retain.record.campaign_document import ChannelInfo, OverviewInfo, RiskByProfit
from retain.schema.campaign import Assumptions

N_BANDS, N_ROWS = 10, 5
HIGH = 0.5
"""Risk from which a customer is more likely to decline than not."""


def count_risk_by_profit(risk: np.ndarray, profit: np.ndarray, at_risk: np.ndarray) -> RiskByProfit:
    """Return the cells of customers by risk, profit and profit at risk, each of shape (n,).

    Rows are fifths of the profit where its values allow; equal profits share a row.

    >>> risk, profit = np.array([0.1, 0.9]), np.array([1.0, 3.0])
    >>> cells = count_risk_by_profit(risk, profit, risk * profit)
    >>> cells.n_high, round(cells.high_share, 3), len(cells.n_customers)
    (1, 0.964, 5)
    """
    profit = np.nan_to_num(profit, nan=0.0)
    edges = np.unique(np.quantile(profit, np.linspace(0, 1, N_ROWS + 1)))
    column = np.minimum((risk * N_BANDS).astype(int), N_BANDS - 1)
    row = np.clip(np.searchsorted(edges, profit, side="right") - 1, 0, max(len(edges) - 2, 0))
    shape = (max(len(edges) - 1, 1), N_BANDS)
    cell = np.ravel_multi_index((row, column), shape)
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    sums = np.bincount(cell, at_risk, shape[0] * shape[1]).reshape(shape)
    high = risk >= HIGH
    total = max(float(at_risk.sum()), np.finfo(float).tiny)
    return RiskByProfit(
        risk_edges=tuple(one / N_BANDS for one in range(N_BANDS + 1)),
        profit_edges=tuple(edges.tolist()),
        n_customers=tuple(map(tuple, counts.tolist())),
        profit_at_risk=tuple(map(tuple, sums.tolist())),
        n_high=int(high.sum()),
        high_share=float(at_risk[high].sum() / total),
    )


def summarise_overview(
    plan: CampaignPlan,
    audience: Audience,
    monte_carlo: MonteCarlo,
    outcomes: AudienceOutcomes | None,
    assumptions: Assumptions,
) -> OverviewInfo:
    """Return ``overview`` of ``campaign.json``; ``outcomes`` are None if nobody knows them."""
    table = audience.table
    profit = positive_profit(table["profit"].to_numpy(dtype=float)).sum()
    month = float(profit) * assumptions.margin.value
    whole = month * assumptions.horizon.value
    columns = (table[name].to_numpy(dtype=float) for name in ("risk", "profit", "profit_at_risk"))
    return OverviewInfo(
        n_declined=None if outcomes is None else int(outcomes.declined.sum()),
        expected_declines=monte_carlo.declines(),
        at_risk_share=float(table["profit_at_risk"].sum()) / whole if whole > 0 else None,
        net_share=plan.expected_net / month if month > 0 else None,
        channels=summarise_channels(plan),
        risk_by_profit=count_risk_by_profit(*columns),
    )


def summarise_channels(plan: CampaignPlan) -> tuple[ChannelInfo, ...]:
    """Return contacts and cost by channel, most contacts first."""
    offers, rows = plan.offers, np.flatnonzero(plan.treated_offer_index >= 0)
    chosen = plan.treated_offer_index[rows]
    channel = np.array([offers.catalogue.offers[name].channel for name in offers.names], object)
    table = pd.DataFrame({"channel": channel[chosen], "cost": offers.cost[rows, chosen]})
    sums = table.groupby("channel", sort=True)["cost"].agg(["size", "sum"])
    ordered = sums.sort_values("size", ascending=False, kind="stable")
    return tuple(
        ChannelInfo(channel=str(name), n_treated=int(size), expected_cost=float(cost))
        for name, size, cost in ordered.itertuples()
    )
