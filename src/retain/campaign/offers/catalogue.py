"""Checks of a catalogue of offers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from string import Formatter
from typing import TypeVar

from retain.campaign.audience import Audience, find_segment
from retain.campaign.segmentation import rules
from retain.errors import RetainError, did_you_mean, nearest
from retain.schema.campaign import Care, Catalogue, Contact, Offer
from retain.schema.names import Translated
from retain.schema.rules import Rule

DRIVER = "driver"
"""Placeholder of the customer's strongest driver that the offer addresses."""
CODE, UNTIL = "code", "until"
"""Placeholders of the code that a customer names, and of the end of the validity."""


def own_placeholders(contact: Contact) -> list[str]:
    """Return the placeholders that have one value for everybody who is contacted."""
    values = {CODE: contact.code, UNTIL: contact.valid_days}
    return [name for name, value in values.items() if value is not None]


BARE = re.compile(r"(?!\d+$)\w+")  # {0} is a position


def split_template(text: str) -> list[tuple[str, str | None]]:
    """Return each plain part of a text with the placeholder after it, None after the last.

    ``text`` must have no ``find_placeholder_problems``.

    >>> pages = split_template("You saw {pages} pages {{today}}")
    >>> pages[0], "".join(plain for plain, _ in pages[1:])
    (('You saw ', 'pages'), ' pages {today}')
    """
    return [(plain, name) for plain, name, _, _ in Formatter().parse(text)]


def placeholders(text: str) -> list[str]:
    """Return the distinct names in braces, in order.

    >>> placeholders("{pages} of {category}, {pages}")
    ['pages', 'category']
    """
    return list(dict.fromkeys(name for _, name in split_template(text) if name is not None))


def find_placeholder_problems(text: str, names: Collection[str], where: str) -> Iterator[str]:
    r"""Yield a message for each invalid placeholder, with the nearest of ``names``.

    >>> text = "Hello {page}, {pages:>9}"
    >>> print(*find_placeholder_problems(text, ["pages"], "offers.call.text.en"), sep="\n")
    offers.call.text.en: placeholder '{page}' names no feature. Did you mean 'pages'?
    offers.call.text.en: placeholder '{pages:>9}' is no bare name; expected such as {pages}.
    """
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        yield (
            f"{where}: its braces cannot be read ({error}); expected a bare name in braces, such "
            "as {driver}, and {{ or }} for a brace itself."
        )
        return
    for _, name, form, conversion in parsed:
        if name is None or (name in names and not form and conversion is None):
            continue
        typed = f"{{{name}{f'!{conversion}' if conversion else ''}{f':{form}' if form else ''}}}"
        if not form and conversion is None and BARE.fullmatch(name):
            yield f"{where}: placeholder {typed!r} names no feature.{did_you_mean(name, names)}"
        else:
            root = nearest(re.split(r"\W", name)[0], names) or DRIVER
            yield f"{where}: placeholder {typed!r} is no bare name; expected such as {{{root}}}."


NOTHING = "nothing"
"""Reserved name for no offer."""
OWN = ("site", "app", "account", "parcel", "store", "checkout")
"""Channels that customers visit by themselves, the only ones allowed without consent."""


def check_catalogue(
    catalogue: Catalogue, audience: Audience, segments: Collection[str] | None = None
) -> None:
    """Raise for a catalogue that is invalid for these customers.

    ``segments`` are the names of all segments; None leaves those of offers unchecked.

    Raises
    ------
    RetainError
        One line per problem, with its key: an invalid rule, an unknown driver, segment or
        placeholder, a placeholder that is not a bare name, a channel that needs consent without
        ``needs_consent``.
    """
    names = list(segments or ())
    problems = [
        *(
            problem
            for name, offer in catalogue.offers.items()
            for problem in _find_offer_problems(name, offer, audience, names)
        ),
        *(
            problem
            for name, care in catalogue.care.items()
            for problem in _find_care_problems(name, care, audience)
        ),
    ]
    if problems:
        raise RetainError("\n".join(problems))


def fit_catalogue(catalogue: Catalogue, audience: Audience) -> Catalogue:
    """Return the catalogue with shares of customers in its rules as bounds (``rules.fit_rules``).

    So an offer for the best fifth has the same bound among new customers.
    """
    offers = {
        name: _fit(offer, ("include_if", "exclude_if"), audience)
        for name, offer in catalogue.offers.items()
    }
    care = {name: _fit(one, ("when",), audience) for name, one in catalogue.care.items()}
    return catalogue.model_copy(update={"offers": offers, "care": care})


ContactT = TypeVar("ContactT", bound=Contact)


def _fit(one: ContactT, keys: tuple[str, ...], audience: Audience) -> ContactT:
    found = {key: getattr(one, key) for key in keys}
    fitted = {key: rules.fit_rules(rule, audience) for key, rule in found.items() if rule}
    return one.model_copy(update=fitted)


