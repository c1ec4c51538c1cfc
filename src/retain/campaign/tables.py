"""A campaign as tables for spreadsheets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from retain.campaign.assignment_table import BETWEEN, assignment_table
from retain.campaign.campaign import Campaign
from retain.campaign.offers.texts import Language, offer_texts
from retain.campaign.planning.plan import CampaignPlan
from retain.record.estimates import PartialEstimate
from retain.record.segments_document import ContrastInfo, SegmentInfo


def segments_table(
    segments: Sequence[SegmentInfo], describe: Callable[[ContrastInfo], str]
) -> pd.DataFrame:
    """Return the table of segments; ``describe`` says in words how one differs in a feature.

    Returns
    -------
    DataFrame
        ``segment, label_en, label_ru, n_customers, share, n_declined``; ``risk`` with ``_low`` and
        ``_high``; ``expected_risk, p, is_miscalibrated, total_profit``;
        ``observed_profit_at_risk`` and ``expected_profit_at_risk`` with ``_low`` and ``_high``;
        ``contactable_share, is_small, jaccard``;
        ``contrasts``: the features that distinguish it from all others, in words.
    """
    return pd.DataFrame(
        [_segment(one) | {"contrasts": "; ".join(map(describe, one.contrasts))} for one in segments]
    )


def _segment(one: SegmentInfo) -> dict[str, object]:
    return {
        "segment": one.segment,
        "label_en": None if one.label is None else one.label.en,
        "label_ru": None if one.label is None else one.label.ru,
        "n_customers": one.n_customers,
        "share": one.share,
        "n_declined": one.n_declined,
        **_estimate("risk", one.risk),
        "expected_risk": one.expected_risk,
        "p": one.p,
        "is_miscalibrated": one.is_miscalibrated,
        "total_profit": one.total_profit,
        **_estimate("observed_profit_at_risk", one.observed_profit_at_risk),
        **_estimate("expected_profit_at_risk", one.expected_profit_at_risk),
        "contactable_share": one.contactable_share,
        "is_small": one.is_small,
        "jaccard": None if one.stability is None else one.stability.jaccard,
    }


def _estimate(name: str, one: PartialEstimate | None) -> dict[str, float | None]:
    """Return three columns of a value with its interval, empty for None."""
    if one is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    return {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}


def _with_labels(
    table: pd.DataFrame, segments: Sequence[SegmentInfo], language: Language
) -> pd.DataFrame:
    """Return a table with the names of segments beside their keys."""
    labels = {one.segment: getattr(one.label, language) for one in segments if one.label}
    names = table["segment"].map(lambda key: labels.get(key, key))
    table.insert(list(table).index("segment") + 1, "segment_label", names)
    return table


def name_kept(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose net values are customers kept, each counted as one."""
    return table.rename(columns=lambda name: str(name).replace("expected_net", "expected_kept"))


def customers_table(campaign: Campaign, language: Language) -> pd.DataFrame:
    """Return all scored customers with score, risk, profit at risk and segment."""
    audience = campaign.audience
    counted = ["profit", "profit_at_risk"] if audience.counts_customers else []
    table = audience.table.drop(columns=["value_at_stake", *counted], errors="ignore")
    table = table.assign(segment=audience.segments)
    if campaign.bounds is not None:
        low, high = campaign.bounds.T
        table = table.assign(profit_at_risk_low=low, profit_at_risk_high=high)
    if campaign.known_class is not None:
        table = table.assign(known_class=campaign.known_class)
    return _with_labels(table.reset_index(names="customer_id"), campaign.segments, language)


def offers_table(
    campaign: Campaign,
    plan: CampaignPlan,
    language: Language,
    reasons: pd.Series | None,
    start: str | None = None,
) -> pd.DataFrame:
    """Return the offers as texts, one row per customer, by segment, highest net value first.

    ``reasons`` are texts of drivers by customer id, ``start`` is the day of the first contacts.

    Returns
    -------
    DataFrame
        ``customer_id, segment, segment_label, offer, label, channel, text, risk, expected_cost,
        expected_net, expected_net_low, expected_net_high, drivers``, and ``known_class`` if it is
        known.
    """
    offers, treated = plan.offers, plan.treated_offer_index
    rows = np.flatnonzero(treated >= 0)
    audience = campaign.audience
    texts = offer_texts(offers, audience, treated, language, start)
    names = np.array(offers.names, dtype=object)
    every = list(offers.catalogue.offers.values())
    channels = np.array([one.channel for one in every], dtype=object)
    labels = np.array([getattr(one.label, language) for one in every], dtype=object)
    indices = treated[rows]
    low, high = np.asarray(campaign.net_bounds)[rows].T
    ids = audience.table.index[rows]
    table = pd.DataFrame(
        {
            "customer_id": ids,
            "segment": np.asarray(audience.segments)[rows],
            "offer": names[indices],
            "label": labels[indices],
            "channel": channels[indices],
            "text": [texts[row] for row in rows],
            "risk": audience.table["risk"].to_numpy()[rows],
            "expected_cost": plan.select_chosen(offers.cost)[rows],
            "expected_net": plan.select_chosen(offers.net)[rows],
            "expected_net_low": low,
            "expected_net_high": high,
            "drivers": "" if reasons is None else reasons.reindex(ids).fillna("").to_numpy(),
        }
    )
    if campaign.known_class is not None:
        table.insert(2, "known_class", campaign.known_class[rows])
    order = ["segment", "expected_net"]
    table = table.sort_values(order, ascending=[True, False], kind="stable", ignore_index=True)
    table = _with_labels(table, campaign.segments, language)
    return name_kept(table) if audience.counts_customers else table


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
        assignment_id=plan.control.assignment_id[rows],
        propensity=(plan.control.propensity / plan.exploration.n_possible)[rows],
        risk=table["risk"].to_numpy(),
        value_at_stake=table["value_at_stake"].to_numpy(),
        expected_cost=plan.select_chosen(plan.offers.cost)[rows],
        expected_net=plan.select_chosen(plan.offers.net)[rows],
        drawn_from=_drawn_from(plan)[rows] if len(plan.exploration) else None,
    )


def _drawn_from(plan: CampaignPlan) -> np.ndarray:
    """Return the offers that each customer's was drawn from, empty where none was, shape (n,)."""
    exploration, names = plan.exploration, np.array(plan.offers.names, dtype=object)
    texts = np.full(len(plan.offer_index), "", dtype=object)
    texts[exploration.rows] = [BETWEEN.join(names[one]) for one in exploration.possible]
    return texts
