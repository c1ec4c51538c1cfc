"""The exploration of a plan as ``campaign.json`` has it: how many, at what cost, to learn what."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from retain.campaign.audience import Audience
from retain.campaign.planning.learning import is_learning
from retain.campaign.planning.offer_power import OfferPower
from retain.campaign.planning.plan import CampaignPlan
from retain.campaign.value.monte_carlo import MonteCarlo
from retain.record.comparison_document import Ranking
from retain.record.estimates import Estimate
from retain.record.exploration_info import ExplorationInfo, ExploredOffer
from retain.schema.campaign import CampaignConfig


def summarise_exploration(  # noqa: PLR0913, PLR0917 - all that the cost of it depends on
    plan: CampaignPlan,
    other: CampaignPlan | None,
    audience: Audience,
    monte_carlo: MonteCarlo,
    planning: CampaignConfig,
    ranking: Ranking,
) -> ExplorationInfo | None:
    """Return what the customers who explore cost and show; None if nobody was asked to.

    ``other`` is the plan without them; None if there is none.
    """
    learning = is_learning(planning, ranking)
    if not learning and not planning.explored_share:
        return None
    rows, control = plan.exploration.rows, plan.control.is_control
    power = OfferPower.of(plan.exploration, audience, plan.offers, planning)
    return ExplorationInfo(
        is_learning=learning,
        because="ranking_not_shown" if ranking == "not_shown" else "asked",
        share=1.0 if learning else planning.explored_share,
        n_eligible=plan.exploration.n_eligible,
        n_customers=len(rows),
        n_treated=int((~control[rows]).sum()),
        n_control=int(control[rows].sum()),
        expected_cost=float(plan.exploration.cost[~control[rows]].sum()),
        given_up=None if other is None else _give_up(plan, other, monte_carlo),
        power=planning.power,
        level=power.level,
        level_between=power.level_between,
        offers=tuple(_describe_offers(plan, power)),
    )


def _give_up(plan: CampaignPlan, other: CampaignPlan, monte_carlo: MonteCarlo) -> Estimate:
    ours, theirs = ((one.offer_index, one.control.propensity) for one in (plan, other))
    return monte_carlo.compare_plans(theirs, ours, plan.offers)


def _describe_offers(plan: CampaignPlan, power: OfferPower) -> Iterator[ExploredOffer]:
    """Yield the offers that were drawn, highest assumed effect first."""
    exploration, names = plan.exploration, plan.offers.names
    control = plan.control.is_control[exploration.rows]
    for offer, following in zip_longest(power.offers, power.offers[1:]):
        against = power.compare(offer)
        between = None if following is None else power.compare(offer, following)
        yield ExploredOffer(
            name=names[offer],
            n_treated=int(((exploration.offer == offer) & ~control).sum()),
            n_control=int((exploration.possible[:, offer] & control).sum()),
            expected=against.expected,
            minimum_detectable_effect=power.detectable(against, power.level),
            next_offer=None if following is None else names[following],
            detectable_from_next=None
            if between is None
            else power.detectable(between, power.level_between),
        )