def _find_offer_problems(
    name: str, offer: Offer, audience: Audience, segments: Sequence[str]
) -> Iterator[str]:
    where = f"offers.{name}"
    if name == NOTHING:
        yield f"{where}: doing nothing is always possible and bears this name; expected another."
    yield from _find_contact_problems(offer, audience, where, DRIVER)
    yield from _find_unknown_drivers(offer.drivers, audience, f"{where}.drivers")
    if offer.boost is not None:
        yield from _find_unknown_drivers(offer.boost.drivers, audience, f"{where}.boost.drivers")
    for rule, key in ((offer.include_if, "include_if"), (offer.exclude_if, "exclude_if")):
        if rule is not None:
            yield from _find_rule_problems(rule, audience, f"{where}.{key}")
    for step in offer.steps:
        here = f"{where}.steps.{step.day}"
        yield from _find_consent_problems(step.channel, offer, here)
        yield from _find_text_problems(step.text, offer, audience, here, DRIVER)
    yield from _find_unknown_segments(offer.segments, segments, f"{where}.segments")


def _find_care_problems(name: str, care: Care, audience: Audience) -> Iterator[str]:
    where = f"offers.care.{name}"
    yield from _find_contact_problems(care, audience, where)
    yield from _find_rule_problems(care.when, audience, f"{where}.when")


def _find_contact_problems(
    contact: Contact, audience: Audience, where: str, *more: str
) -> Iterator[str]:
    yield from _find_consent_problems(contact.channel, contact, where)
    yield from _find_text_problems(contact.text, contact, audience, where, *more)


def _find_consent_problems(channel: str, contact: Contact, where: str) -> Iterator[str]:
    if not contact.needs_consent and channel not in OWN:
        yield (
            f"{where}.needs_consent is false with channel {channel!r}; expected true, or a "
            f"channel that customers come to by themselves: {', '.join(OWN)}."
        )


def _find_text_problems(
    text: Translated, contact: Contact, audience: Audience, where: str, *more: str
) -> Iterator[str]:
    names = [*audience.columns, *own_placeholders(contact), *more]
    for language, template in text:
        yield from find_placeholder_problems(template, names, f"{where}.text.{language}")


def _find_unknown_segments(
    wanted: Sequence[str], segments: Sequence[str], where: str
) -> Iterator[str]:
    """Yield a message for each unknown segment; none before there are any segments."""
    for text in wanted if segments else ():
        try:
            find_segment(text, segments, where)
        except RetainError as error:
            yield f"{error} Type the segmentation that has it, such as segmentation=one_click."


def _find_unknown_drivers(names: tuple[str, ...], audience: Audience, where: str) -> Iterator[str]:
    """Yield a message for each name that is no feature.

    A group is refused too: what one of its features does to a risk says nothing of another.
    """
    for name in names:
        inside = [str(key) for key, column in audience.columns.items() if column.group == name]
        if name in audience.columns:
            continue
        if inside:
            yield f"{where}: {name!r} is a group; expected features, such as {', '.join(inside)}."
        else:
            yield f"{where}: {RetainError.unknown('feature', name, list(audience.columns))}"


def _find_rule_problems(rule: Rule, audience: Audience, where: str) -> Iterator[str]:
    try:
        rules.check_rule(rule, audience, where)
    except RetainError as error:
        yield str(error)


Directions = Mapping[str, tuple[str | None, float | None]]
"""Direction of each feature with the winner (up | down | mixed | level) and rank correlation."""
RISING, FALLING = ("at_least", "above", "top"), ("at_most", "below", "bottom")


def check_directions(catalogue: Catalogue, directions: Directions, winner: str) -> None:
    """Raise for an offer whose rule selects the side of a driver that lowers the winner's risk.

    Raises
    ------
    RetainError
        One line per offer and driver, with the rule and the direction.
    """
    problems = [
        problem
        for name, offer in catalogue.offers.items()
        for problem in _find_contradictions(name, offer, directions, winner)
    ]
    if problems:
        raise RetainError("\n".join(problems))


def _find_contradictions(
    name: str, offer: Offer, directions: Directions, winner: str
) -> Iterator[str]:
    for key, rule, sign in (
        ("include_if", offer.include_if, 1),
        ("exclude_if", offer.exclude_if, -1),
    ):
        for feature, side in dict.fromkeys(_iter_sides(rule, sign)) if rule else ():
            direction, rho = directions.get(feature, (None, None))
            if feature in offer.drivers and {side, direction} == {"up", "down"}:
                high, fewer = ("high", "lower") if side == "up" else ("low", "higher")
                yield (
                    f"offers.{name}.{key} selects customers with a {high} {feature}, but with the "
                    f"winner ({winner}) {fewer} values go with a higher risk (rank correlation "
                    f"{rho:.2f}). Turn the rule round, or take {feature} out of "
                    f"offers.{name}.drivers."
                )


def _iter_sides(rule: Rule, sign: int) -> Iterator[tuple[str, str]]:
    """Yield each feature with the side on which the rule selects: up or down."""
    for feature, condition in rule.conditions.items():
        rises = any(getattr(condition, key) is not None for key in RISING)
        falls = any(getattr(condition, key) is not None for key in FALLING)
        if rises != falls:
            yield feature, "up" if rises == (sign > 0) else "down"
    for one in (*rule.all, *rule.any):
        yield from _iter_sides(one, sign)
    if rule.not_ is not None:
        yield from _iter_sides(rule.not_, -sign)
