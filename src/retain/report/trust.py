"""How far to trust a plan, in sentences: what is assumed, how it was found, what would change it.

May import: report.campaign, report.names, report.numbers, report.words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retain.report.campaign import customers, money
from retain.report.names import Tree
from retain.report.numbers import Number, written
from retain.report.words import Phrase, phrase


def trusted(campaign: Tree) -> list[Phrase]:
    """Profit at risk, recalibration, the certificate of the plan, and how steady the plan is."""
    said = [_at_risk(campaign), _calibrated(campaign), _certificate(campaign["plan"])]
    steady = _steady((campaign["sensitivity"] or {"rows": []})["rows"])
    return [*(one for one in said if one is not None), *steady]


def _at_risk(campaign: Tree) -> Phrase:
    ends = {end: money(value) for end, value in campaign["profit_at_risk"].items()}
    return phrase("trust.at_risk", draws=Number(campaign["draws"], "count"), **ends)


def _calibrated(campaign: Tree) -> Phrase | None:
    """Slope and intercept, and what the slope's interval says of the scores before."""
    found = campaign["calibration"]
    if found is None:
        return None
    names = {"slope": "slope", "low": "slope_low", "high": "slope_high", "intercept": "intercept"}
    told: dict[str, Any] = {name: Number(found[at], "times") for name, at in names.items()}
    return phrase(
        f"trust.calibrated.{_spread(found)}", customers=customers(found["customers"]), **told
    )


def _spread(calibration: Tree) -> str:
    """Whether scores were spread rightly, too widely, or too little.

    >>> [_spread({"slope_low": low, "slope_high": low + 0.3}) for low in (0.6, 0.9, 1.1)]
    ['sure', 'fine', 'timid']
    """
    if calibration["slope_high"] is not None and calibration["slope_high"] < 1:
        return "sure"
    return "timid" if (calibration["slope_low"] or 0) > 1 else "fine"


def _certificate(plan: Tree) -> Phrase:
    """That no plan is better, or how much better one might at most be."""
    told = {"value": money(plan["value"]), "method": phrase(f"trust.method.{plan['method']}")}
    if plan["proven"]:
        return phrase("trust.certificate.proven", **told)
    ends = {"bound": money(plan["bound"]), "gap": Number(plan["gap"], "share")}
    return phrase("trust.certificate.bounded", **told, **ends)


def _steady(rows: Sequence[Tree]) -> list[Phrase]:
    """Over which assumptions' whole range the plan stays what it is, and over which it does not."""
    known = [row for row in rows if row["same_from"] is not None and row["same_to"] is not None]
    stays = [
        row for row in known if row["same_from"] <= row["low"] and row["high"] <= row["same_to"]
    ]
    changes = [row for row in known if row not in stays]
    told = (("trust.stays", stays), ("trust.changes", changes))
    return [phrase(key, names=list(map(_quoted, found))) for key, found in told if found]


def _quoted(row: Tree) -> Phrase:
    return phrase("trust.quoted", name=assumption(row))


def assumptions(campaign: Tree) -> list[Tree]:
    """All that is assumed, and within which values of it the plan stays what it is."""
    unknown = {"same_from": None, "same_to": None}
    tried = {row["name"]: row for row in (campaign["sensitivity"] or {"rows": []})["rows"]}
    stated = {one["name"]: {**unknown, **one} for one in campaign["assumptions"]}
    return list({**stated, **tried}.values())


def fixed(row: Tree) -> bool:
    """Whether the plan is the same only where the assumption is what it is, as far as is shown."""
    ends = {written(row[end], "value", "en") for end in ("same_from", "value", "same_to")}
    return len(ends) == 1


def assumption(row: Tree) -> Phrase:
    """What is assumed, in words."""
    return phrase(f"assumption.{row['name']}")


def drawn(campaign: Tree) -> Phrase:
    """How the control group came about, so that it can be drawn again."""
    draws = Number(campaign["control"]["draws"], "count")
    return phrase("trust.drawn", n=draws, seed=Number(campaign["seed"], "plain"))
