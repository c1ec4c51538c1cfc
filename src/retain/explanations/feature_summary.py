"""A summary of each feature: associations, direction, importance and its interval."""

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
    """Everything that was found out about a winner.

    Attributes
    ----------
    associations, distributions, label_audit
        From the customers alone.
    drivers
        None where they are missing; ``missing`` then says why, and what to type.
    contributions
        By group; where there is none, why.
    strongest
        Drivers of each customer, from ``usual.strongest``; None without drivers.
    test_to_train
        Of the folds, for corrected intervals.
    resamples, seed
        Of the bootstrap behind strengths.
    """

    level: str
    grounds: ExplanationContext
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


def strengths_of(found: ExplanationResult) -> dict[str, Strength]:
    """Strength of each feature, and by ``group NAME`` the size of its features' sum."""
    if found.drivers is None:
        return {}
    shares = found.drivers.shares
    places = {name: j for j, name in enumerate(shares.features)}
    groups = {
        f"group {group}": [places[name] for name in names if name in places]
        for group, names in found.grounds.groups.items()
    }
    sums = [np.abs(shares.log_odds[:, at].sum(axis=1)) for at in groups.values()]
    sizes = np.column_stack([np.abs(shares.log_odds), *sums])
    duplicate_groups = found.grounds.duplicate_groups.loc[shares.ids]
    told = strengths(sizes, duplicate_groups, resamples=found.resamples, seed=found.seed)
    return dict(zip([*shares.features, *groups], told, strict=True))


TOP = 6
"""Features whose dependence is told."""
WEAK = 0.1
"""Strength, as a share of the strongest feature's, below which a feature counts as weak."""
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
    found: ExplanationResult, strength: Mapping[str, Strength]
) -> list[dict[str, Any]]:
    """Features, the strongest first; those the winner does not see by φk, last."""
    target = found.associations.target
    order = sorted(
        map(str, target.index),
        key=lambda name: (
            strength[name].value if name in strength else -1.0,
            number_json(target.loc[name, "phik"]) or 0.0,
        ),
        reverse=True,
    )
    strongest = max((strength[name].value for name in order if name in strength), default=0.0)
    moved = {} if found.drivers is None else _drivers_by_feature(found, order)
    return [
        {
            **_association_of(found, name),
            "mean_abs_shap": to_json(strength.get(name)),
            "is_weak": name in strength and strength[name].value < WEAK * strongest,
            **moved.get(name, NO_EFFECT),
            "effect_size": to_json(found.distributions[name].effect),
            "distribution": distribution_json(found.distributions[name].distribution),
        }
        for name in order
    ]


def _association_of(found: ExplanationResult, name: str) -> dict[str, Any]:
    column, row = found.grounds.columns[name], found.associations.target.loc[name]
    return {
        "name": name,
        "group": column.group,
        "label": label_json(column.label),
        "kind": column.kind,
        "is_derived": name in found.grounds.derived,
        "in_model": name in found.grounds.model_features,
        "phik": number_json(row["phik"]),
        "significance": number_json(row["significance"]),
    }


def _drivers_by_feature(found: ExplanationResult, order: list[str]) -> dict[str, dict[str, Any]]:
    """Return the effect of each of the winner's features on its scores."""
    drivers, grounds = found.drivers, found.grounds
    if drivers is None:
        return {}
    shares, permuted = drivers.shares, drivers.permutation(found.test_to_train)
    table = grounds.table.loc[shares.ids]
    top = [name for name in order if name in shares.features][:TOP]
    told = {}
    for j, name in enumerate(shares.features):
        values, mine = table[name], shares.log_odds[:, j]
        told[name] = {
            **_direction(values, mine, grounds.columns[name]),
            "permutation_importance": None
            if permuted is None
            else {
                "value": float(permuted.mean[j]),
                "low": float(permuted.low[j]),
                "high": float(permuted.high[j]),
            },
            "beeswarm": beeswarm_bins(values, mine),
            "dependence": _dependence(values, mine, grounds.columns[name]) if name in top else None,
        }
    return told


def _direction(values: pd.Series, shares: np.ndarray, column: Column) -> dict[str, Any]:
    found = direction(values, shares)
    if found is None:
        return {"direction": None, "rank_correlation": None, "top_level": None}
    level = None if found.level is None else label_json(column.level(found.level))
    return {"direction": found.towards, "rank_correlation": found.rho, "top_level": level}


def _dependence(values: pd.Series, shares: np.ndarray, column: Column) -> list[dict[str, Any]]:
    steps = dependence(values, shares)
    for step in steps:
        level = step.pop("level")
        step["label"] = None if level is None else label_json(column.level(level))
    return steps
