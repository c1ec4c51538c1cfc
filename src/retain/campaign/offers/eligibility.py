"""Eligibility of customers for offers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.offers.catalogue import DRIVER, placeholders
from retain.campaign.offers.placeholder_values import is_available
from retain.campaign.segmentation import rules
from retain.schema.campaign import Offer


def expand_groups(names: Sequence[str], audience: Audience) -> set[str]:
    """Return the features of these names of features or groups; a feature takes precedence.

    >>> from retain.customers.customers import Column
    >>> columns = {name: Column(name, "site", "number") for name in ("pages", "minutes")}
    >>> site = Audience(pd.DataFrame(), pd.DataFrame(), columns)
    >>> sorted(expand_groups(["site"], site)), sorted(expand_groups(["pages"], site))
    (['minutes', 'pages'], ['pages'])
    """
    named = set(names)
    groups = named - set(audience.columns)
    of_groups = {name for name, column in audience.columns.items() if column.group in groups}
    return (named & set(audience.columns)) | of_groups


@dataclass(frozen=True)
class RiskDrivers:
    """The drivers that raise a risk, strongest first.

    Attributes
    ----------
    customers
        Index of the customer in the audience, shape (r,).
    codes
        Index of the driver in ``features``, shape (r,).
    features
        Names of features.
    has_drivers
        True for customers with drivers in the data, shape (n,).
    """

    customers: np.ndarray
    codes: np.ndarray
    features: tuple[str, ...]
    has_drivers: np.ndarray

    @classmethod
    def from_audience(cls, audience: Audience) -> RiskDrivers:
        """Return the drivers of an audience; empty if it has none.

        >>> table = pd.DataFrame({"risk": [0.9, 0.8, 0.7]}, index=[7, 8, 9])
        >>> drivers = pd.DataFrame(
        ...     {"customer_id": [7, 7, 8], "feature": ["pages", "errors", "pages"],
        ...      "log_odds": [0.3, 0.5, -0.2]})
        >>> raising = RiskDrivers.from_audience(Audience(table, table, {}, drivers=drivers))
        >>> raising.any_of({"pages"}).tolist(), raising.has_drivers.tolist()
        ([True, False, False], [True, True, False])
        >>> [raising.features[code] for code in raising.strongest({"pages", "errors"})[:1]]
        ['errors']
        """
        has_drivers = np.zeros(len(audience), dtype=bool)
        if audience.drivers is None:
            none = np.zeros(0, dtype=np.intp)
            return cls(none, none, (), has_drivers)
        drivers = audience.drivers
        customers = audience.table.index.get_indexer(pd.Index(drivers["customer_id"]))
        has_drivers[customers[customers >= 0]] = True
        log_odds = drivers["log_odds"].to_numpy(dtype=float)
        codes, features = pd.factorize(drivers["feature"])
        order = np.argsort(-log_odds, kind="stable")
        order = order[(customers[order] >= 0) & (log_odds[order] > 0)]
        return cls(customers[order], codes[order], tuple(map(str, features)), has_drivers)

    def any_of(self, features: Collection[str]) -> np.ndarray:
        """Return whether one of ``features`` raises a customer's risk, shape (n,)."""
        return self.strongest(features) >= 0

    def strongest(self, features: Collection[str]) -> np.ndarray:
        """Return the code of the strongest of ``features`` by customer, or -1; shape (n,)."""
        wanted = np.array([name in features for name in self.features], dtype=bool)
        rows = np.flatnonzero(wanted[self.codes])[::-1]  # the strongest is written last
        strongest_code = np.full(len(self.has_drivers), -1, dtype=np.intp)
        strongest_code[self.customers[rows]] = self.codes[rows]
        return strongest_code


def find_eligible(offer: Offer, audience: Audience, drivers: RiskDrivers) -> np.ndarray:
    """Return whether each customer may get the offer, shape (n,).

    Consent is given or not needed, ``include_if`` is true and ``exclude_if`` is not, one of the
    offer's ``drivers`` raises the customer's risk, and all placeholders have values. Without
    drivers (``explain=none``, new customers) ``include_if`` replaces the condition on drivers, and
    an offer without ``include_if`` is not available.
    """
    eligible = _match_drivers(offer, audience, drivers)
    if offer.needs_consent:
        eligible &= audience.table["contactable"].isin([True]).to_numpy()  # missing: not given
    if offer.include_if is not None:
        eligible &= rules.evaluate_rule(offer.include_if, audience)
    if offer.exclude_if is not None:
        eligible &= ~rules.evaluate_rule(offer.exclude_if, audience)
    for name in {one for _, text in offer.text for one in placeholders(text)}:
        available = (
            drivers.any_of(relevant_features(offer, audience))
            if name == DRIVER
            else is_available(name, audience)
        )
        eligible &= available
    return eligible


def _match_drivers(offer: Offer, audience: Audience, drivers: RiskDrivers) -> np.ndarray:
    """Return a mask (n,) of customers with a driver of the offer, or none but ``include_if``."""
    if not offer.drivers:
        return np.ones(len(audience), dtype=bool)
    matches = drivers.any_of(relevant_features(offer, audience))
    return matches if offer.include_if is None else matches | ~drivers.has_drivers


def relevant_features(offer: Offer, audience: Audience) -> set[str]:
    """Return the features that the offer addresses; all without ``drivers``."""
    return expand_groups(offer.drivers, audience) if offer.drivers else set(audience.columns)
