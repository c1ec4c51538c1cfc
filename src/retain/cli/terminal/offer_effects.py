"""Terminal output of the measured effects that a plan goes by. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from retain.record.effects_document import MeasuredOfferInfo, PlanEffectsInfo
from retain.wording import describe_count, format_interval, format_p, format_signed, money_digits


def describe_offer_effects(effects: PlanEffectsInfo) -> Iterator[str]:
    """Yield where effects come from, then the effect of each measured offer."""
    sources = ", ".join(
        f"{one.name} ({describe_count(one.n_customers, 'customer')})" for one in effects.sources
    )
    yield f"Measured effects take the place of assumed save rates: learned from {sources}."
    for one in effects.offers:
        yield f"  {one.offer}: {_size(one, effects)} {_differences(one)}."
    if effects.unknown_arms:
        yield f"  No offers of this catalogue: {', '.join(effects.unknown_arms)}."
    if effects.unshared_covariates:
        names = ", ".join(effects.unshared_covariates)
        yield f"  Not learned from, as not all of these campaigns know it: {names}."


def _size(one: MeasuredOfferInfo, effects: PlanEffectsInfo) -> str:
    times, what = (100, "points fewer declines")
    if effects.unit == "money":
        times, what = (1, "in money per customer")
    value, low, high = (times * end for end in (one.effect.value, one.effect.low, one.effect.high))
    form = f"+,.{money_digits((value, low, high))}f" if times == 1 else "+.1f"
    return f"{format_signed(value, form)} {what} (95 % CI {format_interval(low, high, form)}),"


def _differences(one: MeasuredOfferInfo) -> str:
    if one.p is None:
        return "taken to be the same for all"
    p = format_p(one.p)
    if one.shrinkage > 0:
        return f"different between customers (p {p})"
    return f"taken to be the same for all, as no differences are shown (p {p})"
