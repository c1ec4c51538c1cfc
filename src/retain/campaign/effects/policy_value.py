"""Values of policies, had they been followed in a randomised campaign, compared with one another.

The value of a policy is the mean of the doubly robust scores of the arms it chooses (Dudík,
Langford & Li 2011; Athey & Wager 2021), net of cost, beyond a policy that contacts nobody. Who is
chosen in a fold is learned without it; the best of the arms is known for all folds, for which the
intervals, which hold together for all policies, correct.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import special

from retain.campaign.effects.learners import LearnedEffects
from retain.campaign.effects.nuisance import hash_ids
from retain.campaign.effects.policies import (
    SIMPLICITY,
    TIE_SEED,
    Payoff,
    Policy,
    Ranking,
    net_contrasts,
)
from retain.campaign.effects.simultaneous import simultaneous_estimates
from retain.record.estimates import Estimate

ATTAINED_SHARE = 0.8
"""Share of the best plan's gain that a plan learned from as many customers as needed attains."""


@dataclass(frozen=True)
class PolicyValue:
    """A row of the comparison, all in the unit of the payoff.

    Attributes
    ----------
    value, total
        Net value beyond contacting nobody, a head and of all customers of the trial.
    contacted_share, cost
        Share of customers who get an arm but the control, and cost a head.
    is_tied
        True if the policy is tied with the best.
    """

    policy: str
    value: Estimate
    total: Estimate
    contacted_share: float
    cost: float
    is_tied: bool


@dataclass(frozen=True)
class PolicyDifference:
    """Net value a head of the first policy less the second's."""

    first: str
    second: str
    value: Estimate


@dataclass(frozen=True)
class PolicyComparison:
    """Policies side by side; all intervals and differences hold together.

    ``chosen`` is the simplest policy among those tied with the best.
    """

    policies: tuple[PolicyValue, ...]
    differences: tuple[PolicyDifference, ...]
    chosen: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row per policy."""
        columns = ("policy", "contacted_share", "cost", "is_tied")
        rows = [
            {name: getattr(one, name) for name in columns}
            | {"value": one.value.value, "low": one.value.low, "high": one.value.high}
            for one in self.policies
        ]
        return pd.DataFrame(rows).set_index("policy")


def compare_policies(
    effects: LearnedEffects,
    payoff: Payoff,
    policies: Sequence[Policy],
) -> PolicyComparison:
    """Return the values of policies and their paired differences, with simultaneous intervals.

    Policies are tied if the interval of their difference holds 0. Of those tied with the best the
    simplest is chosen (``SIMPLICITY``), and of equally simple ones the best.
    """
    gains = policy_gains(net_contrasts(effects, payoff), [policy.arm for policy in policies])
    pairs = list(combinations(range(len(policies)), 2))
    difference = gains[:, [b for _, b in pairs]] - gains[:, [a for a, _ in pairs]]
    found = dict(zip(pairs, simultaneous_estimates(difference, effects.spec.alpha), strict=True))
    nobody = next(i for i, policy in enumerate(policies) if policy.kind == "nobody")
    values = [_against(found, i, nobody) for i in range(len(policies))]
    best = int(np.argmax([one.value for one in values]))
    tied = [_against(found, best, i).low <= 0 for i in range(len(policies))]
    rows = [
        _describe(policy, value, payoff.cost, is_tied=bool(is_tied))
        for policy, value, is_tied in zip(policies, values, tied, strict=True)
    ]
    simplest = min(
        (i for i in range(len(policies)) if tied[i]),
        key=lambda i: (SIMPLICITY.index(policies[i].kind), -values[i].value),
    )
    differences = tuple(
        PolicyDifference(policies[b].name, policies[a].name, found[a, b]) for a, b in pairs
    )
    return PolicyComparison(tuple(rows), differences, policies[simplest].name)


def policy_gains(net: np.ndarray, arms: Sequence[np.ndarray]) -> np.ndarray:
    """Return each customer's score of the net value of the arm chosen, (n, policies)."""
    rows = np.arange(len(net))
    return np.column_stack([net[rows, arm] for arm in arms])


