"""The next campaign of a trial: other customers get an arm each by the plan that was chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.campaign.effects.learners import LearnedEffects
from retain.campaign.effects.nuisance import PreparedRows, covariate_table, hash_ids, is_binary
from retain.campaign.effects.overlap import find_comparable
from retain.campaign.effects.policies import (
    TIE_SEED,
    ContactLimits,
    Payoff,
    net_contrasts,
)
from retain.customers.customers import CleaningStep
from retain.customers.reading import DroppedRow
from retain.record.effects_document import NextArmInfo, NextCampaignInfo, PolicyRow
from retain.record.estimates import Estimate


@dataclass(frozen=True)
class NextCustomers:
    """The n customers of the next campaign.

    Attributes
    ----------
    file
        Name of the file they were read from.
    ids
        Unique.
    covariates
        Those of the trial, n rows.
    contactable
        True for customers who may be contacted, shape (n,).
    left_out
        Steps of the reading that dropped others of the file.
    dropped_rows
        Rows of the file that are no customers.
    """

    file: str
    ids: pd.Index
    covariates: pd.DataFrame
    contactable: np.ndarray
    left_out: tuple[CleaningStep, ...] = ()
    dropped_rows: tuple[DroppedRow, ...] = ()


@dataclass(frozen=True)
class NextPlan:
    """The plan of the next campaign: one row per customer, and its totals."""

    table: pd.DataFrame
    info: NextCampaignInfo


def plan_next(
    effects: LearnedEffects,
    payoff: Payoff,
    limits: ContactLimits,
    judged: PolicyRow,
    customers: NextCustomers,
) -> NextPlan:
    """Return the plan for other customers of the policy that was chosen and ``judged``.

    Only customers like those who could get an arm in the trial get it. Its net value is that of
    the policy in the trial, for each customer contacted: predicted effects are drawn to the mean.

    Returns
    -------
    NextPlan
        ``table``: ``customer_id, arm, expected_effect, cost``; the effect is in the unit of the
        outcome, the cost in that of the payoff.
    """
    trial, n = effects.trial, len(customers.ids)
    fold = pd.Series(effects.scores.fold, index=trial.ids.astype(str))
    fold = fold.reindex(customers.ids.astype(str), fill_value=-1)
    learned = effects.predict(customers.covariates, fold.to_numpy())
    comparable = np.ones((n, len(trial.arms)), dtype=bool)
    for k in range(1, len(trial.arms)):
        could = trial.propensity[:, k] > 0
        comparable[:, k] = find_comparable(customers.covariates, trial.covariates[could])
    allowed = comparable & customers.contactable[:, None]
    arm = _assign(effects, payoff, limits, judged.policy, customers, learned, allowed)
    effect = np.take_along_axis(learned, arm[:, None], axis=1)[:, 0]
    table = pd.DataFrame(
        {
            "customer_id": customers.ids,
            "arm": np.array(trial.arms, dtype=object)[arm],
            "expected_effect": effect,
            "cost": payoff.cost[arm],
        }
    )
    counts = np.bincount(arm, minlength=len(trial.arms))
    info = NextCampaignInfo(
        file=customers.file,
        policy=judged.policy,
        n_customers=n,
        n_unlike=int((~comparable[:, 1:].any(axis=1)).sum()),
        n_no_consent=int((~customers.contactable).sum()),
        n_left_out=sum(len(step.dropped) for step in customers.left_out),
        arms=tuple(
            NextArmInfo(arm=name, n_customers=int(counts[k]))
            for k, name in enumerate(trial.arms)
            if k
        ),
        cost=float(payoff.cost[arm].sum()),
        net=_scale(judged, int((arm > 0).sum())),
    )
    return NextPlan(table, info)


def _assign(  # noqa: PLR0913, PLR0917 - what a policy decides by
    effects: LearnedEffects,
    payoff: Payoff,
    limits: ContactLimits,
    chosen: str,
    customers: NextCustomers,
    learned: np.ndarray,
    allowed: np.ndarray,
) -> np.ndarray:
    """Return the arm of each customer, (n,); ties go by an order that is the same again."""
    kind, _, offer = chosen.partition(": ")
    arm = np.zeros(len(customers.ids), dtype=np.intp)
    if kind == "nobody":
        return arm
    order = np.argsort(hash_ids(customers.ids, TIE_SEED))
    if kind == "learned":
        net = payoff.of(learned)[order]
        arm[order] = limits.assign_best(net, payoff.cost, 1.0, allowed[order])
        return arm
    best = int(np.nanmean(net_contrasts(effects, payoff)[:, 1:], axis=0).argmax()) + 1
    one = effects.trial.arms.index(offer) if offer else best
    score = _score(effects, kind, best, customers.covariates)
    first = limits.contact_first(one, score[order], payoff.cost[one], 1.0, allowed[order, one])
    arm[order[first]] = one
    return arm


def _scale(judged: PolicyRow, n_contacted: int) -> Estimate:
    """Return the net value of a number of contacts like those of a policy."""
    times = n_contacted / judged.contacted_share if judged.contacted_share else 0.0
    ends = (judged.value.value, judged.value.low, judged.value.high)
    return Estimate(*(times * end for end in ends))


def _score(effects: LearnedEffects, kind: str, best: int, covariates: pd.DataFrame) -> np.ndarray:
    """Return what customers are ranked by, highest first, as ``rank_customers`` ranks a trial's."""
    if kind == "everybody":
        return np.zeros(len(covariates))
    trial, arm = effects.trial, best if kind == "by_response" else 0
    n = len(trial.ids)
    table = pd.concat([covariate_table(trial.covariates), covariate_table(covariates)])
    rows = PreparedRows.prepare(effects.spec.outcome, table, np.arange(n), np.arange(n, len(table)))
    found = rows.fit_predict(trial.arm == arm, trial.y, is_binary=is_binary(trial))
    return -found if kind == "by_risk" else found
