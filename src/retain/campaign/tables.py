"""A campaign as tables for spreadsheets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from retain.campaign.assignment import assignment_table
from retain.campaign.campaign import Campaign
from retain.campaign.offers.texts import offer_texts
from retain.campaign.planning.plan import CampaignPlan

Language = Literal["en", "ru"]


def segments_table(segments: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the table of segments.

    Returns
    -------
    DataFrame
        ``segment, label_en, label_ru, customers, share, risk, risk_low, risk_high``; ``profit,
        profit_at_risk`` with ``_low`` and ``_high``; ``contactable, small, jaccard``; ``differs``:
        features that distinguish it from all others, as ``feature direction``.
    """
    return pd.DataFrame([_segment(one) for one in segments])


def _segment(one: dict[str, Any]) -> dict[str, Any]:
    money, stable, label = one["profit_at_risk"], one["stability"], one["label"]
    return {
        "segment": one["segment"],
        "label_en": None if label is None else label["en"],
        "label_ru": None if label is None else label["ru"],
        **{key: one[key] for key in ("customers", "share", "risk", "risk_low", "risk_high")},
        "profit": one["profit"],
        "profit_at_risk": None if money is None else money["value"],
        "profit_at_risk_low": None if money is None else money["low"],
        "profit_at_risk_high": None if money is None else money["high"],
        "contactable": one["contactable"],
        "small": one["small"],
        "jaccard": None if stable is None else stable["jaccard"],
        "differs": "; ".join(map(_difference, one["differs"])),
    }


def _difference(one: dict[str, Any]) -> str:
    what = one["feature"] if one["level"] is None else f"{one['feature']} = {one['level']}"
    return f"{what} {one['direction']} ({one['inside']:.3g} against {one['outside']:.3g})"


def customers_table(campaign: Campaign) -> pd.DataFrame:
    """Return all scored customers with score, risk, profit at risk and segment."""
    audience = campaign.audience
    table = audience.table.drop(columns=["at_stake"], errors="ignore")
    table = table.assign(segment=audience.segments)
    if campaign.bounds is not None:
        low, high = campaign.bounds.T
        table = table.assign(profit_at_risk_low=low, profit_at_risk_high=high)
    return table.reset_index(names="customer_id")


def offers_table(
    campaign: Campaign, plan: CampaignPlan, language: Language, reasons: pd.Series | None
) -> pd.DataFrame:
    """Return the offers as texts, one row per customer, by segment, highest net value first.

    ``reasons`` are texts of drivers by customer id.

    Returns
    -------
    DataFrame
        ``customer_id, segment, offer, name, channel, text, risk, expected_cost, expected_net,
        expected_net_low, expected_net_high, reasons``.
    """
    offers, treated = plan.offers, plan.treated_offer_index
    rows = np.flatnonzero(treated >= 0)
    audience = campaign.audience
    texts = offer_texts(offers, audience, treated, language)
    names = np.array(offers.names, dtype=object)
    every = list(offers.catalogue.offers.values())
    channels = np.array([one.channel for one in every], dtype=object)
    labels = np.array([getattr(one.label, language) for one in every], dtype=object)
    indices = treated[rows]
    low, high = np.asarray(campaign.nets)[rows].T
    ids = audience.table.index[rows]
    table = pd.DataFrame(
        {
            "customer_id": ids,
            "segment": np.asarray(audience.segments)[rows],
            "offer": names[indices],
            "name": labels[indices],
            "channel": channels[indices],
            "text": [texts[row] for row in rows],
            "risk": audience.table["risk"].to_numpy()[rows],
            "expected_cost": plan.select_chosen(offers.cost)[rows],
            "expected_net": plan.select_chosen(offers.net)[rows],
            "expected_net_low": low,
            "expected_net_high": high,
            "reasons": "" if reasons is None else reasons.reindex(ids).fillna("").to_numpy(),
        }
    )
    order = ["segment", "expected_net"]
    return table.sort_values(order, ascending=[True, False], kind="stable", ignore_index=True)


def arms_table(campaign: Campaign, plan: CampaignPlan) -> pd.DataFrame:
    """Return all chosen customers, treated and control, as in ``campaign.csv``."""
    rows = np.flatnonzero(plan.offer_index >= 0)
    audience = campaign.audience
    table = audience.table.iloc[rows]
    return assignment_table(
        table.index,
        segment=np.asarray(audience.segments)[rows],
        offer=np.array(plan.offers.names, dtype=object)[plan.offer_index[rows]],
        control=plan.control.is_control[rows],
        randomisation=plan.control.assignment_id[rows],
        risk=table["risk"].to_numpy(),
        at_stake=table["at_stake"].to_numpy(),
        cost=plan.select_chosen(plan.offers.cost)[rows],
        expected_net=plan.select_chosen(plan.offers.net)[rows],
    )
