"""Outcomes made from a purchase log, as readouts hold them."""

from __future__ import annotations

from retain.record.estimates import DisplayName
from retain.schema.parsing import Config


class OutcomesLogInfo(Config):
    """The horizon, the label, and how many customers the log does not know.

    Attributes
    ----------
    first_day, last_day
        Of the horizon, YYYY-MM-DD.
    label
        The meaning of a decline.
    n_absent
        Customers who are not in the log by the last day: they bought nothing.
    """

    first_day: str
    last_day: str
    label: DisplayName
    n_absent: int
