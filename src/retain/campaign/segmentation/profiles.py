"""Profiles of segments: size, risk, money, consent, contrasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from retain.campaign.audience import Audience
from retain.campaign.segmentation.contrasts import Contrast, segment_contrasts
from retain.campaign.segmentation.outcomes import MIN_CUSTOMERS, Group, Z
from retain.campaign.segmentation.segments import segment_labels
from retain.customers.customers import Column
from retain.record.estimates import Effect, Estimate, PartialEstimate
from retain.record.segments_document import ContrastInfo, SegmentInfo, Stability
from retain.schema.campaign import Segmentation


def build_profiles(  # noqa: PLR0913 - all that a segment has
    audience: Audience,
    fitted: Segmentation,
    expected: Mapping[str, Estimate] | None,
    *,
    observed: Mapping[str, Group] | None = None,
    observed_money: Mapping[str, Estimate] | None = None,
    sensitivity: np.ndarray | None = None,
    stability: Mapping[str, Stability] | None = None,
    contrasts: bool = True,
) -> tuple[SegmentInfo, ...]:
    """Return the profiles of the segments that are not empty, most profit at risk first.

    Parameters
    ----------
    audience
        Customers in their segments.
    fitted
        The fitted segmentation of these segments.
    expected
        Expected profit at risk of each segment; None without profit.
    observed, observed_money
        Observed declines of each segment, and the profit at risk of those who declined; None for
        customers without outcomes.
    sensitivity
        ``Recalibration.sensitivity`` of the risks, the interval of customers without outcomes.
    stability
        Stability of each segment, if measured.
    contrasts
        False to skip contrasts, which take longest.
    """
    if audience.segments is None:
        raise ValueError("these customers are not placed")
    differences = segment_contrasts(audience.features, audience.segments) if contrasts else {}
    called = segment_labels(fitted)
    profiles = []
    for key, part in audience.table.groupby(audience.segments, sort=True):
        name, mask = str(key), np.asarray(audience.segments) == key
        money = None if observed_money is None else observed_money[name]
        at_risk = None if expected is None else expected[name]
        group = None if observed is None else observed[name]
        rows = None if sensitivity is None else sensitivity[mask]
        enough = len(part) >= MIN_CUSTOMERS
        profiles.append(
            SegmentInfo(
                segment=name,
                label=called.get(name),
                n_customers=len(part),
                share=len(part) / len(audience),
                is_small=len(part) < fitted.min_size,
                **(_expected_risk(part, rows) if group is None else _observed_risk(group)),
                total_profit=float(part["profit"].sum()) if "profit" in part else None,
                observed_profit_at_risk=money if enough else None,
                expected_profit_at_risk=at_risk
                if enough or at_risk is None
                else PartialEstimate(at_risk.value, None, None),
                contactable_share=None
                if audience.consent == "not_stated"
                else float(part["contactable"].mean()),
                stability=None if stability is None else stability.get(name),
                contrasts=tuple(
                    _contrast(one, audience.columns) for one in differences.get(name, ())
                ),
            )
        )
    return tuple(sorted(profiles, key=_sort_key, reverse=True))


def _sort_key(one: SegmentInfo) -> float:
    """Return the profit at risk of a segment, or else its risk; the expected one of few."""
    at_risk = one.observed_profit_at_risk or one.expected_profit_at_risk
    if at_risk is not None and at_risk.value is not None:
        return at_risk.value
    return one.expected_risk if one.risk is None else one.risk.value


def _observed_risk(one: Group) -> dict[str, Any]:
    return {
        "n_declined": one.declined,
        "risk": one.risk,
        "expected_risk": one.expected,
        "p": one.p,
        "is_miscalibrated": one.is_miscalibrated,
    }


def _expected_risk(part: pd.DataFrame, sensitivity: np.ndarray | None) -> dict[str, Any]:
    """Return the mean risk of customers without outcomes, its interval on the logit scale."""
    mean, risk = float(part["risk"].mean()), None
    if len(part) >= MIN_CUSTOMERS and sensitivity is not None:
        error = float(np.linalg.norm(sensitivity.mean(axis=0)))
        reach = Z * error / max(mean * (1 - mean), 1e-12)
        low, high = special.expit(special.logit(mean) + np.array([-reach, reach])).tolist()
        risk = Estimate(mean, low, high)
    return {
        "n_declined": None,
        "risk": risk,
        "expected_risk": mean,
        "p": None,
        "is_miscalibrated": False,
    }


def _contrast(one: Contrast, columns: Mapping[str, Column]) -> ContrastInfo:
    column = columns.get(one.feature) or Column(one.feature, "", "number")
    return ContrastInfo(
        feature=one.feature,
        label=column.label,
        level=one.level,
        level_label=None if one.level is None else column.level(one.level),
        kind="number" if one.level is None else "category",
        in_segment=one.in_segment,
        elsewhere=one.elsewhere,
        effect_size=Effect(one.measure, one.effect, one.low, one.high),
        direction=one.direction,
    )
