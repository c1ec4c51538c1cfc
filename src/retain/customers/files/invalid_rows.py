"""Customers whose cells break what a file should hold, and in which words.

Of customers to learn from one refuses the whole file: who is left out might be left out for a
reason. Of customers to be scored each is told why there is no score.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from retain.customers.customers import Customers
from retain.errors import RetainError

STEP = "unreadable"


@dataclass(frozen=True, slots=True)
class InvalidRows:
    """A sentence, and the ids it is about."""

    message: str
    ids: pd.Index


def raise_invalid(found: Iterable[InvalidRows]) -> None:
    """Refuse a file for all that is wrong with it, if anything is."""
    if lines := [one.message for one in found]:
        raise RetainError("\n".join(lines))


def drop_invalid(customers: Customers, found: Iterable[InvalidRows]) -> Customers:
    """Drop customers with invalid rows, a funnel step each; raise where none is left."""
    for one in found:
        unread = customers.features.index.isin(one.ids)
        if unread.all():
            raise RetainError(one.message)
        if unread.any():
            customers = customers.filter(~unread, STEP, one.message.removesuffix("."))
    return customers
