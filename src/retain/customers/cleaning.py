"""The cleaning of a source, each step told in the funnel.

May import: errors, schema and customers.customers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from retain.customers.customers import Customers, Step
from retain.errors import RetainError, examples
from retain.schema import Cleaning, NewcomerRule, OutlierRule, Policy


@dataclass(frozen=True, slots=True)
class _Finding:
    """Whom a step found, and the columns it looked at as they would be after a repair."""

    name: str
    reason: str
    found: pd.Series
    mended: pd.DataFrame


def clean(
    customers: Customers, rules: Cleaning, measures: Mapping[str, Sequence[str]]
) -> Customers:
    """The customers after every step the rules name, newcomers before outliers.

    ``measures`` names the features of each measure, one a period, earliest first. Everything here
    looks at a customer's own row alone, so it can be done before any split.
    """
    if rules.newcomers is not None:
        columns = _columns("newcomers", rules.newcomers, measures)
        customers = _newcomers(customers, rules.newcomers, columns)
    if rules.outliers is not None:
        columns = _columns("outliers", rules.outliers, measures)
        customers = _outliers(customers, rules.outliers, columns)
    return customers


def _columns(
    step: str, rule: NewcomerRule | OutlierRule, measures: Mapping[str, Sequence[str]]
) -> list[str]:
    if rule.measure not in measures:
        where = f"cleaning.{step}.measure"
        raise RetainError(f"{where}: {RetainError.unknown('measure', rule.measure, [*measures])}")
    return list(measures[rule.measure])


def _newcomers(customers: Customers, rule: NewcomerRule, columns: list[str]) -> Customers:
    """A period without a positive value, a missing one included, makes a newcomer."""
    silent = ~(customers.features[columns] > 0)
    reason = f"no positive {rule.measure} in some period"
    mended = customers.features[columns].mask(silent)
    finding = _Finding("newcomers", reason, silent.any(axis=1), mended)
    return _stepped(customers, finding, rule.policy)


def _outliers(customers: Customers, rule: OutlierRule, columns: list[str]) -> Customers:
    """A customer without a positive median in the other periods has nothing to be held against."""
    values = customers.features[columns]
    others = pd.DataFrame(
        {name: values.drop(columns=name).median(axis=1) for name in columns}, index=values.index
    )
    above = (others > 0) & (values > rule.times * others)
    reason = f"a {rule.measure} above {rule.times:g} × the median of the customer's other periods"
    finding = _Finding("outlier", reason, above.any(axis=1), values.mask(above, others))
    return _stepped(customers, finding, rule.policy)


def _stepped(customers: Customers, finding: _Finding, policy: Policy) -> Customers:
    """The customers after one step: those found dropped, repaired or kept as they are."""
    if policy == "drop":
        return customers.only(~finding.found, finding.name, finding.reason)
    ids = finding.found.index[finding.found.to_numpy()].tolist()
    listed = f": {examples(ids)}" if ids else ""
    done = "repaired" if policy == "repair" else "kept as they are"
    reason = f"{finding.reason}; {len(ids)} found and {done}{listed}"
    step = Step(finding.name, len(customers), len(customers), reason)
    features = customers.features
    if policy == "repair":
        features = features.assign(**{str(name): mended for name, mended in finding.mended.items()})
    return replace(customers, features=features, funnel=(*customers.funnel, step))
