"""Warnings about a campaign, and the reason for none, in sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retain.campaign.planning.no_campaign import PROFIT_OVERRIDES
from retain.report.text.calibration import miscalibrated_values, slope_values
from retain.report.text.campaign import customers, money
from retain.report.text.names import Tree, code, offer_label, segment_label
from retain.report.text.numbers import Number
from retain.report.text.words import Label, Message, message


def no_campaign(tree: Tree) -> Message:
    """Return the reason why no campaign was planned, as a message."""
    return message(f"campaign.unplanned.{tree['campaign']['code']}")


def cautions(tree: Tree) -> list[Message]:
    """Return the warnings about a campaign.

    Raises
    ------
    KeyError
        If a caution has no text.
    """
    items = tree["campaign"]["cautions"]
    return [
        message(f"caution.{one['code']}", **_CAUTION_VALUES.get(one["code"], _no_values)(tree))
        for one in items
    ]


def _no_values(_: Tree) -> dict[str, Any]:
    return {}


def _poor_calibration(tree: Tree) -> dict[str, Any]:
    return slope_values(tree["campaign"]["recalibration"])


def _loss_values(tree: Tree) -> dict[str, Any]:
    return {"low": money(tree["campaign"]["plan"]["expected_net"]["low"])}


def _free_offers(tree: Tree) -> dict[str, Any]:
    campaign = tree["campaign"]
    return {"offers": [_quoted_offer(campaign, name) for name in campaign["free_offers"]]}


def _paying(tree: Tree) -> dict[str, Any]:
    return {"customers": customers(tree["campaign"]["plan"]["n_paying"])}


def _concentration(tree: Tree) -> dict[str, Any]:
    found = tree["campaign"]["profit_concentration"]
    shares = {name: Number(found[name], "share") for name in ("share", "limit")}
    return {"n": Number(found["n_first"], "count"), **shares}


def _missing_profit(tree: Tree) -> dict[str, Any]:
    campaign = tree["campaign"]
    missing = Number(campaign["n_missing_profit"], "count")
    return {"n": missing, "customers": customers(campaign["n_customers"])}


def _quoted_offer(campaign: Tree, name: str) -> Message:
    return message("trust.quoted", name=offer_label(campaign, name))


def _unmet_minimums(tree: Tree) -> dict[str, Any]:
    labels = {one["segment"]: segment_label(one) for one in tree["segments"] or []}
    return {"segments": [_unmet(one, labels) for one in tree["campaign"]["plan"]["unmet_minimums"]]}


def _unmet(one: Tree, labels: dict[str, Label]) -> Message:
    return message(
        "caution.minimum",
        segment=labels.get(one["segment"], Label(one["segment"], one["segment"])),
        n=Number(one["n_treated"], "count"),
        minimum=Number(one["minimum"], "count"),
        paying=Number(one["n_paying"], "count"),
    )


def _profit_overrides(_: Tree) -> dict[str, Any]:
    return {"overrides": [code(one) for one in PROFIT_OVERRIDES]}


_CAUTION_VALUES: dict[str, Callable[[Tree], dict[str, Any]]] = {
    "free_offers": _free_offers,
    "no_profit": _profit_overrides,
    "limits_leave_nobody": _paying,
    "minimums_unmet": _unmet_minimums,
    "profit_concentrated": _concentration,
    "profit_missing": _missing_profit,
    "calibration_poor": _poor_calibration,
    "may_lose": _loss_values,
    "risk_miscalibrated": miscalibrated_values,
}
"""Placeholders of the texts of cautions by code."""
