"""Campaign plan: the offer of each customer and the control group, within all limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from retain.campaign.allocation.allocate import Allocation, Problem, allocate
from retain.campaign.audience import Audience, find_segment
from retain.campaign.offers.offers import OfferMatrix
from retain.campaign.planning.control import ControlAssignment, assign_control, inflate_limit
from retain.campaign.planning.control_design import (
    ChosenCustomers,
    TreatedLimits,
    least_cost_shares,
)
from retain.campaign.planning.exploration import Exploration, explore
from retain.campaign.planning.minimums import (
    MIN_CONTACTS,
    check_minimums,
    count_minimums,
    inflate_minimum,
    require_segments,
)
from retain.campaign.planning.segment_offers import SegmentOffers, choose_segment_offers
from retain.errors import RetainError
from retain.record.campaign_document import UnmetMinimum
from retain.schema.campaign import CampaignConfig

MAX_BUDGET_RETRIES = 40
"""Attempts to fit a control group into the budget."""
BUDGET_SHRINK_FACTOR = 0.995
"""Ratio of one budget to the one before, when no control group fits."""


@dataclass(frozen=True)
class CampaignPlan:
    """Offers of a campaign and its control group.

    Attributes
    ----------
    problem
        Problem of the customers who do not explore, with limits inflated for the control group.
    allocation
        Its solution, for treated and control together.
    control
        Control group among the chosen.
    n_eligible
        Customers who may get each offer in any segment, shape (m,).
    exploration
        The customers whose offer was drawn at random.
    segment_offers
        The few offers of each segment, all that ``offers`` has eligible; None for a free plan.
    """

    offers: OfferMatrix
    problem: Problem
    allocation: Allocation
    control: ControlAssignment
    n_eligible: np.ndarray
    exploration: Exploration
    segment_offers: SegmentOffers | None = None

    @cached_property
    def offer_index(self) -> np.ndarray:
        """Index of the offer chosen for each customer, control group included; −1 for none."""
        return self.exploration.join(self.allocation.offer_index)

    @property
    def treated_offer_index(self) -> np.ndarray:
        """Index of the offer for each treated customer, −1 for all others."""
        return np.where(self.control.is_control, -1, self.offer_index)

    @property
    def expected_net(self) -> float:
        """Expected net value of the treated customers, in the unit of profit: the plan's value."""
        rows = np.flatnonzero(self.treated_offer_index >= 0)
        return float(self.offers.net[rows, self.offer_index[rows]].sum())

    @property
    def control_cost(self) -> float:
        """Net value that the control group is expected to forgo, whoever is drawn."""
        chosen = self.offer_index >= 0
        share = 1 - self.control.propensity[chosen]
        return float(share @ self.select_chosen(self.offers.net)[chosen])

    @property
    def expected_cost(self) -> float:
        """Expected cost of the treated customers, in the unit of profit."""
        rows = np.flatnonzero(self.treated_offer_index >= 0)
        return float(self.offers.cost[rows, self.offer_index[rows]].sum())

    @property
    def expected_saved(self) -> float:
        """Expected profit saved, or customers kept, of the treated."""
        rows = np.flatnonzero(self.treated_offer_index >= 0)
        return float(self.offers.saved[rows, self.offer_index[rows]].sum())

    def select_chosen(
        self, values: np.ndarray, offer_index: np.ndarray | None = None
    ) -> np.ndarray:
        """Return each customer's value of the chosen offer, 0 for none; values (n, offers)."""
        return _select(values, self.offer_index if offer_index is None else offer_index)


def _select(values: np.ndarray, offer_index: np.ndarray) -> np.ndarray:
    selected = np.take_along_axis(values, np.maximum(offer_index, 0)[:, None], axis=1)[:, 0]
    return np.where(offer_index >= 0, selected, 0.0)


def make_plan(audience: Audience, offers: OfferMatrix, planning: CampaignConfig) -> CampaignPlan:
    """Return the plan of highest expected net value, and a random control group in it.

    The share of customers who explore is drawn first, and the plan is made for the others. Treated
    and control are planned together, within limits inflated by the control share, so that
    only chance separates them. If no sample keeps the treated within the budget, the plan is made
    again for a slightly smaller one.

    Raises
    ------
    RetainError
        When a segment has fewer eligible customers than its minimum.
    """
    check_minimums(audience, offers, planning)
    problem = build_problem(audience, offers, planning)
    exploration = explore(problem, planning.explored_share)
    n_eligible, few = offers.eligible.sum(axis=0), None
    if planning.offers_per_segment is not None:
        codes, names = pd.factorize(require_segments(audience), sort=True)
        others = exploration.leave(problem)
        few = choose_segment_offers(others, codes, len(names), planning.offers_per_segment - 1)
        offers = replace(offers, eligible=exploration.allow(few.restrict(offers.eligible)))
        problem = build_problem(audience, offers, planning)
    problem = exploration.leave(problem)
    is_large = int(offers.pays.sum()) > planning.exact_up_to
    # the dual alone is fast, and enough to find the budget that a control group fits into
    exact_up_to = planning.exact_up_to if is_large else 0
    for _ in range(MAX_BUDGET_RETRIES):
        allocation = allocate(problem, exact_up_to=exact_up_to)
        control = _assign_control(audience, offers, problem, allocation, exploration, planning)
        if control is None:
            problem = replace(problem, budget=BUDGET_SHRINK_FACTOR * float(problem.budget or 0.0))
        elif exact_up_to == planning.exact_up_to:
            allocation = allocation if few is None else few.certify(allocation)
            return CampaignPlan(offers, problem, allocation, control, n_eligible, exploration, few)
        else:
            exact_up_to = planning.exact_up_to
    raise no_plan_error(planning)


