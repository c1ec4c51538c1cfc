"""Invalid cells of a column, the customers who have them, and the message about them.

An invalid row in training data raises, because dropping rows may bias the sample. Customers to be
scored are dropped, each with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from retain.customers.customers import Customers
from retain.errors import RetainError

STEP = "unreadable"


class InvalidCellsError(RetainError):
    """Some cells of a column are not as its others; ``rows`` are their labels."""

    def __init__(self, message: str, rows: pd.Index) -> None:
        super().__init__(message)
        self.rows = rows


@dataclass(frozen=True, slots=True)
class InvalidRows:
    """A message and the customers it is about."""

    message: str
    ids: pd.Index


def raise_invalid(found: Iterable[InvalidRows]) -> None:
    """Raise one error with all messages, if there are any."""
    if lines := [one.message for one in found]:
        raise RetainError("\n".join(lines))


def drop_invalid(customers: Customers, found: Iterable[InvalidRows]) -> Customers:
    """Drop customers with invalid rows, with a funnel step per message; raise if none is left."""
    for one in found:
        unread = customers.features.index.isin(one.ids)
        if unread.all():
            raise RetainError(one.message)
        if unread.any():
            customers = customers.filter(~unread, STEP, one.message.removesuffix("."))
    return customers
