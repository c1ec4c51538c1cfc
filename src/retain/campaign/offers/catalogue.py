"""Checks of a catalogue of offers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from string import Formatter

from retain.campaign.audience import Audience
from retain.campaign.segmentation import rules
from retain.errors import RetainError, did_you_mean, nearest
from retain.schema.campaign import Catalogue, Offer, Rule

DRIVER = "driver"
"""Placeholder of the customer's strongest driver that the offer addresses."""
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


def check_catalogue(catalogue: Catalogue, audience: Audience) -> None:
    """Raise for a catalogue that is invalid for these customers.

    Raises
    ------
    RetainError
        One line per problem, with its key: an invalid rule, an unknown driver or placeholder, a
        placeholder that is not a bare name, a channel that needs consent without
        ``needs_consent``.
    """
    problems = [
        problem
        for name, offer in catalogue.offers.items()
        for problem in _find_offer_problems(name, offer, audience)
    ]
    if problems:
        raise RetainError("\n".join(problems))


def fit_catalogue(catalogue: Catalogue, audience: Audience) -> Catalogue:
    """Return the catalogue with shares of customers in its rules as bounds (``rules.fit_rules``).

    So an offer for the best fifth has the same bound among new customers.
    """
    offers = {
        name: offer.model_copy(
            update={
                key: rules.fit_rules(rule, audience)
                for key, rule in (
                    ("include_if", offer.include_if),
                    ("exclude_if", offer.exclude_if),
                )
                if rule is not None
            }
        )
        for name, offer in catalogue.offers.items()
    }
    return catalogue.model_copy(update={"offers": offers})


def _find_offer_problems(name: str, offer: Offer, audience: Audience) -> Iterator[str]:
    where = f"offers.{name}"
    if name == NOTHING:
        yield f"{where}: doing nothing is always possible and bears this name; expected another."
    if not offer.needs_consent and offer.channel not in OWN:
        yield (
            f"{where}.needs_consent is false with channel {offer.channel!r}; expected true, or a "
            f"channel that customers come to by themselves: {', '.join(OWN)}."
        )
    yield from _find_unknown_drivers(offer.drivers, audience, f"{where}.drivers")
    if offer.boost is not None:
        yield from _find_unknown_drivers(offer.boost.drivers, audience, f"{where}.boost.drivers")
    for rule, key in ((offer.include_if, "include_if"), (offer.exclude_if, "exclude_if")):
        if rule is not None:
            yield from _find_rule_problems(rule, audience, f"{where}.{key}")
    names = [*audience.columns, DRIVER]
    for language, text in offer.text:
        yield from find_placeholder_problems(text, names, f"{where}.text.{language}")


def _find_unknown_drivers(names: tuple[str, ...], audience: Audience, where: str) -> Iterator[str]:
    groups = dict.fromkeys(column.group for column in audience.columns.values())
    existing = [*audience.columns, *groups]
    for name in names:
        if name not in existing:
            yield f"{where}: {RetainError.unknown('feature or group', name, existing)}"


def _find_rule_problems(rule: Rule, audience: Audience, where: str) -> Iterator[str]:
    try:
        rules.check_rule(rule, audience, where)
    except RetainError as error:
        yield str(error)