def no_plan_error(planning: CampaignConfig) -> RetainError:
    """Return the error of a budget that no control group fits into."""
    return RetainError(
        f"no plan keeps within campaign.budget={planning.budget:g} with a control group of "
        f"{planning.control_share:.0%}; expected a larger budget or a smaller share: "
        "campaign.control_share=0"
    )


def build_problem(audience: Audience, offers: OfferMatrix, planning: CampaignConfig) -> Problem:
    """Return the problem to solve, with limits inflated for the control group."""
    share = planning.control_share
    codes, names = pd.factorize(require_segments(audience), sort=True)
    min_contacts = count_minimums(names.tolist(), codes, offers, planning)
    limits = [planning.max_contacts, *(o.capacity for o in offers.catalogue.offers.values())]
    max_contacts, *capacities = (n if n is None else inflate_limit(n, share) for n in limits)
    return Problem(
        net=offers.net,
        cost=offers.cost,
        eligible=offers.eligible,
        budget=None if planning.budget is None else planning.budget / (1 - share),
        capacity=np.array([np.inf if limit is None else limit for limit in capacities]),
        max_contacts=max_contacts,
        segment=codes if min_contacts is not None else None,
        min_contacts=min_contacts,
        keys=audience.hashed_ids,
        seed=planning.seed,
    )


def unmet_minimums(
    plan: CampaignPlan, audience: Audience, planning: CampaignConfig
) -> tuple[UnmetMinimum, ...]:
    """Return the segments with fewer customers for whom an offer pays than their minimum needs."""
    segments = require_segments(audience)
    unmet = []
    for text, minimum in planning.min_contacts.items():
        name = find_segment(text, list(np.unique(segments)), MIN_CONTACTS)
        inside = np.asarray(segments == name, dtype=bool)
        n_paying = int(plan.offers.pays[inside].any(axis=1).sum())
        if n_paying < inflate_minimum(minimum, planning):
            n_treated = int((plan.treated_offer_index[inside] >= 0).sum())
            unmet.append(
                UnmetMinimum(
                    segment=str(name), minimum=minimum, n_paying=n_paying, n_treated=n_treated
                )
            )
    return tuple(unmet)


def _assign_control(  # noqa: PLR0913, PLR0917 - all that a control group depends on
    audience: Audience,
    offers: OfferMatrix,
    problem: Problem,
    allocation: Allocation,
    exploration: Exploration,
    planning: CampaignConfig,
) -> ControlAssignment | None:
    offer_index = exploration.join(allocation.offer_index)
    share = _choose_shares(audience, offers, problem, allocation, exploration, planning)
    return assign_control(
        offer_index,
        _select(offers.cost, offer_index),
        require_segments(audience),
        audience.table.index.to_numpy(),
        share=share,
        seed=planning.seed,
        budget=planning.budget,
        explores=exploration.explores,
    )


def _choose_shares(  # noqa: PLR0913, PLR0917 - all that a control group depends on
    audience: Audience,
    offers: OfferMatrix,
    problem: Problem,
    allocation: Allocation,
    exploration: Exploration,
    planning: CampaignConfig,
) -> float | np.ndarray:
    """Return the share of the control group, or that of each customer, shape (n,).

    Those who explore keep the one share.
    """
    share, offer_index = planning.control_share, allocation.offer_index
    if planning.control_design == "uniform":
        return share
    rows = np.flatnonzero(offer_index >= 0)
    rows = rows[np.argsort(problem.select_keys(rows), kind="stable")]
    codes, names = pd.factorize(require_segments(audience), sort=True)
    found = least_cost_shares(
        ChosenCustomers(
            segment=codes[rows],
            offer=offer_index[rows],
            risk=audience.table["risk"].to_numpy()[rows],
            value=audience.table["value_at_stake"].to_numpy()[rows],
            net=_select(offers.net, offer_index)[rows],
            cost=_select(offers.cost, offer_index)[rows],
        ),
        _limit_treated(offers, exploration, codes, list(names), planning),
        share=share,
    )
    if found is None:
        return share
    shares = np.zeros(len(offer_index))
    shares[exploration.rows] = share
    shares[rows] = found
    return shares


def _limit_treated(
    offers: OfferMatrix,
    exploration: Exploration,
    codes: np.ndarray,
    names: list[str],
    planning: CampaignConfig,
) -> TreatedLimits:
    """Return what the limits leave to those who do not explore; segments by code and name."""
    treated = 1 - planning.control_share
    counts = treated * np.bincount(exploration.offer, minlength=len(offers.names))
    minimums = np.zeros(len(names))
    for text, minimum in planning.min_contacts.items():
        minimums[names.index(find_segment(text, names, MIN_CONTACTS))] = minimum
    if len(exploration):
        contacted = treated * np.bincount(codes[exploration.rows], minlength=len(names))
        minimums = np.maximum(minimums - contacted, 0.0)
    capacities = [offer.capacity for offer in offers.catalogue.offers.values()]
    return TreatedLimits(
        budget=_or_infinite(planning.budget) - treated * float(exploration.cost.sum()),
        max_contacts=_or_infinite(planning.max_contacts) - float(counts.sum()),
        capacity=np.array([_or_infinite(limit) for limit in capacities]) - counts,
        min_contacts=minimums,
    )


def _or_infinite(limit: float | None) -> float:
    return np.inf if limit is None else limit
