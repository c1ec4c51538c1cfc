"""The nodes of a purchase log: columns, format, target, snapshots."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from retain.schema.parsing import Config

Days = Annotated[int, Field(ge=1, le=3_660)]
Measure = Literal["orders", "items", "amount"]


def _check_column(name: str) -> str:
    if not name.strip():
        raise ValueError("the name of a column")
    return name


ColumnName = Annotated[str, AfterValidator(_check_column)]


class LogColumns(Config):
    """The columns of a log; one without a header is named by ``format.columns``.

    ``customer`` and ``time`` are required. ``order`` joins the lines of one order; without it the
    purchases of one day are one order. ``minutes`` (on the site) and ``contacts`` (by marketing)
    are numbers per row; a row without amount and items may be a visit or a contact alone.
    ``amount``, ``items`` and ``profit`` may be sums and products of columns. ``currency`` is that
    of the money.
    """

    customer: ColumnName
    time: ColumnName
    amount: ColumnName | None = None
    items: ColumnName | None = None
    order: ColumnName | None = None
    category: ColumnName | None = None
    discount: ColumnName | None = None
    minutes: ColumnName | None = None
    contacts: ColumnName | None = None
    profit: ColumnName | None = None
    currency: ColumnName | None = None


class LogFormat(Config):
    """The format of a CSV log, as far as it cannot be inferred.

    ``columns`` are those of a file without a header, in order; ``time_format`` is that of
    ``strptime``; days begin at midnight in ``timezone``. ``number_format`` is the number 1234.56 as
    the log writes it, and ``encoding`` that of text files; None to detect them.
    """

    columns: tuple[str, ...] | None
    time_format: str | None
    timezone: str
    number_format: str | None = None
    encoding: str | None = None


class LogPolicy(Config):
    """The policy for rows that are not plain purchases.

    ``returns`` are amounts below zero: ``net`` subtracts them and counts no order, ``drop`` leaves
    them out, ``error`` rejects the log. ``zero_amount`` are amounts of zero, and
    ``duplicates`` rows that repeat another in every column. ``placeholder_times`` are days such as
    1900-01-01 that are far from all others, ``currencies`` amounts in several currencies, ``gaps``
    weeks without a purchase, and ``incomplete_day`` a last day that was not over.
    """

    returns: Literal["net", "drop", "error"]
    zero_amount: Literal["keep", "drop", "error"]
    duplicates: Literal["keep", "drop", "error"]
    placeholder_times: Literal["keep", "drop", "error"] = "error"
    currencies: Literal["keep", "error"] = "error"
    gaps: Literal["keep", "error"] = "error"
    incomplete_day: Literal["keep", "drop"] = "drop"


class RegularityRule(Config):
    """A regular customer bought in each of the last ``periods`` of ``days``."""

    periods: Annotated[int, Field(ge=1, le=24)]
    days: Days


class LabelRule(Config):
    """The definition of a decline, and of a regular customer.

    A customer declined if the measure in the ``horizon`` days after a snapshot is less than
    ``decline_ratio`` × the one expected from the rate of the ``lookback`` days before it.
    ``relative`` to the store multiplies the expected one by the trend of the whole store, from the
    look-back to the horizon. ``min_history`` are days since the first purchase, None for twice the
    horizon.
    """

    measure: Measure
    horizon: Days
    lookback: Days
    decline_ratio: Annotated[float, Field(gt=0, le=1)]
    regularity: RegularityRule
    min_history: Days | None
    relative: Literal["own", "store"] = "own"

    @property
    def least_history(self) -> int:
        """The minimum number of days since the first purchase of an eligible customer."""
        return 2 * self.horizon if self.min_history is None else self.min_history


class SnapshotRule(Config):
    """Up to ``n`` snapshots, ``step_days`` apart, the last on ``last`` or as late as possible."""

    step_days: Days
    n: Annotated[int, Field(ge=1, le=120)]
    last: date | None
