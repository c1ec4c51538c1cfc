"""Policies: who gets which arm, decided fold by fold from models of the other folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.allocation.allocate import Problem, allocate
from retain.campaign.effects.learners import LearnedEffects
from retain.campaign.effects.nuisance import hash_ids, is_binary

SIMPLICITY = (
    "nobody",
    "everybody",
    "by_risk",
    "by_value_at_risk",
    "by_baseline",
    "by_response",
    "learned",
)
"""Kinds of policies, the simplest first."""
TIE_SEED = 1
"""Seed of the order of customers whom a policy ranks alike."""


@dataclass(frozen=True)
class Payoff:
    """Money of each customer and arm: value × outcome − cost.

    The n customers are those of ``LearnedEffects.trial``, whose outcomes are observed.

    Attributes
    ----------
    value
        Worth of one unit of the outcome, shape (n,), or the same for all.
    cost
        Cost of each arm in the unit of ``value`` × outcome, shape (arms,); 0 for the control.
    unit
        That unit: by default the outcome's own.
    """

    value: np.ndarray | float
    cost: np.ndarray
    unit: str | None = None

    def of(self, effects: np.ndarray) -> np.ndarray:
        """Return the net value of effects or their scores, shape (n, arms)."""
        return np.asarray(effects * np.reshape(self.value, (-1, 1)) - self.cost)


@dataclass(frozen=True)
class ContactLimits:
    """Limits of a campaign to all customers of a trial; each fold gets its share of them.

    The n customers are those of ``LearnedEffects.trial``, whose outcomes are observed.

    Attributes
    ----------
    budget
        Highest total cost; None is no limit.
    max_contacts
        Most customers who get any arm but the control; None is no limit.
    capacity
        Most customers of each arm but the control, shape (arms − 1,), ``inf`` without limit.
    eligible
        True where a customer may get an arm, consent included, shape (n, arms); None is anywhere.
    """

    budget: float | None = None
    max_contacts: int | None = None
    capacity: np.ndarray | None = None
    eligible: np.ndarray | None = None

    def scale(self, times: float) -> ContactLimits:
        """Return the limits of ``times`` as many customers, all of whom are eligible.

        >>> ContactLimits(budget=50, max_contacts=9, capacity=np.array([4, np.inf])).scale(2.5)
        ContactLimits(budget=125.0, max_contacts=22, capacity=array([10., inf]), eligible=None)
        """
        return ContactLimits(
            None if self.budget is None else self.budget * times,
            None if self.max_contacts is None else int(self.max_contacts * times),
            None if self.capacity is None else self.capacity * times,
        )

    def contact_first(
        self, arm: int, score: np.ndarray, cost: float, share: float, allowed: np.ndarray
    ) -> np.ndarray:
        """Return a mask of the customers contacted with one arm, highest score first.

        As many of the allowed as the limits' ``share`` permits; ties go by the order given.
        """
        most = [allowed.sum()]
        most += [] if self.budget is None or cost <= 0 else [self.budget * share / cost]
        most += [] if self.max_contacts is None else [self.max_contacts * share]
        most += [] if self.capacity is None else [self.capacity[arm - 1] * share]
        first = np.argsort(np.where(allowed, -score, np.inf), kind="stable")[: int(min(most))]
        chosen = np.zeros(len(score), dtype=bool)
        chosen[first] = True
        return chosen

    def assign_best(
        self, net: np.ndarray, cost: np.ndarray, share: float, allowed: np.ndarray
    ) -> np.ndarray:
        """Return arms (n,) of the highest total ``net`` value (n, arms); 0 where none earns."""
        problem = Problem(
            net=net[:, 1:],
            cost=cost[1:],
            eligible=allowed[:, 1:],
            budget=None if self.budget is None else self.budget * share,
            capacity=None if self.capacity is None else self.capacity * share,
            max_contacts=None if self.max_contacts is None else int(self.max_contacts * share),
        )
        return allocate(problem, exact_up_to=0).offer_index.astype(np.intp) + 1


UNLIMITED = ContactLimits()


@dataclass(frozen=True)
class Policy:
    """An arm for each customer, shape (n,), decided without the outcomes of the customer's fold.

    ``offer`` is the arm of a policy that gives everybody the same.
    """

    kind: str
    arm: np.ndarray
    offer: str | None = None

    @property
    def name(self) -> str:
        """Kind, and the offer if the policy has one.

        >>> Policy("everybody", np.array([1, 1]), "letter").name
        'everybody: letter'
        """
        return self.kind if self.offer is None else f"{self.kind}: {self.offer}"


@dataclass(frozen=True)
class Ranking:
    """An order of customers, highest score first, and the arm each gets if contacted, (n,)."""

    kind: str
    score: np.ndarray
    arm: np.ndarray


def net_contrasts(effects: LearnedEffects, payoff: Payoff) -> np.ndarray:
    """Return scores of what each arm earns beyond the control arm, (n, arms), NaN if unknown."""
    return payoff.of(effects.scores.contrasts)


def rank_customers(
    effects: LearnedEffects, payoff: Payoff, risk: np.ndarray | None = None
) -> tuple[Ranking, ...]:
    """Return the orders that campaigns go by, the learned one last.

    ``by_risk``: those of whom least is expected without a contact, or by a ``risk`` (n,) that is
    given. ``by_value_at_risk``: by risk × value, if there are values, and a risk or a binary
    outcome. ``by_baseline``: those of whom most is expected without a contact, as a model of past
    purchases ranks them. ``by_response``: those of whom most is expected with the contact. All
    these send the arm that is best on average. ``learned``: by the net value of each customer's
    best arm.
    """
    expected = effects.scores.outcome_model
    best = int(np.nanmean(net_contrasts(effects, payoff)[:, 1:], axis=0).argmax()) + 1
    at_risk = -expected[:, 0] if risk is None else risk
    scores = {"by_risk": at_risk}
    if np.ndim(payoff.value) and (risk is not None or is_binary(effects.trial)):
        scores["by_value_at_risk"] = (1 + at_risk if risk is None else risk) * payoff.value
    scores["by_baseline"] = expected[:, 0]
    scores["by_response"] = expected[:, best]
    arm = np.full(len(expected), best)
    rankings = [Ranking(kind, score, arm) for kind, score in scores.items()]
    net = np.where(effects.trial.propensity > 0, payoff.of(effects.effects), -np.inf)[:, 1:]
    return (*rankings, Ranking("learned", net.max(axis=1), net.argmax(axis=1) + 1))


def build_policies(
    effects: LearnedEffects,
    payoff: Payoff,
    limits: ContactLimits = UNLIMITED,
    risk: np.ndarray | None = None,
) -> tuple[Policy, ...]:
    """Return the policies to be compared, each within the same limits, the simplest first.

    A policy that follows a ranking or sends everybody an arm contacts as many as the limits allow.
    """
    trial, n = effects.trial, len(effects.trial.ids)
    allowed = trial.propensity > 0
    if limits.eligible is not None:
        allowed = allowed & limits.eligible
    by_key = np.argsort(hash_ids(trial.ids, TIE_SEED))
    folds = [by_key[effects.scores.fold[by_key] == k] for k in range(effects.scores.n_folds)]
    orders: list[tuple[str, np.ndarray, int, str | None]] = [
        ("everybody", np.zeros(n), arm, trial.arms[arm]) for arm in range(1, len(trial.arms))
    ]
    *rankings, _ = rank_customers(effects, payoff, risk)
    orders += [(one.kind, one.score, int(one.arm[0]), None) for one in rankings]
    policies = [Policy("nobody", np.zeros(n, dtype=np.intp))]
    for kind, score, arm, offer in orders:
        chosen = np.zeros(n, dtype=np.intp)
        for rows in folds:
            cost, share, may = payoff.cost[arm], len(rows) / n, allowed[rows, arm]
            chosen[rows[limits.contact_first(arm, score[rows], cost, share, may)]] = arm
        policies.append(Policy(kind, chosen, offer))
    net, learned = payoff.of(effects.effects), np.zeros(n, dtype=np.intp)
    for rows in folds:
        learned[rows] = limits.assign_best(net[rows], payoff.cost, len(rows) / n, allowed[rows])
    return (*policies, Policy("learned", learned))
