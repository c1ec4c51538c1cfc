"""From all customers at all snapshots to those who are regular there, told step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from retain.customers.customers import Step
from retain.customers.purchases.features.result import TableFacts
from retain.customers.purchases.features.snapshots import date_from_epoch
from retain.schema.purchases import LabelRule

PAIRS = "customers at snapshots"
NEVER = 4
REASONS = (1, 2, 3, NEVER)
"""Numbers of the reasons not to be regular, as ``judged.sql`` gives them."""


def steps_of(
    facts: TableFacts, rule: LabelRule, dropped: Mapping[int, tuple[object, ...]] | None = None
) -> tuple[Step, ...]:
    """The log's steps and those of eligibility; ``dropped`` gives the ids of one snapshot."""
    by_reason = dict.fromkeys((0, *REASONS), 0)
    for _, reason, customers, _ in facts.counts:
        by_reason[reason] += customers
    left, steps = sum(by_reason.values()), list(facts.steps)
    of = PAIRS if dropped is None else "customers"
    for reason, (name, why) in reasons(rule).items():
        if reason == NEVER and by_reason[NEVER] == 0:
            continue
        ids = () if dropped is None else dropped.get(reason, ())
        steps.append(Step(name, left, left - by_reason[reason], why, ids, of))
        left -= by_reason[reason]
    return tuple(steps)


def reasons(rule: LabelRule) -> dict[int, tuple[str, str]]:
    """Name and sentence of each reason not to be regular, by its number, in the order asked."""
    regularity = rule.regularity
    periods = f"the last {regularity.periods} periods of {regularity.days} days"
    return {
        NEVER: ("never bought", "returns, visits or contacts alone"),
        1: ("too new", f"first purchase less than {rule.least_history} days before"),
        2: ("not active", f"no purchase in one of {periods}"),
        3: ("no rate", f"nothing left of {rule.measure} in {rule.lookback} days after returns"),
    }


def shares(facts: TableFacts) -> Iterator[str]:
    """A sentence a snapshot: how many are regular, how many of them declined."""
    regular = [one for one in facts.counts if one[1] == 0]
    for number, rows in groupby(regular, lambda one: one[0]):
        customers, declined = (sum(column) for column in list(zip(*rows, strict=True))[2:])
        day = date_from_epoch(facts.first + number - 1)
        share = declined / customers
        yield (
            f"snapshot {day}: {customers} customers, {share:.1%} declined, "
            f"{1 - share:.1%} at the previous level"
        )
