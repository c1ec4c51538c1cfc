"""The content of ``effects.json``: effects learned from a trial, and the plans judged by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from retain.campaign.effects.heterogeneity import estimate_subgroup_effects
from retain.campaign.effects.learners import LearnedEffects
from retain.campaign.effects.policies import (
    UNLIMITED,
    ContactLimits,
    Payoff,
    Policy,
    build_policies,
    rank_customers,
)
from retain.campaign.effects.policy_value import compare_policies, value_by_share
from retain.record.effects_document import (
    ArmEffectInfo,
    CalibrationBand,
    EffectsDocument,
    PolicyDifferenceInfo,
    PolicyRow,
    ShareCurvePoint,
    SubgroupEffectInfo,
)
from retain.record.estimates import Estimate

SHARES = tuple(round(share, 2) for share in np.linspace(0.05, 1, 20).tolist())
"""Shares contacted at which the curve has points."""
N_BANDS = 5
"""Bands of predicted effects, of equal size in each fold."""


def describe_effects(
    effects: LearnedEffects,
    payoff: Payoff,
    limits: ContactLimits = UNLIMITED,
    risk: np.ndarray | None = None,
    subgroup: np.ndarray | None = None,
) -> EffectsDocument:
    """Return the document of learned effects and of the plans compared by them.

    ``risk`` and ``subgroup`` (n,), the latter names, are of the customers with an outcome.
    """
    trial, spec = effects.trial, effects.spec
    policies = drop_repeated(build_policies(effects, payoff, limits, risk))
    comparison = compare_policies(effects, payoff, policies)
    return EffectsDocument(
        learner=spec.learner,
        outcome=trial.outcome.name,
        unit=payoff.unit,
        alpha=spec.alpha,
        seed=spec.seed,
        n_folds=spec.n_folds,
        n_customers=len(trial.ids),
        control=trial.arms[0],
        arms=tuple(_describe_arms(effects)),
        is_heterogeneous=effects.is_heterogeneous,
        calibration=tuple(_describe_calibration(effects)),
        subgroups=tuple(_describe_subgroups(effects, subgroup)),
        policies=tuple(PolicyRow(**vars(one)) for one in comparison.policies),
        differences=tuple(PolicyDifferenceInfo(**vars(one)) for one in comparison.differences),
        chosen=comparison.chosen,
        curve=tuple(_describe_curve(effects, payoff, risk)),
    )


def drop_repeated(policies: Sequence[Policy]) -> list[Policy]:
    """Return the policies but those that do the same as a simpler one.

    >>> some, all_ = np.array([0, 1]), np.array([1, 1])
    >>> plans = [Policy("everybody", all_, "gift"), Policy("by_risk", all_)]
    >>> plans += [Policy("learned", some)]
    >>> [plan.name for plan in drop_repeated(plans)]
    ['everybody: gift', 'learned']
    """
    return list({policy.arm.tobytes(): policy for policy in reversed(policies)}.values())[::-1]


def _describe_subgroups(
    effects: LearnedEffects, subgroup: np.ndarray | None
) -> Iterator[SubgroupEffectInfo]:
    if subgroup is None:
        return
    arms, contrasts = effects.trial.arms, effects.scores.contrasts
    for one in estimate_subgroup_effects(arms, contrasts, subgroup, effects.spec.alpha):
        yield SubgroupEffectInfo(**vars(one))


def _describe_curve(
    effects: LearnedEffects, payoff: Payoff, risk: np.ndarray | None
) -> Iterator[ShareCurvePoint]:
    curve = value_by_share(effects, payoff, rank_customers(effects, payoff, risk), SHARES)
    for row in curve.to_dict("records"):
        yield ShareCurvePoint(
            ranking=row["ranking"],
            share=row["share"],
            value=Estimate(row["value"], row["low"], row["high"]),
            band=Estimate(row["value"], row["band_low"], row["band_high"]),
        )


def _describe_arms(effects: LearnedEffects) -> Iterator[ArmEffectInfo]:
    """Yield the mean effect of each arm but the control, and its heterogeneity if tested."""
    arms, contrasts = effects.trial.arms, effects.scores.contrasts
    everybody = np.full(len(contrasts), "everybody")
    means = estimate_subgroup_effects(arms, contrasts, everybody, effects.spec.alpha)
    tests = {one.arm: vars(one) for one in effects.heterogeneity}
    untested = dict.fromkeys(("slope", "p", "autoc", "autoc_p"))
    for one in means:
        found = {"arm": one.arm, **untested, **tests.get(one.arm, {})}
        shrinkage = float(effects.fitted.shrinkage.factor[arms.index(one.arm)])
        yield ArmEffectInfo(mean=one.effect, shrinkage=shrinkage, **found)


def _describe_calibration(effects: LearnedEffects) -> Iterator[CalibrationBand]:
    """Yield the predicted and the measured effect in bands of each arm's predicted effect."""
    arms, contrasts = effects.trial.arms, effects.scores.contrasts
    for arm in range(1, len(arms)):
        predicted = effects.effects[:, arm]
        if np.ptp(predicted) == 0:
            continue
        band = _band_within_fold(predicted, effects.scores.fold)
        pair, columns = (arms[0], arms[arm]), contrasts[:, [0, arm]]
        for one in estimate_subgroup_effects(pair, columns, band, effects.spec.alpha):
            rows = (band == int(one.subgroup)) & np.isfinite(columns[:, 1])
            mean = float(predicted[rows].mean())
            yield CalibrationBand(
                arm=one.arm, band=int(one.subgroup), n=one.n, predicted=mean, effect=one.effect
            )


def _band_within_fold(predicted: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return the band of each customer, 1 for the lowest effects, (n,): folds differ in models."""
    order, size = np.lexsort((predicted, fold)), np.bincount(fold)
    rank = np.empty(len(fold), dtype=int)
    rank[order] = np.arange(len(fold)) - (np.cumsum(size) - size)[fold[order]]
    return np.asarray(1 + rank * N_BANDS // size[fold])
