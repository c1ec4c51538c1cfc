"""What an offer costs and saves, expected for each customer.

The terms are those of Verbraken, Verbeke & Baesens 2013 (eq. 8), which with individual customer
values, as Óskarsdóttir et al. 2018 have it, are sums over customers. There every customer who stays
takes the incentive; here the share who do is an assumption of the offer's own.

May import: errors, schema.
"""

from __future__ import annotations

import numpy as np

from retain.schema import Catalogue, Offer


def taken(offer: Offer, profit: np.ndarray, horizon: float) -> np.ndarray:
    """What an offer costs once it is taken, shape (n,), in the unit of ``profit``.

    ``profit`` is a month's, ``horizon`` in months. Of a profit that is not known, or is a loss, no
    discount is given.

    >>> from retain.schema import Beta, Words
    >>> words, beta = Words(en="Five per cent", ru="Пять процентов"), Beta(alpha=6, beta=14)
    >>> offer = Offer(label=words, text=words, channel="email", needs_consent=True, save_rate=beta,
    ...     contact_cost=1, redemption_cost=2, discount=0.05, taken_by_stayers=1)
    >>> taken(offer, np.array([10.0, -10.0, np.nan]), 3.0).tolist()
    [3.5, 2.0, 2.0]
    """
    earned = np.nan_to_num(np.clip(profit, 0, None), nan=0.0)
    return np.asarray(offer.redemption_cost + offer.discount * horizon * earned)


def cost(offer: Offer, risk: np.ndarray, save_rate: np.ndarray, each: np.ndarray) -> np.ndarray:
    """Expected cost of an offer to each customer, shape (n,): lower is better.

    The contact, and what it costs ``each`` time it is ``taken``: by those who would have declined
    and are saved, and by some of those who would have stayed.
    """
    takes = risk * save_rate + (1 - risk) * offer.taken_by_stayers
    return np.asarray(offer.contact_cost + takes * each)


def net(
    risk: np.ndarray, save_rate: np.ndarray, at_stake: np.ndarray, costs: np.ndarray
) -> np.ndarray:
    """Expected net value of an offer to each customer, shape (n,): higher is better, 0 is nothing.

    >>> risk, save_rate, at_stake = np.array([1.0]), np.array([0.3]), np.array([200.0])
    >>> net(risk, save_rate, at_stake, np.array([4.0]))
    array([56.])
    """
    return np.asarray(risk * save_rate * at_stake - costs)


def priced(catalogue: Catalogue, times: float) -> Catalogue:
    """The catalogue with every cost so many times what it says; a discount is the whole at most."""
    if times == 1:
        return catalogue
    offers = {name: _priced(offer, times) for name, offer in catalogue.offers.items()}
    return catalogue.model_copy(update={"offers": offers})


def _priced(offer: Offer, times: float) -> Offer:
    costs = {key: times * getattr(offer, key) for key in ("contact_cost", "redemption_cost")}
    return offer.model_copy(update={**costs, "discount": min(times * offer.discount, 1.0)})
