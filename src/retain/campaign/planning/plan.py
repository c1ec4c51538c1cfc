"""The plan: who is offered what, and who of them is held out, within all limits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from retain.campaign.allocation.allocate import Allocation, Problem, allocate
from retain.campaign.audience import Audience
from retain.campaign.offers.offers import OfferMatrix
from retain.campaign.planning.control import ControlAssignment, assign_control, inflate_limit
from retain.errors import RetainError
from retain.schema import CampaignConfig

MAX_BUDGET_RETRIES = 40
"""How often the plan's budget is made smaller before nobody is held out within it."""
BUDGET_SHRINK_FACTOR = 0.995
"""What is left of it each time."""


@dataclass(frozen=True)
class CampaignPlan:
    """Who is offered what.

    Attributes
    ----------
    problem
        With limits wide enough for those who are held out too.
    allocation
        Its solution, treatment and control together.
    control
        Who of the chosen is held out.
    """

    offers: OfferMatrix
    problem: Problem
    allocation: Allocation
    control: ControlAssignment

    @property
    def offer_index(self) -> np.ndarray:
        """Index of the offer chosen for each customer, −1 for none; held out ones included."""
        return self.allocation.offer_index

    @property
    def treated_offer_index(self) -> np.ndarray:
        """The same for those who get it, −1 for all others."""
        return np.where(self.control.is_control, -1, self.offer_index)

    def select_chosen(
        self, values: np.ndarray, offer_index: np.ndarray | None = None
    ) -> np.ndarray:
        """Of values for each customer and offer, those of the offer chosen; 0 where none is."""
        mine = self.offer_index if offer_index is None else offer_index
        picked = np.take_along_axis(values, np.maximum(mine, 0)[:, None], axis=1)[:, 0]
        return np.where(mine >= 0, picked, 0.0)


def make_plan(audience: Audience, offers: OfferMatrix, planning: CampaignConfig) -> CampaignPlan:
    """The plan of greatest expected net value, and a random share of it held out.

    It is made for treatment and control together, within limits widened by the share held out, so
    that chance alone tells the two apart; where no draw keeps the treated within the budget, it is
    made again for a little less.

    Raises
    ------
    RetainError
        When a segment has fewer customers who may be offered something than it must have.
    """
    problem = build_problem(audience, offers, planning)
    large = int(offers.eligible.sum()) > planning.exact_up_to
    cells = planning.exact_up_to if large else 0  # how much less is found quickly
    for _ in range(MAX_BUDGET_RETRIES):
        allocation = allocate(problem, exact_up_to=cells)
        held = _assign_control(audience, offers, allocation, planning)
        if held is None:
            problem = replace(problem, budget=BUDGET_SHRINK_FACTOR * float(problem.budget or 0.0))
        elif cells == planning.exact_up_to:
            return CampaignPlan(offers, problem, allocation, held)
        else:
            cells = planning.exact_up_to
    raise RetainError(
        f"no plan keeps within campaign.budget={planning.budget:g} with a control group of "
        f"{planning.control_share:.0%}; expected a larger budget or a smaller share: "
        "campaign.control_share=0"
    )


def build_problem(audience: Audience, offers: OfferMatrix, planning: CampaignConfig) -> Problem:
    """What is to be solved, its limits wide enough for those who are held out."""
    share = planning.control_share
    codes, names = pd.factorize(_require_segments(audience), sort=True)
    least = _min_contacts(names.tolist(), codes, offers, planning)
    capacities = [one.capacity for one in offers.catalogue.offers.values()]
    return Problem(
        net=offers.net,
        cost=offers.cost,
        eligible=offers.eligible,
        budget=None if planning.budget is None else planning.budget / (1 - share),
        capacity=np.array(
            [np.inf if one is None else inflate_limit(one, share) for one in capacities]
        ),
        max_contacts=None
        if planning.max_contacts is None
        else inflate_limit(planning.max_contacts, share),
        segment=codes if least is not None else None,
        min_contacts=least,
        keys=_hash_customer_ids(audience),
        seed=planning.seed,
    )


def _require_segments(audience: Audience) -> np.ndarray:
    if audience.segments is None:
        raise ValueError("customers are placed in segments before a campaign is planned")
    return audience.segments


def find_segment(typed: str, names: Sequence[str]) -> str:
    """The segment that was meant: its words alone count, since no shell takes all of its signs.

    Raises
    ------
    RetainError
        When there is none of these words.

    >>> find_segment("high risk high value", ["low risk · low value", "high risk · high value"])
    'high risk · high value'
    """
    by_words = {_normalise(name): name for name in names}
    if _normalise(typed) not in by_words:
        raise RetainError.unknown("campaign.min_contacts: segment", typed, list(names))
    return by_words[_normalise(typed)]


def _normalise(name: str) -> str:
    return " ".join(re.findall(r"\w+", name.casefold()))


def _hash_customer_ids(audience: Audience) -> np.ndarray:
    """What tells customers apart whatever the order of their rows."""
    return np.asarray(pd.util.hash_array(audience.table.index.astype(str).to_numpy(dtype=object)))


def _min_contacts(
    names: list[str], codes: np.ndarray, offers: OfferMatrix, planning: CampaignConfig
) -> np.ndarray | None:
    """How many of each segment to contact at least, those held out included."""
    if not planning.min_contacts:
        return None
    reachable = np.bincount(codes, weights=offers.eligible.any(axis=1), minlength=len(names))
    least = np.zeros(len(names), dtype=int)
    for typed, wanted in planning.min_contacts.items():
        place = names.index(find_segment(typed, names))
        there = int(reachable[place])
        most = there - int(np.ceil(planning.control_share * there))
        if wanted > most:
            raise RetainError(
                f"campaign.min_contacts: segment {names[place]!r} is to have {wanted} contacted; "
                f"{there} of its customers may be offered something, and of those {most} stay "
                "when a control group is held out."
            )
        least[place] = min(there, int(np.ceil(wanted / (1 - planning.control_share))))
    return least


def _assign_control(
    audience: Audience, offers: OfferMatrix, allocation: Allocation, planning: CampaignConfig
) -> ControlAssignment | None:
    chosen = allocation.offer_index
    picked = np.take_along_axis(offers.cost, np.maximum(chosen, 0)[:, None], axis=1)[:, 0]
    return assign_control(
        chosen,
        np.where(chosen >= 0, picked, 0.0),
        _require_segments(audience),
        audience.table.index.to_numpy(),
        share=planning.control_share,
        seed=planning.seed,
        budget=planning.budget,
    )
