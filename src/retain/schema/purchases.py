"""The nodes of a purchase log: what its columns are, what counts as a decline, which snapshots."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from retain.schema.parsing import Config

Days = Annotated[int, Field(ge=1, le=3_660)]
Measure = Literal["orders", "items", "amount"]


class LogColumns(Config):
    """The columns of a log; one without a header is named by ``format.columns``.

    ``customer`` and ``time`` every log has. ``order`` joins the lines of one order; without it the
    purchases of one day are one order. ``minutes`` (on the site) and ``contacts`` (by marketing)
    are numbers of a row, and a row without amount and items may be a visit or a contact alone.
    """

    customer: str
    time: str
    amount: str | None = None
    items: str | None = None
    order: str | None = None
    category: str | None = None
    discount: str | None = None
    minutes: str | None = None
    contacts: str | None = None
    profit: str | None = None


class LogFormat(Config):
    """The format of a CSV log, as far as its text does not show it.

    ``columns`` are those of a file without a heading, in their order; ``time_format`` is
    what ``strptime`` takes; ``timezone`` is the store's, whose midnights begin its days.
    """

    columns: tuple[str, ...] | None
    time_format: str | None
    timezone: str


class LogPolicy(Config):
    """The policy for rows that are no plain purchase.

    ``returns`` are amounts below zero: ``net`` takes them off what was bought and counts no order,
    ``drop`` leaves them out, ``error`` refuses the log. ``zero_amount`` are amounts of zero, and
    ``duplicates`` rows that repeat another in every column.
    """

    returns: Literal["net", "drop", "error"]
    zero_amount: Literal["keep", "drop", "error"]
    duplicates: Literal["keep", "drop", "error"]


class RegularityRule(Config):
    """A regular customer bought in each of the last ``periods`` of ``days``."""

    periods: Annotated[int, Field(ge=1, le=24)]
    days: Days


class LabelRule(Config):
    """The definition of a decline, and of a regular customer.

    Declined is who, in the ``horizon`` days after a snapshot, comes to less than
    ``decline_ratio`` × what the own rate of the ``lookback`` days before it makes of so many days.
    ``min_history`` are days since the first purchase, None for twice the horizon.
    """

    measure: Measure
    horizon: Days
    lookback: Days
    decline_ratio: Annotated[float, Field(gt=0, le=1)]
    regularity: RegularityRule
    min_history: Days | None

    @property
    def least_history(self) -> int:
        """Days since the first purchase that make a customer eligible."""
        return 2 * self.horizon if self.min_history is None else self.min_history


class SnapshotRule(Config):
    """Up to ``n`` snapshots, ``step_days`` apart, the last on ``last`` or as late as possible."""

    step_days: Days
    n: Annotated[int, Field(ge=1, le=120)]
    last: date | None
