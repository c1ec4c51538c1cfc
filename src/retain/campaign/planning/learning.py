"""A learning campaign: customers and offers at random, where no ranking is to be trusted yet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from retain.campaign.allocation.allocate import Problem, allocate
from retain.campaign.audience import Audience
from retain.campaign.offers.offers import OfferMatrix
from retain.campaign.planning.control import assign_control
from retain.campaign.planning.exploration import explore
from retain.campaign.planning.minimums import require_segments
from retain.campaign.planning.offer_power import OfferPower
from retain.campaign.planning.plan import (
    BUDGET_SHRINK_FACTOR,
    MAX_BUDGET_RETRIES,
    CampaignPlan,
    build_problem,
    no_plan_error,
)
from retain.record.comparison_document import Ranking
from retain.schema.campaign import CampaignConfig

EVERYBODY = "all"
"""``campaign.explore`` of a learning campaign."""


def is_learning(planning: CampaignConfig, ranking: Ranking) -> bool:
    """Return whether a learning campaign is planned: by choice, or as nothing ranks customers."""
    return planning.explore == EVERYBODY or ranking == "not_shown"


def without_exploration(planning: CampaignConfig) -> CampaignConfig:
    """Return the limits of the same plan if nobody explored."""
    other = planning.model_copy(update={"explore": 0.0})
    if planning.explore == EVERYBODY:  # which keeps no minimums
        other = other.model_copy(update={"min_contacts": {}})
    return other


def make_learning_plan(
    audience: Audience, offers: OfferMatrix, planning: CampaignConfig
) -> CampaignPlan:
    """Return a plan in which all customers come in a random order, and all offers are drawn.

    As many customers as show what each offer is assumed to do, or all that the limits allow.
    Minimums of contacts by segment do not count: nobody comes before others.

    Raises
    ------
    RetainError
        No control group fits into the budget.
    """
    free = planning.model_copy(update={"min_contacts": {}})
    problem = build_problem(audience, offers, free)
    for _ in range(MAX_BUDGET_RETRIES):
        everybody = explore(problem, 1.0)
        power = OfferPower.of(everybody, audience, offers, planning)
        exploration = everybody.first(choose_size(power))
        control = assign_control(
            exploration.join(np.full(len(audience), -1)),
            exploration.spread_cost(),
            require_segments(audience),
            audience.table.index.to_numpy(),
            share=planning.control_share,
            seed=planning.seed,
            budget=planning.budget,
            explores=exploration.explores,
        )
        if control is not None:
            rest = _without_customers(exploration.leave(problem))
            n_eligible = offers.eligible.sum(axis=0)
            return CampaignPlan(offers, rest, allocate(rest), control, n_eligible, exploration)
        problem = replace(problem, budget=BUDGET_SHRINK_FACTOR * float(problem.budget or 0.0))
    raise no_plan_error(planning)


def _without_customers(problem: Problem) -> Problem:
    """Return a problem in which nobody may get an offer."""
    return replace(problem, eligible=np.zeros(problem.net.shape, dtype=bool))


def choose_size(power: OfferPower) -> int:
    """Return how many customers show the expected effect of every offer, in their order.

    Of an offer that even all do not show, all who could get it count.
    """
    return max((_choose_size(power, offer) for offer in power.offers), default=0)


def _choose_size(power: OfferPower, offer: int) -> int:
    last = int(np.flatnonzero(power.exploration.possible[:, offer])[-1]) + 1
    if not power.shows(offer, last):
        return last
    least, most = 0, last
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if power.shows(offer, middle) else (middle, most)
    return most
