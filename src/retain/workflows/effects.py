"""Effects learned from a trial, plans judged by them, and the files these leave.

outputs/<name>/trial/
  effects.json          effects of each arm, evidence that they differ, and plans; for programs
  policies.csv          what each plan would have earned
  value_by_share.csv    the same by the share of customers contacted, for each order of customers
  subgroup_effects.csv  effects on quarters of the customers, by what they were expected to be
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from retain.campaign.effects.heterogeneity import estimate_subgroup_effects
from retain.campaign.effects.learners import LearnedEffects, learn_effects
from retain.campaign.effects.policies import (
    ContactLimits,
    Payoff,
    Policy,
    build_policies,
    rank_customers,
)
from retain.campaign.effects.policy_value import compare_policies, value_by_share
from retain.campaign.effects.spec import EffectsSpec
from retain.campaign.trial.from_table import TrialTable
from retain.campaign.trial.names import find_arm
from retain.campaign.trial.trial import Trial
from retain.record.directory import TrialDirectory
from retain.record.documents import to_tree
from retain.record.effects_document import (
    ArmEffectInfo,
    EffectsDocument,
    PolicyDifferenceInfo,
    PolicyRow,
    ShareCurvePoint,
    SubgroupEffectInfo,
)
from retain.record.estimates import Estimate
from retain.schema.effects import PlanLimits
from retain.storage.writing import write_text
from retain.verdict.export import write_csv

SHARES = tuple(round(0.05 * step, 2) for step in range(1, 21))
"""Shares of customers contacted."""
N_BANDS = 4


def judge_plans(table: TrialTable, spec: EffectsSpec, limits: PlanLimits) -> EffectsDocument:
    """Learn the effects of a trial's arms, and say what plans by them would have earned.

    Raises
    ------
    RetainError
        A limit names no arm.
    NotApplicable
        Effects cannot be learned from this trial.
    """
    effects = learn_effects(table.trial, spec)
    value = table.value.get(table.trial.outcome.name)
    payoff = Payoff(1.0, table.trial.cost) if value is None else Payoff(value, table.cost)
    return _describe(effects, payoff, _limits(effects.trial, limits), has_money=value is not None)


def _limits(trial: Trial, limits: PlanLimits) -> ContactLimits:
    capacity = None
    if limits.capacity:
        offers = trial.arms[1:]
        capacity = np.full(len(offers), np.inf)
        for name, most in limits.capacity.items():
            capacity[offers.index(find_arm(name, offers, "limits.capacity"))] = most
    return ContactLimits(limits.budget, limits.max_contacts, capacity)


def _describe(
    effects: LearnedEffects, payoff: Payoff, limits: ContactLimits, *, has_money: bool
) -> EffectsDocument:
    trial, spec = effects.trial, effects.spec
    policies = drop_repeated(build_policies(effects, payoff, limits))
    comparison = compare_policies(effects, payoff, policies)
    curve = value_by_share(effects, payoff, rank_customers(effects, payoff), SHARES)
    contrasts = effects.scores.contrasts
    groups = estimate_subgroup_effects(trial.arms, contrasts, _bands(effects, payoff), spec.alpha)
    return EffectsDocument(
        learner=spec.learner,
        outcome=trial.outcome.name,
        unit="money" if has_money else trial.outcome.name,
        alpha=spec.alpha,
        seed=spec.seed,
        n_folds=spec.n_folds,
        n_customers=len(trial.ids),
        control=trial.arms[0],
        arms=tuple(_describe_arms(effects)),
        is_heterogeneous=effects.is_heterogeneous,
        subgroups=tuple(SubgroupEffectInfo(**vars(one)) for one in groups),
        policies=tuple(PolicyRow(**vars(one)) for one in comparison.policies),
        differences=tuple(PolicyDifferenceInfo(**vars(one)) for one in comparison.differences),
        chosen=comparison.chosen,
        curve=tuple(_describe_curve(curve)),
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


def _describe_curve(curve: pd.DataFrame) -> Iterator[ShareCurvePoint]:
    for row in curve.to_dict("records"):
        value, ends = row["value"], (row["low"], row["high"])
        yield ShareCurvePoint(
            ranking=row["ranking"],
            share=row["share"],
            value=Estimate(value, *ends),
            band=Estimate(value, row["band_low"], row["band_high"]),
        )


def _describe_arms(effects: LearnedEffects) -> Iterator[ArmEffectInfo]:
    contrasts, names = effects.scores.contrasts, effects.trial.arms
    everybody = np.zeros(len(contrasts), dtype=int)
    means = estimate_subgroup_effects(names, contrasts, everybody, effects.spec.alpha)
    tests = {one.arm: one for one in effects.heterogeneity}
    factors = dict(zip(names, effects.fitted.shrinkage.factor, strict=True))
    for mean in means:
        shown = {"slope": None, "p": None, "autoc": None, "autoc_p": None}
        if mean.arm in tests:
            shown = {name: getattr(tests[mean.arm], name) for name in shown}
        yield ArmEffectInfo(
            arm=mean.arm, mean=mean.effect, shrinkage=float(factors[mean.arm]), **shown
        )


def _bands(effects: LearnedEffects, payoff: Payoff) -> np.ndarray:
    """Return the quarter of each customer within the fold, by the best arm's expected net value."""
    best = payoff.of(effects.effects)[:, 1:].max(axis=1)
    frame = pd.DataFrame({"fold": effects.scores.fold, "best": best})
    rank = frame.groupby("fold")["best"].rank(method="first", pct=True)
    quarter = np.ceil(N_BANDS * rank.to_numpy()).clip(1, N_BANDS).astype(int)
    names = np.array([f"quarter {number}" for number in range(N_BANDS + 1)])
    return np.asarray(names[quarter])


def write_effects(files: TrialDirectory, document: EffectsDocument) -> None:
    """Write all files into a folder."""
    for path, rows in (
        (files.policies, document.policies),
        (files.value_by_share, document.curve),
        (files.subgroup_effects, document.subgroups),
    ):
        write_csv(pd.DataFrame([_flatten(dict(row)) for row in rows]), path)
    text = json.dumps(to_tree(document), ensure_ascii=False, indent=1, allow_nan=False)
    write_text(files.effects_json, f"{text}\n")


def _flatten(row: dict[str, object]) -> dict[str, object]:
    cells: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, Estimate):
            ends = asdict(value)
            cells |= {name: ends.pop("value")} | {f"{name}_{end}": x for end, x in ends.items()}
        else:
            cells[name] = value
    return cells
