"""Terminal output of outcomes that were made from a purchase log. Computes nothing."""

from __future__ import annotations

from rich.console import Console

from retain.cli.terminal.console import literal
from retain.cli.terminal.data import print_reading
from retain.record.outcomes_log import OutcomesLogInfo
from retain.wording import describe_count
from retain.workflows.newer_log import NewerLog

DAYS_PER_MONTH = 365.25 / 12
MAX_DIFFERENCE = 0.1
"""Difference of two horizons, by the longer one, up to which their amounts can be compared."""


def print_outcomes_log(
    console: Console,
    newer: NewerLog,
    info: OutcomesLogInfo,
    n_customers: int,
    months: float | None = None,
) -> None:
    """Print what was read, which days count, what a decline is, and who is not in the log.

    ``months`` is the horizon of the plan's amounts, None without a plan.
    """
    funnel = newer.outcomes.funnel
    print_reading(console, newer.messages, funnel, [""] * len(funnel))
    meaning = f"a decline is {info.label.en}, or nothing at all"
    line = f"Outcomes are the purchases from {info.first_day} to {info.last_day}; {meaning}."
    if info.n_absent:
        are = describe_count(info.n_absent, "customer is", "customers are")
        line += f" {are} not in the log, of {n_customers:,}: they bought nothing."
    first, last = newer.outcomes.first_day, newer.outcomes.last_day
    n_days, planned = (last - first).days + 1, DAYS_PER_MONTH * (months or 0)
    differs = abs(n_days - planned) > MAX_DIFFERENCE * max(n_days, planned)
    if months is not None and newer.outcomes.has_money and differs:
        line += (
            f" Money is that of these {n_days} days, and what the plan expected is of {months:g} "
            "months."
        )
    console.print(literal(line), soft_wrap=True, highlight=False)
