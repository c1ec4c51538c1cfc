"""The cleaning of a source; each step is recorded in the funnel."""

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
    """The customers a rule affects, and their repaired columns (rows of these customers only)."""

    name: str
    reason: str
    affected: pd.Series
    repaired: pd.DataFrame


def clean(
    customers: Customers, rules: Cleaning, measures: Mapping[str, Sequence[str]]
) -> Customers:
    """Return the customers after all configured steps, newcomers before outliers.

    ``measures`` maps a measure to its features, one per period, earliest first. Each rule uses
    only a customer's own row, so cleaning before any split leaks nothing.
    """
    kept = np.ones(len(customers), dtype=bool)
    if rules.newcomers is not None:
        columns = _columns("newcomers", rules.newcomers, measures)
        finding = _find_newcomers(customers.features[columns], rules.newcomers)
        customers, kept = _apply_policy(customers, kept, finding, rules.newcomers.policy)
    if rules.outliers is not None:
        columns = _columns("outliers", rules.outliers, measures)
        finding = _find_outliers(customers.features[columns], rules.outliers)
        customers, kept = _apply_policy(customers, kept, finding, rules.outliers.policy)
    return customers if kept.all() else customers.rows(kept)


def _columns(
    step: str, rule: NewcomerRule | OutlierRule, measures: Mapping[str, Sequence[str]]
) -> list[str]:
    if rule.measure not in measures:
        where = f"cleaning.{step}.measure"
        raise RetainError(f"{where}: {RetainError.unknown('measure', rule.measure, [*measures])}")
    return list(measures[rule.measure])


def _find_newcomers(values: pd.DataFrame, rule: NewcomerRule) -> _RuleResult:
    """Find newcomers: customers with a missing or non-positive value in some period."""
    silent = ~(values > 0)
    is_newcomer = silent.any(axis=1)
    reason = f"no positive {rule.measure} in some period"
    return _RuleResult(
        "newcomers", reason, is_newcomer, values[is_newcomer].mask(silent[is_newcomer])
    )


def _find_outliers(every: pd.DataFrame, rule: OutlierRule) -> _RuleResult:
    """Find outliers: values far above the positive median of the customer's other periods.

    A median is at least the minimum, so only customers with a value far above their minimum need
    one.
    """
    values = every[every.max(axis=1) > rule.times * every.min(axis=1)]
    others = pd.DataFrame(
        {name: values.drop(columns=name).median(axis=1) for name in values}, index=values.index
    )
    above = (others > 0) & (values > rule.times * others)
    is_high = above.any(axis=1)
    is_outlier = pd.Series(every.index.isin(values.index[is_high]), index=every.index)
    reason = f"a {rule.measure} above {rule.times:g} × the median of the customer's other periods"
    repaired = values[is_high].mask(above[is_high], others[is_high])
    return _RuleResult("outlier", reason, is_outlier, repaired)


def _apply_policy(
    customers: Customers, kept: np.ndarray, finding: _RuleResult, policy: Policy
) -> tuple[Customers, np.ndarray]:
    """Apply the policy; return the customers with a funnel step, and a mask of those kept."""
    affected = finding.affected.to_numpy() & kept
    ids, before = customers.features.index[affected].tolist(), int(kept.sum())
    if policy == "drop":
        kept = kept & ~affected
        step = FunnelStep(finding.name, before, int(kept.sum()), finding.reason, tuple(ids))
        if not kept.any():
            customers.rows(kept)  # raises
    else:
        listed = f": {examples(ids)}" if ids else ""
        done = "repaired" if policy == "repair" else "kept as they are"
        reason = f"{finding.reason}; {len(ids)} found and {done}{listed}"
        step = FunnelStep(finding.name, before, before, reason)
    features = customers.features
    if policy == "repair":
        features = features.copy()
        features.loc[affected, finding.repaired.columns] = finding.repaired.loc[
            features.index[affected]
        ]
    return replace(customers, features=features, funnel=(*customers.funnel, step)), kept
