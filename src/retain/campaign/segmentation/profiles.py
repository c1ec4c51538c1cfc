"""Profiles of segments: size, risk, money, consent, contrasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.segmentation.contrasts import Contrast, segment_contrasts
from retain.campaign.segmentation.segments import segment_labels
from retain.campaign.segmentation.stability import Stability
from retain.customers.customers import Column, DisplayName
from retain.schema.campaign import Segmentation
from retain.verdict.statistics import mean_interval


class Money(Protocol):
    """An amount with its 95 % interval."""

    @property
    def value(self) -> float:
        """Amount."""

    @property
    def low(self) -> float:
        """Lower end of the interval."""

    @property
    def high(self) -> float:
        """Upper end of the interval."""


def build_profiles(
    audience: Audience,
    fitted: Segmentation,
    totals: Mapping[str, Money] | None,
    *,
    stability: Mapping[str, Stability] | None = None,
    contrasts: bool = True,
) -> list[dict[str, Any]]:
    """Return the profiles of segments for ``verdict.json``, most profit at risk first.

    Parameters
    ----------
    audience
        Customers in their segments.
    fitted
        The fitted segmentation of these segments.
    totals
        Profit at risk of each segment; None without profit.
    stability
        Stability of each segment, if measured.
    contrasts
        False to skip contrasts, which take longest.

    Returns
    -------
    list of dict
        Non-empty segments: ``segment, label, n_customers, share, risk`` (mean
        risk
        with its 95 % t interval), ``total_profit`` (as far as observed is known), ``profit_at_risk,
        contactable_share, is_small`` (fewer customers than the segmentation's minimum),
        ``stability``, ``contrasts`` (see ``segment_contrasts``). Missing values are None.
    """
    if audience.segments is None:
        raise ValueError("these customers are not placed")
    differences = segment_contrasts(audience.features, audience.segments) if contrasts else {}
    called = segment_labels(fitted)
    rows = []
    for name, part in audience.table.groupby(audience.segments, sort=True):
        row = _describe(str(name), part, len(audience), fitted.min_size, called.get(str(name)))
        row["profit_at_risk"] = None if totals is None else _amount(totals[str(name)])
        row["contactable_share"] = (
            None if audience.consent == "not_stated" else float(part["contactable"].mean())
        )
        row["stability"] = _stability(stability, str(name))
        row["contrasts"] = [
            _contrast(one, audience.columns) for one in differences.get(str(name), ())
        ]
        rows.append((_sort_key(part), row))
    return [row for _, row in sorted(rows, key=lambda one: -one[0])]


def _sort_key(part: pd.DataFrame) -> float:
    """Return the sort key of a segment."""
    if "profit_at_risk" in part:
        return float(part["profit_at_risk"].sum())
    return float(part["risk"].mean())


def _describe(
    name: str, part: pd.DataFrame, customers: int, minimum: int, label: DisplayName | None
) -> dict[str, Any]:
    risk, low, high = mean_interval(part["risk"].to_numpy())
    return {
        "segment": name,
        "label": None if label is None else asdict(label),
        "n_customers": len(part),
        "share": len(part) / customers,
        "risk": {"value": risk, "low": max(low, 0.0), "high": min(high, 1.0)},
        "total_profit": float(part["profit"].sum()) if "profit" in part else None,
        "is_small": len(part) < minimum,
    }


def _stability(measured: Mapping[str, Stability] | None, name: str) -> dict[str, Any] | None:
    """Return the stability of a segment; None if not measured, or not in the sample."""
    stability = None if measured is None else measured.get(name)
    return None if stability is None else asdict(stability)


def _amount(money: Money) -> dict[str, float]:
    return {"value": money.value, "low": money.low, "high": money.high}


def _contrast(one: Contrast, columns: Mapping[str, Column]) -> dict[str, Any]:
    column = columns.get(one.feature) or Column(one.feature, "", "number")
    return {
        "feature": one.feature,
        "label": asdict(column.label),
        "level": one.level,
        "level_label": None if one.level is None else asdict(column.level(one.level)),
        "kind": "number" if one.level is None else "category",
        "in_segment": one.in_segment,
        "elsewhere": one.elsewhere,
        "effect_size": {
            "measure": one.measure,
            "value": one.effect,
            "low": one.low,
            "high": one.high,
        },
        "direction": one.direction,
    }
