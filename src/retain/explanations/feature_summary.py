"""A summary of each feature: associations, direction and importance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from retain.customers.customers import Column
from retain.errors import NotApplicable
from retain.explanations.ablation import Contribution
from retain.explanations.associations import Associations
from retain.explanations.context import ExplanationContext
from retain.explanations.distributions import Distribution, distribution_json
from retain.explanations.drivers import Drivers
from retain.explanations.label_audit import LabelAudit
from retain.explanations.shap_profile import (
    Strength,
    beeswarm_bins,
    dependence,
    direction,
    strengths,
)
from retain.explanations.tables import label_json, number_json, to_json


@dataclass(frozen=True)
class ExplanationResult:
    """All explanations of a winner.

    Attributes
    ----------
    associations, distributions, label_audit
        Computed from the customers only.
    drivers
        None if not available; ``missing`` is then the reason with a solution.
    contributions
        Contribution by group, or the reason for none.
    strongest
        ``top_drivers`` of each customer; None without drivers.
    test_to_train
        Ratio of test to training rows, for corrected intervals.
    resamples, seed
        Settings of the bootstrap of strengths.
    """

    level: str
    context: ExplanationContext
    associations: Associations
    distributions: Mapping[str, Distribution]
    label_audit: Sequence[LabelAudit]
    drivers: Drivers | None
    missing: str | None
    contributions: Mapping[str, Contribution | NotApplicable]
    strongest: pd.DataFrame | None
    test_to_train: float
    resamples: int
    seed: int


def strengths_of(result: ExplanationResult) -> dict[str, Strength]:
    """Return the strength of each feature, and of each group under ``group NAME``."""
    if result.drivers is None:
        return {}
    contributions = result.drivers.contributions
    index = {name: j for j, name in enumerate(contributions.features)}
    groups = {
        f"group {group}": [index[name] for name in names if name in index]
        for group, names in result.context.groups.items()
    }
    sums = [np.abs(contributions.log_odds[:, columns].sum(axis=1)) for columns in groups.values()]
    sizes = np.column_stack([np.abs(contributions.log_odds), *sums])
    duplicate_groups = result.context.duplicate_groups.loc[contributions.ids]
    estimates = strengths(sizes, duplicate_groups, resamples=result.resamples, seed=result.seed)
    return dict(zip([*contributions.features, *groups], estimates, strict=True))


N_DEPENDENCES = 6
"""Number of features with a dependence."""
WEAK_SHARE = 0.1
"""Strength below which a feature is weak, as a share of the strongest feature's."""
NO_EFFECT: dict[str, Any] = dict.fromkeys(
    (
        "direction",
        "rank_correlation",
        "top_level",
        "permutation_importance",
        "beeswarm",
        "dependence",
    )
)


def summarise_features(
    result: ExplanationResult, strength: Mapping[str, Strength]
) -> list[dict[str, Any]]:
    """Return the features, strongest first; then those the winner does not use, by φk."""
    target = result.associations.target
    order = sorted(
        map(str, target.index),
        key=lambda name: (
            strength[name].value if name in strength else -1.0,
            number_json(target.loc[name, "phik"]) or 0.0,
        ),
        reverse=True,
    )
    strongest = max((strength[name].value for name in order if name in strength), default=0.0)
    drivers = {} if result.drivers is None else _drivers_by_feature(result, order)
    return [
        {
            **_association_of(result, name),
            "mean_abs_shap": to_json(strength.get(name)),
            "is_weak": name in strength and strength[name].value < WEAK_SHARE * strongest,
            **drivers.get(name, NO_EFFECT),
            "effect_size": to_json(result.distributions[name].effect),
            "distribution": distribution_json(result.distributions[name].distribution),
        }
        for name in order
    ]


def _association_of(result: ExplanationResult, name: str) -> dict[str, Any]:
    column, row = result.context.columns[name], result.associations.target.loc[name]
    return {
        "name": name,
        "group": column.group,
        "label": label_json(column.label),
        "kind": column.kind,
        "is_derived": name in result.context.derived,
        "in_model": name in result.context.model_features,
        "phik": number_json(row["phik"]),
        "significance": number_json(row["significance"]),
    }


def _drivers_by_feature(result: ExplanationResult, order: list[str]) -> dict[str, dict[str, Any]]:
    """Return the effect of each of the winner's features on the scores."""
    drivers, context = result.drivers, result.context
    if drivers is None:
        return {}
    shap, permuted = drivers.contributions, drivers.permutation(result.test_to_train)
    table = context.table.loc[shap.ids]
    top = [name for name in order if name in shap.features][:N_DEPENDENCES]
    by_feature = {}
    for j, name in enumerate(shap.features):
        values, log_odds = table[name], shap.log_odds[:, j]
        by_feature[name] = {
            **_direction(values, log_odds, context.columns[name]),
            "permutation_importance": None
            if permuted is None
            else {
                "value": float(permuted.mean[j]),
                "low": float(permuted.low[j]),
                "high": float(permuted.high[j]),
            },
            "beeswarm": beeswarm_bins(values, log_odds),
            "dependence": _dependence(values, log_odds, context.columns[name])
            if name in top
            else None,
        }
    return by_feature


def _direction(values: pd.Series, log_odds: np.ndarray, column: Column) -> dict[str, Any]:
    shift = direction(values, log_odds)
    if shift is None:
        return {"direction": None, "rank_correlation": None, "top_level": None}
    level = None if shift.level is None else label_json(column.level(shift.level))
    return {"direction": shift.towards, "rank_correlation": shift.rho, "top_level": level}


def _dependence(values: pd.Series, log_odds: np.ndarray, column: Column) -> list[dict[str, Any]]:
    steps = dependence(values, log_odds)
    for step in steps:
        level = step.pop("level")
        step["label"] = None if level is None else label_json(column.level(level))
    return steps
