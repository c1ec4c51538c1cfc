"""Who may get an offer, whether it pays or not.

May import: errors, customers, schema.
"""

from __future__ import annotations

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.offering.placeholders import DRIVER, placeholders
from retain.campaign.offering.raised import Raised, features_of
from retain.campaign.offering.values_told import known
from retain.campaign.segmentation import rules
from retain.schema import Offer


def eligible(offer: Offer, audience: Audience, raised: Raised) -> np.ndarray:
    """Whether each customer may get the offer, shape (n,).

    Consent is given or the offer needs none, ``when`` holds and ``never`` does not, one of the
    offer's ``drivers`` raises the customer's risk, and all that its texts tell is known. Where
    nothing is told of a customer's drivers (``reasons=none``, new customers), ``when`` stands for
    the drivers, and an offer without ``when`` is not for them.
    """
    may = _driven(offer, audience, raised)
    if offer.needs_consent:
        may &= audience.table["contactable"].isin([True]).to_numpy()  # not known is not given
    if offer.when is not None:
        may &= rules.holds(offer.when, audience)
    if offer.never is not None:
        may &= ~rules.holds(offer.never, audience)
    for name in {one for _, text in offer.text for one in placeholders(text)}:
        told = raised.by(answered(offer, audience)) if name == DRIVER else known(name, audience)
        may &= told
    return may


def _driven(offer: Offer, audience: Audience, raised: Raised) -> np.ndarray:
    """Whose drivers call for the offer, shape (n,); of those not told, ``when`` will speak."""
    if not offer.drivers:
        return np.ones(len(audience), dtype=bool)
    found = raised.by(answered(offer, audience))
    return found if offer.when is None else found | ~raised.told


def answered(offer: Offer, audience: Audience) -> set[str]:
    """The features whose raising a risk the offer answers: all, where it names no drivers."""
    return features_of(offer.drivers, audience) if offer.drivers else set(audience.columns)
