"""Placeholders in an offer's text: bare names in braces, and nothing else that braces could do.

A text is taken apart by ``string.Formatter.parse`` and put together from its pieces; it is never
formatted, so neither a text nor a value can reach an attribute, an index or a width.

May import: errors.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from string import Formatter

from retain.errors import did_you_mean, nearest

DRIVER = "driver"
"""Stands for the customer's strongest driver that the offer answers."""
BARE = re.compile(r"(?!\d+$)\w+")  # {0} is a position


def pieces(text: str) -> list[tuple[str, str | None]]:
    """Each stretch of plain text with the placeholder after it, None after the last.

    ``text`` is one in which ``faults`` finds nothing.

    >>> pages = pieces("You saw {pages} pages {{today}}")
    >>> pages[0], "".join(plain for plain, _ in pages[1:])
    (('You saw ', 'pages'), ' pages {today}')
    """
    return [(plain, name) for plain, name, _, _ in Formatter().parse(text)]


def placeholders(text: str) -> list[str]:
    """The names in the braces, each once, in their order.

    >>> placeholders("{pages} of {category}, {pages}")
    ['pages', 'category']
    """
    return list(dict.fromkeys(name for _, name in pieces(text) if name is not None))


def faults(text: str, known: Collection[str], where: str) -> Iterator[str]:
    r"""A sentence for each placeholder that is none, with the nearest of the ``known`` names.

    >>> print(*faults("Hello {page}, {pages:>9}", ["pages"], "offers.call.text.en"), sep="\n")
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
        if name is None or (name in known and not form and conversion is None):
            continue
        typed = f"{{{name}{f'!{conversion}' if conversion else ''}{f':{form}' if form else ''}}}"
        if not form and conversion is None and BARE.fullmatch(name):
            yield f"{where}: placeholder {typed!r} names no feature.{did_you_mean(name, known)}"
        else:
            root = nearest(re.split(r"\W", name)[0], known) or DRIVER
            yield f"{where}: placeholder {typed!r} is no bare name; expected such as {{{root}}}."
