"""Sentences about a label made from a purchase log: chance, persistence, season."""

from __future__ import annotations

from collections.abc import Iterator

from retain.record.estimates import DisplayName, Estimate
from retain.record.label import LabelQuality
from retain.report.text.numbers import Number
from retain.report.text.words import Message, message

HALF = 0.5


def label_sentences(quality: LabelQuality | None) -> list[Message]:
    """Return what the checks of a label found; empty for a target that is given."""
    if quality is None:
        return []
    parts = (_chance, _persistence, _season, _money)
    return [one for part in parts for one in part(quality)]


def _chance(quality: LabelQuality) -> Iterator[Message]:
    chance = quality.chance
    if chance is None:
        if quality.chance_reason is not None:
            yield message(f"label.no_chance.{quality.chance_reason}")
        return
    share, excess = chance.share, chance.excess
    yield message(
        "label.chance",
        labelled=Number(chance.share_labelled, "share"),
        poisson=Number(chance.poisson_share, "share"),
        **_interval(share, "share"),
    )
    clear = "more" if excess.low > 0 else "fewer" if excess.high < 0 else "equal"
    yield message(f"label.excess.{clear}", **_interval(excess, "points"))
    yield message("label.ceiling", auc=Number(chance.ceiling_auc, "score"))
    if (quality.one_order_share or 0.0) > HALF:
        yield message("label.one_order", share=Number(quality.one_order_share, "share"))


def _persistence(quality: LabelQuality) -> Iterator[Message]:
    found = quality.persistence
    if found is None:
        if quality.persistence_reason is not None:
            yield message(f"label.no_persistence.{quality.persistence_reason}")
        return
    yield message(
        "label.persistence",
        labelled=Number(found.labelled, "share"),
        others=Number(found.others, "share"),
        **_interval(found.loss_fraction, "share"),
    )


def _season(quality: LabelQuality) -> Iterator[Message]:
    trends = [one.trend for one in quality.store_levels if one.trend is not None]
    if trends:
        low, high = (Number(end(trends), "times") for end in (min, max))
        yield message("label.season", low=low, high=high)
    before = [one.trend_last_year for one in quality.store_levels]
    known = [trend for trend in before if trend is not None]
    if known:
        low, high = (Number(end(known), "times") for end in (min, max))
        yield message("label.last_year", low=low, high=high)


def _money(quality: LabelQuality) -> Iterator[Message]:
    forecasts = quality.money
    if forecasts:
        last = forecasts[-1]
        yield message(
            "label.money",
            n=Number(len(forecasts), "count", "data.label.quality.money"),
            covered=Number(
                sum(one.covered for one in forecasts),
                "count",
                'data.label.quality.money {"covered": true}',
            ),
            day=DisplayName(last.snapshot, last.snapshot),
            actual=Number(last.actual, "money_0"),
            **_interval(last.forecast, "money_0"),
        )


def _interval(one: Estimate, form: str) -> dict[str, Number]:
    return {name: Number(getattr(one, name), form) for name in ("value", "low", "high")}
