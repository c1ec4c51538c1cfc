"""Segments in words: where most is at risk, and what sets each apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retain.report.text.campaign import customers
from retain.report.text.names import Tree, label, segment_label
from retain.report.text.numbers import VALUES, Number, format_number
from retain.report.text.words import Label, Message, has_text, interval, message
from retain.report.tree import has_profit, segments_by_risk

SOUND = 0.75
"""Mean Jaccard overlap from which a segment is a group of its own (Hennig 2007)."""
STABLE = (("highly", 0.85), ("mostly", SOUND), ("hardly", 0.6))
"""How well a segment holds together, from which overlap on."""


def segment_sentences(segments: Sequence[Tree]) -> list[Message]:
    """Return sentences about segments: most at risk, least consent, what is no group."""
    said = [_most(segments), _consent(segments), _steady(segments)]
    return [one for one in said if one is not None]


def _most(segments: Sequence[Tree]) -> Message:
    (first, weight), *others = segments_by_risk(segments)
    form = "money" if has_profit(segments) else "share"
    values: dict[str, Any] = {
        "segment": segment_label(first),
        "customers": customers(first["n_customers"]),
        "value": Number(weight["value"], form),
        "range": interval(weight["low"], weight["high"], form),
    }
    if form == "share":
        return message("segments.riskiest", **values)
    if not others:
        return message("segments.most.alone", **values)
    after, its = others[0]
    values["next"] = segment_label(after)
    if its["high"] < weight["low"]:
        return message("segments.most.clear", **values)
    next_range = interval(its["low"], its["high"], form)
    return message("segments.most.unclear", next_range=next_range, **values)


def _consent(segments: Sequence[Tree]) -> Message | None:
    """In which segment fewest can be contacted, where that differs."""
    found = [one for one in segments if one["contactable_share"] is not None]
    if len({one["contactable_share"] for one in found}) < 2:
        return None
    rarest = min(found, key=lambda one: float(one["contactable_share"]))
    share = Number(rarest["contactable_share"], "share")
    return message("segments.consent", segment=segment_label(rarest), share=share)


def _steady(segments: Sequence[Tree]) -> Message | None:
    found = [one for one in segments if one["stability"] is not None]
    if not found:
        return None
    least = min(found, key=lambda one: float(one["stability"]["jaccard"]))
    overlap = least["stability"]["jaccard"]
    key = "segments.hold" if overlap >= SOUND else "segments.fall"
    return message(key, segment=segment_label(least), jaccard=Number(overlap, "times"))


def contrast_message(one: Tree) -> Message:
    """One feature by which a segment differs, higher or lower, inside against outside."""
    if one["kind"] == "category":
        form = "share"
        level = Label(str(one["level"]), str(one["level"]))
        named: dict[str, Any] = {
            "level": label(one["level_label"]) if one["level_label"] else level
        }
    else:
        form, named = _form(one["in_segment"], one["elsewhere"]), {}
    return message(
        f"segments.{one['kind']}.{one['direction']}",
        feature=label(one["label"]),
        inside=Number(one["in_segment"], form),
        outside=Number(one["elsewhere"], form),
        **named,
    )


def _form(inside: float, outside: float) -> str:
    """Return the form of fewest digits in which two values are seen to differ.

    >>> _form(2.0, 6.0), _form(5.0004, 5.0)
    ('value', 'value_5')
    """
    seen = (
        form
        for form in VALUES
        if format_number(inside, form, "en") != format_number(outside, form, "en")
    )
    return next(seen, "value")


def stability_message(stability: Tree) -> Message:
    """Return the stability of a segment under resampling and shifted cut-offs."""
    found = next((word for word, least in STABLE if stability["jaccard"] >= least), "not")
    return message(f"segments.stable.{found}")


def measure(one: Tree) -> Message:
    """By what a difference is measured; one the catalogue does not know keeps its key."""
    key = f"effect.{one['effect_size']['measure']}"
    return (
        message(key)
        if has_text(key)
        else message("measure.other", key=one["effect_size"]["measure"])
    )


def segment_named(tree: Tree, name: str) -> Label:
    """Return the display name of a segment by its key."""
    found = {one["segment"]: segment_label(one) for one in tree["segments"] or []}
    return found.get(name, Label(name, name))
