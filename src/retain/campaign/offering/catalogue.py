"""What cannot be meant in a catalogue of offers.

May import: errors, customers, schema.
"""

from __future__ import annotations

from collections.abc import Iterator

from retain.campaign.audience import Audience
from retain.campaign.offering.placeholders import DRIVER, faults
from retain.campaign.segmentation import rules
from retain.errors import RetainError
from retain.schema import Catalogue, Offer, Rule

NOTHING = "nothing"
"""Doing nothing needs no entry in a catalogue, and no other offer may bear its name."""
OWN = ("site", "app", "account", "parcel", "store", "checkout")
"""Channels customers come to by themselves: the only ones an offer may use without consent."""


def check(catalogue: Catalogue, audience: Audience) -> None:
    """Refuse a catalogue that cannot be meant for these customers; their drivers are not asked.

    Raises
    ------
    RetainError
        One sentence a fault, with its place: a rule's, a driver or placeholder that does not
        exist, a placeholder that is not a bare name, a channel that needs consent and
        does not ask for it.
    """
    found = [
        fault
        for name, offer in catalogue.offers.items()
        for fault in _faults(name, offer, audience)
    ]
    if found:
        raise RetainError("\n".join(found))


def settled(catalogue: Catalogue, audience: Audience) -> Catalogue:
    """The same catalogue, with shares of customers in its rules settled as ``rules.settled`` does.

    So offers for the best fifth go, among new customers, to whom is as good as this audience's.
    """
    offers = {
        name: offer.model_copy(
            update={
                place: rules.settled(rule, audience)
                for place, rule in (("when", offer.when), ("never", offer.never))
                if rule is not None
            }
        )
        for name, offer in catalogue.offers.items()
    }
    return catalogue.model_copy(update={"offers": offers})


def _faults(name: str, offer: Offer, audience: Audience) -> Iterator[str]:
    where = f"offers.{name}"
    if name == NOTHING:
        yield f"{where}: doing nothing is always possible and bears this name; expected another."
    if not offer.needs_consent and offer.channel not in OWN:
        yield (
            f"{where}.needs_consent is false with channel {offer.channel!r}; expected true, or a "
            f"channel that customers come to by themselves: {', '.join(OWN)}."
        )
    yield from _unknown_drivers(offer.drivers, audience, f"{where}.drivers")
    if offer.lift is not None:
        yield from _unknown_drivers(offer.lift.drivers, audience, f"{where}.lift.drivers")
    for rule, place in ((offer.when, "when"), (offer.never, "never")):
        if rule is not None:
            yield from _rule_faults(rule, audience, f"{where}.{place}")
    names = [*audience.columns, DRIVER]
    for language, text in offer.text:
        yield from faults(text, names, f"{where}.text.{language}")


def _unknown_drivers(names: tuple[str, ...], audience: Audience, where: str) -> Iterator[str]:
    groups = dict.fromkeys(column.group for column in audience.columns.values())
    existing = [*audience.columns, *groups]
    for name in names:
        if name not in existing:
            yield f"{where}: {RetainError.unknown('feature or group', name, existing)}"


def _rule_faults(rule: Rule, audience: Audience, where: str) -> Iterator[str]:
    try:
        rules.check(rule, audience, where)
    except RetainError as error:
        yield str(error)
