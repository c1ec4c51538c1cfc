"""Warnings about a campaign, each with a code and its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]


def find_cautions(document: Document) -> list[dict[str, Any]]:
    """Return the warnings about a campaign, each with a ``code`` and its numbers."""
    return [
        {"code": code, **numbers}
        for code, check in CAUTION_CHECKS.items()
        if (numbers := check(document))
    ]


def _ranking_not_tested(document: Document) -> dict[str, Any] | None:
    return {"ranking": document["ranking"]} if document["ranking"] == "not_tested" else None


def _free_offers(document: Document) -> dict[str, Any] | None:
    return {"offers": document["free_offers"]} if document["free_offers"] else None


def _minimums_unmet(document: Document) -> dict[str, Any] | None:
    unmet = document["plan"]["unmet_minimums"]
    return {"segments": unmet} if unmet else None


def _no_consent_column(document: Document) -> dict[str, Any] | None:
    stated = document["consent"] != "not_stated"
    return None if stated else {"n_customers": document["n_customers"]}


def _nothing_pays(document: Document) -> dict[str, Any] | None:
    plan = document["plan"]
    nobody = not plan["n_chosen"] and not plan["n_paying"]
    return {"n_customers": document["n_customers"]} if nobody else None


def _limits_leave_nobody(document: Document) -> dict[str, Any] | None:
    """Return the number of customers for whom an offer pays, if the limits allow none."""
    plan = document["plan"]
    return {"n_paying": plan["n_paying"]} if plan["n_paying"] and not plan["n_chosen"] else None


def _control_none(document: Document) -> dict[str, Any] | None:
    plan = document["plan"]
    return {"n_chosen": plan["n_chosen"]} if plan["n_chosen"] and not plan["n_control"] else None


def _calibration_poor(document: Document) -> dict[str, Any] | None:
    """Return the slope if the scores were no probabilities before their recalibration."""
    slope = document["recalibration"]["slope"]
    return None if slope["low"] <= 1 <= slope["high"] else {"slope": slope["value"]}


def _risk_miscalibrated(document: Document) -> dict[str, Any] | None:
    """Return the numbers of segments and tenths of the risk in which the risks are wrong."""
    check = document["calibration_check"]
    if check is None or not check["n_flagged_segments"] + check["n_flagged_tenths"]:
        return None
    return {"n_segments": check["n_flagged_segments"], "n_tenths": check["n_flagged_tenths"]}


def _may_lose(document: Document) -> dict[str, Any] | None:
    """Return the lower bound of the net value if it is a loss."""
    net = document["plan"]["expected_net"]
    return {"low": net["low"]} if document["plan"]["n_chosen"] and net["low"] < 0 else None


def _profit_concentrated(document: Document) -> dict[str, Any] | None:
    """Return the number of customers who carry much of the profit at risk, and their share."""
    found = document["profit_concentration"]
    return dict(found) if found["share"] > found["limit"] else None


def _profit_missing(document: Document) -> dict[str, Any] | None:
    missing = document["n_missing_profit"]
    return {"n_missing": missing, "n_customers": document["n_customers"]} if missing else None


def _turnover(document: Document) -> dict[str, Any] | None:
    return {"unit": document["profit_unit"]} if document.get("is_turnover") else None


CAUTION_CHECKS = {
    "turnover": _turnover,
    "risk_miscalibrated": _risk_miscalibrated,
    "ranking_not_tested": _ranking_not_tested,
    "profit_concentrated": _profit_concentrated,
    "profit_missing": _profit_missing,
    "free_offers": _free_offers,
    "no_consent_column": _no_consent_column,
    "nothing_pays": _nothing_pays,
    "limits_leave_nobody": _limits_leave_nobody,
    "minimums_unmet": _minimums_unmet,
    "control_none": _control_none,
    "calibration_poor": _calibration_poor,
    "may_lose": _may_lose,
}
