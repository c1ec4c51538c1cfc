"""Eligibility of customers for offers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience, normalise_name
from retain.campaign.offers.catalogue import DRIVER, OWN, own_placeholders, placeholders
from retain.campaign.offers.left_alone import find_left_alone
from retain.campaign.offers.placeholder_values import is_available
from retain.campaign.segmentation import rules
from retain.errors import RetainError
from retain.schema.campaign import CampaignConfig, Catalogue, Contact, Offer


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


def find_eligible(
    offer: Offer,
    audience: Audience,
    drivers: RiskDrivers,
    policies: CampaignConfig | None = None,
    care_contacts: np.ndarray | int = 0,
) -> np.ndarray:
    """Return whether each customer may get the offer, shape (n,).

    The customer is not left alone by all campaigns, consent is given or not needed, the policies
    allow every channel, the segment is one of ``segments``, ``include_if`` is true and
    ``exclude_if`` is not, one of the offer's ``drivers`` raises the customer's risk, and all
    placeholders have values. Without drivers (``explain=none``, new customers) ``include_if``
    replaces the condition on drivers, and an offer without ``include_if`` is not available.
    ``care_contacts`` are those of the rules of care, which count as contacts of this month.
    """
    eligible = _match_drivers(offer, audience, drivers) & ~find_left_alone(audience, policies)
    eligible &= _may_contact(offer, offer.channels, audience, policies, care_contacts)
    if offer.segments:
        eligible &= _in_segments(offer.segments, audience)
    if offer.include_if is not None:
        eligible &= rules.evaluate_rule(offer.include_if, audience)
    if offer.exclude_if is not None:
        eligible &= ~rules.evaluate_rule(offer.exclude_if, audience)
    return np.asarray(eligible & _has_values(offer, audience, drivers))


def find_care(
    catalogue: Catalogue, audience: Audience, policies: CampaignConfig | None = None
) -> dict[str, np.ndarray]:
    """Return whom each rule of care is for, shape (n,) by name."""
    nobody = RiskDrivers.from_audience(Audience(audience.table, audience.features, {}))
    return {
        name: rules.evaluate_rule(care.when, audience)
        & ~find_left_alone(audience, policies)
        & _may_contact(care, (care.channel,), audience, policies, 0)
        & _has_values(care, audience, nobody)
        for name, care in catalogue.care.items()
    }


def _may_contact(
    contact: Contact,
    channels: Sequence[str],
    audience: Audience,
    policies: CampaignConfig | None,
    care_contacts: np.ndarray | int,
) -> np.ndarray:
    """Return whether consent and policies allow the channels, shape (n,)."""
    allowed = np.ones(len(audience), dtype=bool)
    if contact.needs_consent:
        allowed &= audience.table["contactable"].isin([True]).to_numpy()  # missing: not given
    if policies is None:
        return allowed
    for channel in channels:
        if channel in policies.channels:
            allowed &= rules.evaluate_rule(policies.channels[channel], audience)
    pushed = sum(channel not in OWN for channel in channels)
    if not pushed:
        return allowed  # customers come by themselves
    return np.asarray(allowed & may_be_written_to(audience, policies, care_contacts, pushed))


def may_be_written_to(
    audience: Audience,
    policies: CampaignConfig,
    care_contacts: np.ndarray | int = 0,
    contacts: int = 1,
) -> np.ndarray:
    """Return whether the policies allow so many contacts on channels that need consent, (n,)."""
    allowed = np.ones(len(audience), dtype=bool)
    if policies.max_contacts_current is not None and policies.contacts_current is not None:
        current = audience.features[policies.contacts_current].to_numpy(dtype=float)
        allowed &= current + care_contacts + contacts <= policies.max_contacts_current
    if policies.rest_days is not None and policies.days_since_contact is not None:
        days = audience.features[policies.days_since_contact].to_numpy(dtype=float)
        allowed &= ~(days < policies.rest_days)  # missing: never contacted
    return np.asarray(allowed & (audience.resting == ""))


def _in_segments(wanted: Sequence[str], audience: Audience) -> np.ndarray:
    """Return whether each customer is in one of the segments, shape (n,)."""
    if audience.segments is None:
        raise ValueError("offers for segments are evaluated after customers are assigned to them")
    words = {normalise_name(text) for text in wanted}
    names, codes = np.unique(audience.segments.astype(str), return_inverse=True)
    is_wanted = np.array([normalise_name(name) in words for name in names], dtype=bool)
    return np.asarray(is_wanted[codes])


def _has_values(contact: Contact, audience: Audience, drivers: RiskDrivers) -> np.ndarray:
    """Return whether all placeholders of the texts have values, shape (n,)."""
    texts = (contact.text, *(step.text for step in getattr(contact, "steps", ())))
    available = np.ones(len(audience), dtype=bool)
    for name in {one for text in texts for _, each in text for one in placeholders(each)}:
        if name == DRIVER and isinstance(contact, Offer):
            available &= drivers.any_of(relevant_features(contact, audience))
        elif name not in own_placeholders(contact):
            available &= is_available(name, audience)
    return available


def _match_drivers(offer: Offer, audience: Audience, drivers: RiskDrivers) -> np.ndarray:
    """Return a mask (n,) of customers with a driver of the offer, or none but ``include_if``."""
    if not offer.drivers:
        return np.ones(len(audience), dtype=bool)
    matches = drivers.any_of(offer.drivers)
    return matches if offer.include_if is None else matches | ~drivers.has_drivers


def relevant_features(offer: Offer, audience: Audience) -> set[str]:
    """Return the features that the offer addresses; all without ``drivers``."""
    return set(offer.drivers or audience.columns)


def check_policies(policies: CampaignConfig, audience: Audience) -> None:
    """Raise for a policy whose feature is missing, and for an invalid rule of a channel.

    Raises
    ------
    RetainError
        With the key, and what to type.
    """
    for limit, key in (
        ("max_contacts_current", "contacts_current"),
        ("rest_days", "days_since_contact"),
    ):
        value, name = getattr(policies, limit), getattr(policies, key)
        if value is None or (limit == "rest_days" and name is None):
            continue  # the contacts of earlier campaigns are known without a feature
        numbers = [one for one, column in audience.columns.items() if column.kind == "number"]
        if name is None:
            raise RetainError(
                f"campaign.{limit} is {value}, but no feature is named that says so of customers; "
                f"type campaign.{key}=FEATURE."
            )
        if name not in numbers:
            raise RetainError.unknown(f"campaign.{key}: number", name, numbers)
    for channel, rule in policies.channels.items():
        rules.check_rule(rule, audience, f"campaign.channels.{channel}")
