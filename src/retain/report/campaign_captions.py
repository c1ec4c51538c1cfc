"""What to read from each figure of the campaign, said with its own numbers.

May import: report.canvas, report.money_curves, report.names, report.numbers,
report.segment_rows, report.tornado, report.words.
"""

from __future__ import annotations

from collections.abc import Callable

from retain.report.names import Tree, label
from retain.report.numbers import Number
from retain.report.segment_rows import weighed, with_money
from retain.report.tornado import swings
from retain.report.words import Label, Phrase, known, phrase


def segment_label(one: Tree) -> Label:
    """What people call a segment."""
    return Label(one["segment"], one["segment"]) if one["label"] is None else label(one["label"])


def offer_label(campaign: Tree, name: str) -> Label:
    """What people call an offer; one the campaign does not have keeps its name."""
    found = {one["name"]: label(one["label"]) for one in campaign["offers"]}
    return found.get(name, Label(name, name))


def channel(name: str) -> Phrase:
    """How an offer reaches a customer; a way the catalogue does not know keeps its name."""
    key = f"channel.{name}"
    return phrase(key) if known(key) else phrase("measure.other", key=Label(name, name))


def _segments(tree: Tree) -> Phrase:
    found = tree["segments"]
    money = with_money(found)
    one, weight = weighed(found)[0]
    form = "money" if money else "percent"
    ends = {end: Number(weight[end], form) for end in ("value", "low", "high")}
    key = "caption.segments" if money else "caption.segments_risk"
    return phrase(key, segment=segment_label(one), **ends)


def _profit_curve(tree: Tree) -> Phrase:
    campaign = tree["campaign"]
    found = campaign["profit_curve"]
    best = {
        "share": Number(found["best_share"], "share"),
        "profit": Number(found["best_profit"], "money"),
    }
    if found["offer"] is None:
        return phrase("caption.profit_curve_any", **best)
    offer = offer_label(campaign, found["offer"])
    return phrase("caption.profit_curve", offer=offer, **best)


def _budget_curve(tree: Tree) -> Phrase:
    found = sorted(tree["campaign"]["budgets"], key=lambda one: float(one["budget"]))
    first, last = found[0], found[-1]
    return phrase(
        "caption.budget_curve",
        first=Number(first["budget"], "money"),
        last=Number(last["budget"], "money"),
        low=Number(first["net"], "money"),
        high=Number(last["net"], "money"),
        few=Number(first["chosen"], "count"),
        most=Number(last["chosen"], "count"),
    )


def _tornado(tree: Tree) -> Phrase:
    campaign = tree["campaign"]
    found, widest = campaign["sensitivity"], swings(campaign)[0]
    ends = [found["net"], widest["net_low"], widest["net_high"]]
    return phrase(
        "caption.tornado",
        name=phrase(f"assumption.{widest['name']}"),
        low=Number(min(ends), "money"),
        high=Number(max(ends), "money"),
        net=Number(found["net"], "money"),
        chosen=Number(found["chosen"], "count"),
    )


CAMPAIGN_CAPTIONS: dict[str, Callable[[Tree], Phrase]] = {
    "segments": _segments,
    "profit_curve": _profit_curve,
    "budget_curve": _budget_curve,
    "tornado": _tornado,
}
