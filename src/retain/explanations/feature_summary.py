"""A summary of each feature: associations, direction and importance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.errors import NotApplicable
from retain.explanations.associations import Associations
from retain.explanations.context import ExplanationContext
from retain.explanations.distributions import Distribution
from retain.explanations.drivers import Drivers
from retain.explanations.shap_profile import (
    Direction,
    beeswarm_bins,
    dependence,
    direction,
    strengths,
)
from retain.explanations.tables import number_or_none
from retain.record.estimates import Estimate
from retain.record.explanations_document import (
    Ablation,
    Beeswarm,
    DependencePoint,
    FeatureInfo,
    LabelAudit,
)


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
    contributions: Mapping[str, Ablation | NotApplicable]
    strongest: pd.DataFrame | None
    test_to_train: float
    resamples: int
    seed: int


def strengths_of(result: ExplanationResult) -> dict[str, Estimate]:
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
"""Estimate below which a feature is weak, as a share of the strongest feature's."""


def summarise_features(
    result: ExplanationResult, strength: Mapping[str, Estimate]
) -> tuple[FeatureInfo, ...]:
    """Return the features, strongest first; then those the winner does not use, by φk."""
    target = result.associations.target
    order = sorted(
        map(str, target.index),
        key=lambda name: (
            strength[name].value if name in strength else -1.0,
            number_or_none(target.loc[name, "phik"]) or 0.0,
        ),
        reverse=True,
    )
    strongest = max((strength[name].value for name in order if name in strength), default=0.0)
    effects = {} if result.drivers is None else _effects_on_scores(result, result.drivers, order)
    return tuple(
        _summarise_feature(result, name, strength.get(name), strongest, effects.get(name))
        for name in order
    )


def _summarise_feature(
    result: ExplanationResult,
    name: str,
    strength: Estimate | None,
    strongest: float,
    effect: _EffectOnScores | None,
) -> FeatureInfo:
    column, row = result.context.columns[name], result.associations.target.loc[name]
    distribution = result.distributions[name]
    shift = None if effect is None else effect.direction
    level = None if shift is None else shift.level
    return FeatureInfo(
        name=name,
        group=column.group,
        label=column.label,
        kind=column.kind,
        is_derived=name in result.context.derived,
        in_model=name in result.context.model_features,
        phik=number_or_none(row["phik"]),
        significance=number_or_none(row["significance"]),
        mean_abs_shap=strength,
        is_weak=strength is not None and strength.value < WEAK_SHARE * strongest,
        direction=None if shift is None else shift.towards,
        rank_correlation=None if shift is None else shift.rho,
        top_level=None if level is None else column.level(level),
        permutation_importance=None if effect is None else effect.permutation_importance,
        beeswarm=None if effect is None else effect.beeswarm,
        dependence=None if effect is None else effect.dependence,
        effect_size=distribution.effect,
        distribution=distribution.distribution,
    )


@dataclass(frozen=True)
class _EffectOnScores:
    """The effect of one of the winner's features on the scores."""

    direction: Direction | None
    permutation_importance: Estimate | None
    beeswarm: Beeswarm | None
    dependence: tuple[DependencePoint, ...] | None


def _effects_on_scores(
    result: ExplanationResult, drivers: Drivers, order: list[str]
) -> dict[str, _EffectOnScores]:
    """Return the effect of each of the winner's features on the scores."""
    columns, shap = result.context.columns, drivers.contributions
    permuted = drivers.permutation(result.test_to_train)
    table = result.context.table.loc[shap.ids]
    top = [name for name in order if name in shap.features][:N_DEPENDENCES]
    effects = {}
    for j, name in enumerate(shap.features):
        values, log_odds = table[name], shap.log_odds[:, j]
        importance = None
        if permuted is not None:
            ends = (permuted.mean, permuted.low, permuted.high)
            importance = Estimate(*(float(end[j]) for end in ends))
        effects[name] = _EffectOnScores(
            direction(values, log_odds),
            importance,
            beeswarm_bins(values, log_odds),
            dependence(values, log_odds, columns[name]) if name in top else None,
        )
    return effects
