"""The outcomes of a log's customers after a day: the label, and the money of its horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from retain.customers.customers import CleaningStep
from retain.customers.purchases.engines.connection import connect
from retain.customers.purchases.features.label import (
    check_measure,
    decline_sql,
    describe_label,
)
from retain.customers.purchases.features.snapshots import (
    SnapshotCalendar,
    date_from_epoch,
    epoch_day,
)
from retain.customers.purchases.features.sql_script import render_template
from retain.customers.purchases.features.store_level import read_store_levels
from retain.customers.purchases.log import Log, open_log
from retain.customers.purchases.parsing.rows import SECONDS_PER_DAY
from retain.customers.purchases.readers.location import locate_log
from retain.customers.purchases.source import LogRequest, parse_request
from retain.errors import RetainError
from retain.record.estimates import DisplayName
from retain.schema.purchases import LabelRule

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection as Connection


@dataclass(frozen=True)
class LogOutcomes:
    """The outcomes of the customers of a purchase log in the horizon after a day.

    Attributes
    ----------
    table
        ``declined`` (1 or 0), ``bought`` (1 for a purchase in the horizon, or 0) and ``money``, NaN
        for a log without money; the index is the customer's id as text. Whoever is not there bought
        nothing by the horizon's end.
    first_day, last_day
        First and last day of the horizon.
    label
        The meaning of a decline.
    funnel
        The log's lines of the funnel.
    min_known_share
        The smallest share of those whose outcomes are asked for that the log knows; None for the
        default of the readout.
    """

    table: pd.DataFrame
    first_day: date
    last_day: date
    label: DisplayName
    funnel: tuple[CleaningStep, ...]
    min_known_share: float | None = None

    @property
    def has_money(self) -> bool:
        """True if the log has an amount or a profit."""
        return bool(self.table["money"].notna().all())


def read_log_outcomes(node: Mapping[str, Any], day: date) -> LogOutcomes:
    """Read the outcomes of a horizon that begins on a day, by the label of a ``purchases`` node.

    The rule is that of ``source.read`` at a snapshot on this day, for every customer of the log,
    regular or not. A customer without a rate in the look-back declined if nothing was bought in
    the horizon.

    Raises
    ------
    RetainError
        An option or the log is wrong, or the log does not hold the whole look-back and horizon.
    """
    request = parse_request({**node, "has_target": True, "snapshot": None})
    rule = check_measure(request.label, request.optional_columns)
    files = locate_log(request.path, request.table).files
    with connect(f"{request.memory_bytes}B", files=files) as connection:
        log = open_log(connection, request.path, request.table, request.options)
        try:
            snapshot = _check_span(log, rule, day)
        except RetainError as error:
            hint = _describe_unfiltered(connection, log, request)
            raise RetainError(f"{error}{hint}") from None
        rows = connection.execute(_outcomes_sql(connection, log, request, snapshot)).df()
    table = rows.set_index(rows.pop("customer").astype("str")).astype("float64")
    return LogOutcomes(
        table=table.sort_index(),
        first_day=day,
        last_day=date_from_epoch(snapshot + rule.horizon - 1),
        label=describe_label(rule),
        funnel=log.funnel,
    )


def _check_span(log: Log, rule: LabelRule, day: date) -> int:
    """Return a day since 1970-01-01 if the log holds the look-back before and the horizon after it.

    Raises
    ------
    RetainError
        Days of either are missing.
    """
    snapshot = epoch_day(day)
    last = snapshot + rule.horizon - 1
    late, early = last - log.last_day, log.first_day - (snapshot - rule.lookback)
    if late > 0:
        end = date_from_epoch(last)
        raise RetainError(
            f"the log ends on {date_from_epoch(log.last_day)}, and the horizon of {rule.horizon} "
            f"days from {day} on {end}: who declines is not known for {late} days more. Type the "
            f"same line again with a log that holds all of {end}."
        )
    if early > 0:
        raise RetainError(
            f"the log begins on {date_from_epoch(log.first_day)}, {early} days after the look-back "
            f"of {rule.lookback} days before {day}, which tells the own rate of each customer; "
            "expected one log with the purchases before and after that day."
        )
    return snapshot


def _describe_unfiltered(connection: Connection, log: Log, request: LogRequest) -> str:
    """Return the days of a log with the rows that ``data.where`` removed, empty if they are same.

    The relation ``purchases`` is replaced.
    """
    rows = replace(request.options.rows, condition=None)
    if rows == request.options.rows:
        return ""
    options = replace(request.options, rows=rows)
    try:
        whole = open_log(connection, request.path, request.table, options)
    except RetainError:  # it may be readable by its filter alone
        return ""
    if (whole.first_day, whole.last_day) == (log.first_day, log.last_day):
        return ""
    first, last = map(date_from_epoch, (whole.first_day, whole.last_day))
    return f" Without data.where, which removed rows, the log goes from {first} to {last}."


def _outcomes_sql(connection: Connection, log: Log, request: LogRequest, snapshot: int) -> str:
    rule, columns = request.label, log.columns
    calendar = SnapshotCalendar(log.first_day, log.last_day, (snapshot,))
    levels = read_store_levels(connection, calendar, columns)
    totals = {"orders": "opens * buys", "items": "items", "amount": "cents"}
    money = {"profit": "profit", "amount": "cents"}
    is_counted_by_day = rule.measure == "orders" and "order" not in columns
    return render_template(
        "outcomes",
        {
            "day_zero_second": (log.first_day - 1) * SECONDS_PER_DAY,
            "snapshot": snapshot - log.first_day + 1,
            "measure": rule.measure,
            "lookback": rule.lookback,
            "horizon": rule.horizon,
            "total": None if is_counted_by_day else totals[rule.measure],
            "money": next((column for name, column in money.items() if name in columns), None),
            "declined_sql": decline_sql(rule, levels),
        },
    )
