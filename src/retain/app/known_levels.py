"""Levels of categories that a comparison met, so that none is called unknown among a few others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from retain.app.saved import Saved
from retain.campaign.reference import LevelShares
from retain.customers.customers import Column, Label
from retain.schema import Rule


def with_levels(columns: Mapping[str, Column], saved: Saved) -> dict[str, Column]:
    """The columns with every level the training customers had, or a rule of the verdict names."""
    met = [
        *_of_reference(saved),
        *(pair for rule in _rules(saved) for pair in _of_rule(rule)),
    ]
    found = dict(columns)
    for name, levels in met:
        if name in found:
            column = found[name]
            named = {level: Label(level, level) for level in levels}
            found[name] = replace(column, levels={**named, **column.levels})
    return found


def _of_reference(saved: Saved) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, shares in saved.reference.features.items():
        if isinstance(shares, LevelShares):
            yield name, tuple(shares.levels)


def _rules(saved: Saved) -> Iterator[Rule]:
    yield from (named.when for named in saved.cuts.segmentation.rules.values())
    for offer in saved.cuts.offers.offers.values():
        yield from (rule for rule in (offer.when, offer.never) if rule is not None)


def _of_rule(rule: Rule) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, condition in rule.conditions.items():
        yield name, (*(condition.one_of or ()), *(condition.none_of or ()))
    inner = (*rule.all, *rule.any, *(() if rule.not_ is None else (rule.not_,)))
    for one in inner:
        yield from _of_rule(one)