def _against(found: dict[tuple[int, int], Estimate], first: int, second: int) -> Estimate:
    """Return the difference of two policies in either order."""
    if first == second:
        return Estimate(0.0, 0.0, 0.0)
    if (second, first) in found:
        return found[second, first]
    one = found[first, second]
    return Estimate(0.0 - one.value, 0.0 - one.high, 0.0 - one.low)


def _describe(policy: Policy, value: Estimate, cost: np.ndarray, *, is_tied: bool) -> PolicyValue:
    n = len(policy.arm)
    return PolicyValue(
        policy=policy.name,
        value=value,
        total=Estimate(n * value.value, n * value.low, n * value.high),
        contacted_share=float((policy.arm > 0).mean()),
        cost=float(cost[policy.arm].mean()),
        is_tied=is_tied,
    )


def value_by_share(
    effects: LearnedEffects,
    payoff: Payoff,
    rankings: Sequence[Ranking],
    shares: Sequence[float],
) -> pd.DataFrame:
    """Return what contacting the customers ranked first is worth, by their share.

    The first are taken within each fold, since scores of folds come from different models.

    Returns
    -------
    DataFrame with one row per ranking and share: ``ranking``, ``share``, net ``value`` a head of
    all customers, ``low`` and ``high`` of the interval, and ``band_low`` and ``band_high`` of the
    band that holds all rows together.
    """
    net, fold = net_contrasts(effects, payoff), effects.scores.fold
    points = [(ranking, share) for ranking in rankings for share in shares]
    keys = hash_ids(effects.trial.ids, TIE_SEED)
    quantile = {one.kind: _rank_within_fold(one.score, fold, keys) for one in rankings}
    arms = [np.where(quantile[one.kind] <= share, one.arm, 0) for one, share in points]
    gains = np.nan_to_num(policy_gains(net, arms))  # an arm that could not be had is not sent
    bands = simultaneous_estimates(gains, effects.spec.alpha)
    errors = gains.std(axis=0, ddof=1) / np.sqrt(len(gains))
    reach = special.ndtri(1 - effects.spec.alpha / 2) * errors
    value = gains.mean(axis=0)
    return pd.DataFrame(
        {
            "ranking": [ranking.kind for ranking, _ in points],
            "share": [share for _, share in points],
            "value": value,
            "low": value - reach,
            "high": value + reach,
            "band_low": [band.low for band in bands],
            "band_high": [band.high for band in bands],
        }
    )


def _rank_within_fold(score: np.ndarray, fold: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Return the share of the fold ranked as high or higher, in (0, 1]; ties go by ``keys``."""
    order = np.lexsort((keys, -score, fold))
    size = np.bincount(fold)
    first = np.cumsum(size) - size
    found = np.empty(len(score))
    found[order] = (np.arange(1, len(score) + 1) - first[fold[order]]) / size[fold[order]]
    return found


def customers_for_gain(
    gain: float, differing_share: float, variance: float, n_policies: int, power: float = 0.9
) -> int:
    """Return the customers of a trial that tell a plan from a simpler one with the power.

    Parameters
    ----------
    gain
        What the best plan earns more, a head of all customers; a learned plan attains
        ``ATTAINED_SHARE`` of it.
    differing_share
        Share of the customers to whom the two give different arms.
    variance
        Of the difference of two arms' scores: σ² (1 ÷ e_a + 1 ÷ e_b) for an outcome of variance
        σ² and propensities e.
    n_policies
        Policies compared, for whose pairs intervals are corrected (Bonferroni, at .05).

    >>> customers_for_gain(gain=0.02, differing_share=0.5, variance=0.4, n_policies=7)
    14578
    """
    pairs = n_policies * (n_policies - 1) / 2
    errors = special.ndtri(1 - 0.025 / pairs) + special.ndtri(power)
    return int(np.ceil(errors**2 * variance * differing_share / (ATTAINED_SHARE * gain) ** 2))
