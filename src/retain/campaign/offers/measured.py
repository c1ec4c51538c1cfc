"""Effects of offers that were measured in earlier campaigns, in place of assumed save rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from retain.record.effects_document import PlanEffectsInfo
from retain.schema.campaign import Catalogue, Offer
from retain.schema.scoring import CampaignSettings


@dataclass(frozen=True)
class MeasuredMoney:
    """Mean effect of an offer in money, with its standard error."""

    mean: float
    error: float


@dataclass(frozen=True)
class MeasuredOffer:
    """Effect of an offer on the n customers of an audience.

    Attributes
    ----------
    base_risk
        Mean risk: the mean fall of the decline rate is the offer's save rate × this.
    difference
        What the effect on each customer is above the mean effect, shape (n,).
    difference_error
        Standard error of the size of these differences, as a share of it.
    comparable
        True for customers like those the offer was tried on, shape (n,).
    money
        The mean effect if it is money; None if it is a fall of the decline rate.
    """

    base_risk: float
    difference: np.ndarray
    difference_error: float
    comparable: np.ndarray
    money: MeasuredMoney | None = None

    def effect(self, offer: Offer) -> np.ndarray:
        """Return the effect on each customer, shape (n,): higher is better."""
        mean = offer.save_rate.mean * self.base_risk if self.money is None else self.money.mean
        return np.asarray(mean + self.difference)

    def may_get(self, offer: Offer) -> np.ndarray:
        """Return a mask of the customers known to gain by the offer, shape (n,)."""
        return np.asarray(self.comparable & (self.effect(offer) > 0))


NOT_MEASURED: Mapping[str, MeasuredOffer] = MappingProxyType({})
"""The measured offers of a plan by assumed save rates."""


@dataclass(frozen=True)
class MeasuredOffers:
    """The offers of a catalogue whose effects were measured, by name.

    Attributes
    ----------
    catalogue
        The catalogue with the measured save rates; offers that were not measured keep their prior.
    info
        Where the effects come from, for the document of the plan.
    """

    catalogue: Catalogue
    info: PlanEffectsInfo
    offers: Mapping[str, MeasuredOffer]

    def in_settings(self, settings: CampaignSettings) -> CampaignSettings:
        """Return the settings of a campaign with the measured save rates."""
        return settings.model_copy(update={"offers": self.catalogue})
