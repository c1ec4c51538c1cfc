"""Policies: who gets which arm, decided fold by fold from models of the other folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

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

    Attributes
    ----------
    value
        Worth of one unit of the outcome, shape (n,), or the same for all.
    cost
        Cost of each arm in the unit of ``value`` × outcome, shape (arms,); 0 for the control.
    """

    value: np.ndarray | float
    cost: np.ndarray

    def of(self, effects: np.ndarray) -> np.ndarray:
        """Return the net value of effects or their scores, shape (n, arms)."""
        return np.asarray(effects * np.reshape(self.value, (-1, 1)) - self.cost)


@dataclass(frozen=True)
class ContactLimits:
    """Limits of a campaign to all customers of a trial; each fold gets its share of them.

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

    def assign(
        self, wanted: np.ndarray, cost: np.ndarray, rows: np.ndarray, keys: np.ndarray
    ) -> np.ndarray:
        """Return the arm of the customers at ``rows`` of n, 0 for none, shape (rows,).

        ``wanted`` (rows, arms) is what an arm is worth to a policy: the sum is the highest within
        the limits, and nobody gets an arm that is not worth more than 0. Ties go by ``keys`` (n,).
        """
        share = len(rows) / len(keys)
        problem = Problem(
            net=wanted[:, 1:],
            cost=cost[1:],
            eligible=None if self.eligible is None else self.eligible[rows, 1:],
            budget=None if self.budget is None else self.budget * share,
            capacity=None if self.capacity is None else self.capacity * share,
            max_contacts=None if self.max_contacts is None else int(self.max_contacts * share),
            keys=keys[rows],
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
    columns, keys = np.arange(len(trial.arms)), hash_ids(trial.ids, TIE_SEED)

    def assign(wanted: np.ndarray) -> np.ndarray:
        arm = np.zeros(n, dtype=np.intp)
        wanted = np.where(trial.propensity > 0, wanted, 0.0)
        for k in range(effects.scores.n_folds):
            rows = np.flatnonzero(effects.scores.fold == k)
            arm[rows] = limits.assign(wanted[rows], payoff.cost, rows, keys)
        return arm

    policies = [Policy("nobody", np.zeros(n, dtype=np.intp))]
    policies += [
        Policy("everybody", assign(np.tile(columns == arm, (n, 1)).astype(float)), trial.arms[arm])
        for arm in columns[1:]
    ]
    *orders, learned = rank_customers(effects, payoff, risk)
    is_best = orders[0].arm[:, None] == columns
    for order in orders:
        rank = stats.rankdata(order.score) / n
        policies.append(Policy(order.kind, assign(is_best * rank[:, None])))
    return (*policies, Policy(learned.kind, assign(payoff.of(effects.effects))))
