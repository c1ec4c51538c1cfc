"""The cleaning of a source, each step told in the funnel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from retain.customers.customers import Customers, FunnelStep
from retain.errors import RetainError, examples
from retain.schema import Cleaning, NewcomerRule, OutlierRule, Policy


@dataclass(frozen=True, slots=True)
class _RuleResult:
    """The customers a rule found, and its columns as a repair would leave them.

    ``repaired`` has the rows of those found alone.
    """

    name: str
    reason: str
    affected: pd.Series
    repaired: pd.DataFrame


def clean(
    customers: Customers, rules: Cleaning, measures: Mapping[str, Sequence[str]]
) -> Customers:
    """Return the customers after every step the rules name, newcomers before outliers.

    ``measures`` names the features of each measure, one a period, earliest first. Everything here
    looks at a customer's own row alone, so it can be done before any split, and whoever is dropped
    is taken out once, after all steps.
    """
    left = np.ones(len(customers), dtype=bool)
    if rules.newcomers is not None:
        columns = _columns("newcomers", rules.newcomers, measures)
        finding = _find_newcomers(customers.features[columns], rules.newcomers)
        customers, left = _apply_policy(customers, left, finding, rules.newcomers.policy)
    if rules.outliers is not None:
        columns = _columns("outliers", rules.outliers, measures)
        finding = _find_outliers(customers.features[columns], rules.outliers)
        customers, left = _apply_policy(customers, left, finding, rules.outliers.policy)
    return customers if left.all() else customers.rows(left)


def _columns(
    step: str, rule: NewcomerRule | OutlierRule, measures: Mapping[str, Sequence[str]]
) -> list[str]:
    if rule.measure not in measures:
        where = f"cleaning.{step}.measure"
        raise RetainError(f"{where}: {RetainError.unknown('measure', rule.measure, [*measures])}")
    return list(measures[rule.measure])


def _find_newcomers(values: pd.DataFrame, rule: NewcomerRule) -> _RuleResult:
    """Return a period without a positive value, a missing one included, makes a newcomer."""
    silent = ~(values > 0)
    found = silent.any(axis=1)
    reason = f"no positive {rule.measure} in some period"
    return _RuleResult("newcomers", reason, found, values[found].mask(silent[found]))


def _find_outliers(every: pd.DataFrame, rule: OutlierRule) -> _RuleResult:
    """Find outliers; a customer without a positive median elsewhere cannot be one.

    A median is no less than the least of its values, so only customers with a value far above
    their least one need theirs.
    """
    values = every[every.max(axis=1) > rule.times * every.min(axis=1)]
    others = pd.DataFrame(
        {name: values.drop(columns=name).median(axis=1) for name in values}, index=values.index
    )
    above = (others > 0) & (values > rule.times * others)
    strange = above.any(axis=1)
    found = pd.Series(every.index.isin(values.index[strange]), index=every.index)
    reason = f"a {rule.measure} above {rule.times:g} × the median of the customer's other periods"
    mended = values[strange].mask(above[strange], others[strange])
    return _RuleResult("outlier", reason, found, mended)


def _apply_policy(
    customers: Customers, left: np.ndarray, finding: _RuleResult, policy: Policy
) -> tuple[Customers, np.ndarray]:
    """Return the step told, and who is left: those found dropped, repaired or kept as they are."""
    found = finding.affected.to_numpy() & left
    ids, before = customers.features.index[found].tolist(), int(left.sum())
    if policy == "drop":
        left = left & ~found
        step = FunnelStep(finding.name, before, int(left.sum()), finding.reason, tuple(ids))
        if not left.any():
            customers.rows(left)  # refuses
    else:
        listed = f": {examples(ids)}" if ids else ""
        done = "repaired" if policy == "repair" else "kept as they are"
        reason = f"{finding.reason}; {len(ids)} found and {done}{listed}"
        step = FunnelStep(finding.name, before, before, reason)
    features = customers.features
    if policy == "repair":
        features = features.copy()
        features.loc[found, finding.repaired.columns] = finding.repaired.loc[features.index[found]]
    return replace(customers, features=features, funnel=(*customers.funnel, step)), left
