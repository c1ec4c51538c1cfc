"""The customers of a plan whose offer was drawn at random, as ``campaign.json`` has them."""

from __future__ import annotations

from typing import Literal

from retain.record.estimates import Estimate
from retain.schema.parsing import Config


class ExploredOffer(Config):
    """An offer that was drawn at random, and what it will show.

    Attributes
    ----------
    n_treated
        Customers who get it because it was drawn.
    n_control
        Customers of the control group who could have drawn it.
    expected
        By how much it is assumed to lower the share that declines.
    minimum_detectable_effect
        The smallest fall against the control group that is detected with the campaign's power; None
        if not even one to 0 is.
    next_offer
        The offer assumed to lower it next most; None for the last one.
    detectable_from_next
        The smallest difference from the next offer that is detected; None if none is.
    """

    name: str
    n_treated: int
    n_control: int
    expected: float
    minimum_detectable_effect: float | None
    next_offer: str | None
    detectable_from_next: float | None

    @property
    def is_enough(self) -> bool:
        """True if what the offer is assumed to do would be detected."""
        least = self.minimum_detectable_effect
        return least is not None and self.expected >= least


class ExplorationInfo(Config):
    """The customers who explore, what that costs, and what it will show.

    Attributes
    ----------
    is_learning
        True for a learning campaign: everybody explores who is contacted.
    because
        It was ``asked`` for, or the ranking is not shown to beat chance (``ranking_not_shown``).
    share
        Of the eligible customers, and the most of each limit.
    n_eligible
        Customers who may get an offer.
    n_customers, n_treated, n_control
        Who explore, and of them those contacted and those in the control group.
    expected_cost
        Of those contacted.
    given_up
        Expected net value that the plan without them has more, whoever is in the control group;
        None if there is no such plan, as the ranking is not shown to beat chance.
    level, level_between
        Of the strictest test of an offer against the control group, and of two offers.
    offers
        Highest assumed effect first.
    """

    is_learning: bool
    because: Literal["asked", "ranking_not_shown"]
    share: float
    n_eligible: int
    n_customers: int
    n_treated: int
    n_control: int
    expected_cost: float
    given_up: Estimate | None
    power: float
    level: float
    level_between: float
    offers: tuple[ExploredOffer, ...]
