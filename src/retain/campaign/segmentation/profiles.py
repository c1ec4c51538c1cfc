"""Profiles of segments: size, risk, money, consent, contrasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy import special

from retain.campaign.audience import Audience
from retain.campaign.segmentation.contrasts import Contrast, segment_contrasts
from retain.campaign.segmentation.outcomes import MIN_CUSTOMERS, Group, Z
from retain.campaign.segmentation.segments import segment_labels
from retain.campaign.segmentation.stability import Stability
from retain.customers.customers import Column, DisplayName
from retain.schema.campaign import Segmentation


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


def build_profiles(  # noqa: PLR0913 - all that a segment has
    audience: Audience,
    fitted: Segmentation,
    expected: Mapping[str, Money] | None,
    *,
    observed: Mapping[str, Group] | None = None,
    observed_money: Mapping[str, Money] | None = None,
    sensitivity: np.ndarray | None = None,
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

    Returns
    -------
    list of dict
        Non-empty segments: ``segment, label, n_customers, share``; ``n_declined`` (None without
        outcomes); ``risk``: the observed share of decliners with Wilson's interval, or without
        outcomes the mean risk with the interval of the calibration, None below 20 customers;
        ``expected_risk``: the mean risk, cross-fitted where outcomes are known; ``p`` of the test
        of observed against expected, corrected over segments and tenths of the risk, and
        ``is_miscalibrated``; ``total_profit`` (as far as it is known);
        ``observed_profit_at_risk``: of those who declined (None without outcomes and below 20
        customers); ``expected_profit_at_risk``: risk × value at stake of everybody, whose sum is
        that of the campaign (without an interval below 20 customers);
        ``contactable_share, is_small`` (fewer customers than the segmentation's minimum),
        ``stability``, ``contrasts`` (see ``segment_contrasts``). Missing values are None.
    """
    if audience.segments is None:
        raise ValueError("these customers are not placed")
    differences = segment_contrasts(audience.features, audience.segments) if contrasts else {}
    called = segment_labels(fitted)
    rows = []
    for key, part in audience.table.groupby(audience.segments, sort=True):
        name, mask = str(key), np.asarray(audience.segments) == key
        row = _describe(name, part, len(audience), fitted.min_size, called.get(name))
        if observed is not None:
            row |= _observed_risk(observed[name])
        else:
            row |= _expected_risk(part, None if sensitivity is None else sensitivity[mask])
        row |= _profit(
            part,
            None if observed_money is None else observed_money[name],
            None if expected is None else expected[name],
        )
        row["contactable_share"] = (
            None if audience.consent == "not_stated" else float(part["contactable"].mean())
        )
        row["stability"] = _stability(stability, name)
        row["contrasts"] = [_contrast(one, audience.columns) for one in differences.get(name, ())]
        rows.append((_sort_key(row), row))
    return [row for _, row in sorted(rows, key=lambda one: -one[0])]


def _sort_key(row: Mapping[str, Any]) -> float:
    """Return the profit at risk of a segment, or else its risk; the expected one of few."""
    at_risk = row["observed_profit_at_risk"] or row["expected_profit_at_risk"]
    if at_risk is not None:
        return float(at_risk["value"])
    return float(row["expected_risk"] if row["risk"] is None else row["risk"]["value"])


def _describe(
    name: str, part: pd.DataFrame, customers: int, minimum: int, label: DisplayName | None
) -> dict[str, Any]:
    return {
        "segment": name,
        "label": None if label is None else asdict(label),
        "n_customers": len(part),
        "share": len(part) / customers,
        "is_small": len(part) < minimum,
    }


def _observed_risk(one: Group) -> dict[str, Any]:
    tree = one.as_json()
    names = ("n_declined", "risk", "expected_risk", "p", "is_miscalibrated")
    return {name: tree[name] for name in names}


def _expected_risk(part: pd.DataFrame, sensitivity: np.ndarray | None) -> dict[str, Any]:
    """Return the mean risk of customers without outcomes, its interval on the logit scale."""
    mean, risk = float(part["risk"].mean()), None
    if len(part) >= MIN_CUSTOMERS and sensitivity is not None:
        error = float(np.linalg.norm(sensitivity.mean(axis=0)))
        reach = Z * error / max(mean * (1 - mean), 1e-12)
        low, high = special.expit(special.logit(mean) + np.array([-reach, reach])).tolist()
        risk = {"value": mean, "low": low, "high": high}
    return {
        "n_declined": None,
        "risk": risk,
        "expected_risk": mean,
        "p": None,
        "is_miscalibrated": False,
    }


def _profit(part: pd.DataFrame, observed: Money | None, expected: Money | None) -> dict[str, Any]:
    enough = len(part) >= MIN_CUSTOMERS
    few = {} if enough else {"low": None, "high": None}
    return {
        "total_profit": float(part["profit"].sum()) if "profit" in part else None,
        "observed_profit_at_risk": _amount(observed) if observed is not None and enough else None,
        "expected_profit_at_risk": None if expected is None else {**_amount(expected), **few},
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
