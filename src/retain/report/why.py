"""Why the winner decides as it does, in sentences, each generated from the verdict's numbers.

May import: report.driver_words, report.features, report.names, report.numbers, report.words.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from retain.report.driver_words import told
from retain.report.features import by_name, strong
from retain.report.names import Tree, group_name, label
from retain.report.numbers import Number, counted
from retain.report.words import Phrase, both, phrase


def why(reasons: Tree) -> list[Phrase]:
    """What costs most, what is strongest, whether orders agree, what is redundant, no causes."""
    said = [_groups(reasons), _strongest(reasons), _orders(reasons), _redundant(reasons)]
    return [*(one for one in said if one is not None), phrase("reasons.no_causes")]


def _groups(reasons: Tree) -> Phrase | None:
    """Which group's absence costs most, and whether that order is clear."""
    known = [group for group in reasons["groups"] if group["contribution"] is not None]
    if not known:
        return phrase("reasons.costs.unknown") if reasons["groups"] else None
    first, lost = known[0], known[0]["contribution"]
    values: dict[str, Any] = {
        "group": group_name(first["name"]),
        **{end: Number(lost[end], "score") for end in ("loss", "low", "high")},
    }
    if lost["low"] is None or lost["low"] <= 0:
        return phrase("reasons.costs.nothing", **values)
    if len(known) == 1:
        return phrase("reasons.costs.alone", **values)
    after = known[1]["contribution"]
    values["next"] = group_name(known[1]["name"])
    if after["high"] is not None and after["high"] < lost["low"]:
        return phrase("reasons.costs.clear", **values)
    ends = {f"next_{end}": Number(after[end], "score") for end in ("low", "high")}
    return phrase("reasons.costs.unclear", **values, **ends)


def _strongest(reasons: Tree) -> Phrase | None:
    """The feature that moves the winner most, or without it the most closely associated one."""
    found = strong(reasons, 1)
    if found:
        values = {
            end: Number(found[0]["strength"][end], "score") for end in ("mean", "low", "high")
        }
        way = direction(found[0], "reasons.way")
        return phrase("reasons.strongest", feature=label(found[0]["label"]), way=way, **values)
    related = [one for one in reasons["features"] if one["phik"] is not None]
    if not related:
        return None
    closest = max(related, key=lambda one: float(one["phik"]))
    phik = Number(closest["phik"], "times")
    return phrase("reasons.closest", feature=label(closest["label"]), phik=phik)


def direction(feature: Tree, key: str) -> Phrase:
    """Where the risk rises with a feature, said by the phrases under ``key``."""
    if feature["direction"] == "level" and feature["top_level"] is not None:
        return phrase(f"{key}.level", level=label(feature["top_level"]))
    known = feature["direction"] in ("up", "down")
    return phrase(f"{key}.{feature['direction'] if known else 'mixed'}")


def _orders(reasons: Tree) -> Phrase | None:
    """Whether shuffling columns orders the features as the SHAP values do."""
    drivers = reasons["drivers"]
    if drivers is None or drivers["agree"] is None:
        return None
    values = {"tau": Number(drivers["tau"], "times"), "p": Number(drivers["tau_p"], "p_is")}
    return phrase("reasons.orders.agree" if drivers["agree"] else "reasons.orders.differ", **values)


def _redundant(reasons: Tree) -> Phrase:
    """How many groups of features say nearly the same, and which of them says it most."""
    found = reasons["redundant"]
    if not found:
        return phrase("reasons.distinct")
    names, closest = by_name(reasons), found[0]
    return phrase(
        "reasons.redundant",
        n=counted(len(found), "reasons.redundant"),
        features=[label(names[name]["label"]) for name in closest["features"]],
        phik=Number(closest["phik"], "times"),
    )


def explained(drivers: Tree) -> Phrase:
    """How the SHAP values came about, and how far they can be relied on."""
    return phrase(
        f"reasons.explained.{drivers['explainer']}",
        repeats=Number(drivers["repeats"], "count"),
        difference=Number(drivers["difference"], "p"),
        background=Number(drivers["background"], "count"),
        error=Number(drivers["error"], "score"),
    )


def source(contribution: Tree) -> Phrase:
    """How a group's contribution was measured."""
    if contribution["source"] == "sweep" and contribution["pairs"] is not None:
        return phrase("reasons.source.sweep", n=Number(contribution["pairs"], "count"))
    return phrase("reasons.source.refit")


def driver_words(driver: Tree, features: Tree) -> Markup:
    """One driver of one customer, in every language."""
    said = told(driver, features[driver["feature"]])
    return both(said) if isinstance(said, Phrase) else said
