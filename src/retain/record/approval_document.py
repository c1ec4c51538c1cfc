"""The plan as a manager approves it: by segment and known class, with policies and care."""

from __future__ import annotations

from typing import Literal

from retain.record.estimates import DisplayName, Estimate
from retain.schema.parsing import Config


class TreatedTotals(Config):
    """TreatedTotals of the treated; the offers pay if ``one_in`` so many treated is kept."""

    n_chosen: int
    n_treated: int
    n_control: int
    expected_cost: float
    expected_saved: float
    expected_net: Estimate
    one_in: float | None


class Why(Config):
    """The feature that most often raises the risk most, among how many who are chosen.

    ``is_of_offer`` is whether the offer addresses it.
    """

    feature: str
    label: DisplayName
    n_customers: int
    is_of_offer: bool


class Choice(TreatedTotals):
    """An offer in a segment, with its totals."""

    offer: str
    label: DisplayName
    channel: str
    why: Why | None


class ApprovalRow(TreatedTotals):
    """The plan in a segment: ``choices``, most customers first; ``main_offer`` None: leave alone.

    ``expected_share`` and ``observed_share`` are of decliners.
    """

    segment: str
    label: DisplayName | None
    n_customers: int
    share: float
    expected_share: float
    observed_share: float | None
    n_contactable: int
    n_left_alone: int
    main_offer: str | None
    choices: tuple[Choice, ...]


class KnownClass(TreatedTotals):
    """The plan for customers labelled as declined already (win-back), or not (retention)."""

    known_class: Literal["win-back", "retention"]
    n_customers: int


class SegmentOffersInfo(Config):
    """The cost of few offers a segment against the net value ``free_net`` of a free plan."""

    limit: int
    free_net: float
    cost: float


class KeptCustomers(Config):
    """Customers expected to be kept, where each counts as one."""

    value: float
    per_contact: float | None
    per_cost: float | None


class CareInfo(Config):
    """A rule of care with its customers and cost."""

    name: str
    label: DisplayName
    channel: str
    n_customers: int
    cost: float


def type_unsent(campaign_id: str) -> str:
    """Return what to type if a campaign was never sent; in quotes, as an id may be a number.

    >>> print(type_unsent("12345678"))
    "campaign.unsent=['12345678']"
    """
    return f"\"campaign.unsent=['{campaign_id}']\""


MAX_NAMED = 3
"""Campaigns that a caution names."""


class OpenCampaign(Config):
    """Another campaign, and how many of these customers are in it or at rest after it."""

    id: str
    n_customers: int


class Policies(Config):
    """The policies of contact; ``n_spared`` agreed, and are not written to.

    ``n_permanent_control`` are in the permanent control group, and ``open_campaigns`` have
    customers who therefore get nothing from this one. ``rested_after`` are campaigns whose contacts
    are less than ``rest_days`` away, with their customers who agreed and are not written to; they
    are in no other of these numbers. Customers of ``unreadable_campaigns``, paths in the folder of
    outputs, are not known.
    """

    max_contacts_current: int | None
    contacts_current: str | None
    rest_days: int | None
    days_since_contact: str | None
    channels: tuple[str, ...]
    n_spared: int
    n_permanent_control: int = 0
    open_campaigns: tuple[OpenCampaign, ...] = ()
    rested_after: tuple[OpenCampaign, ...] = ()
    unreadable_campaigns: tuple[str, ...] = ()

    @property
    def unreadable_examples(self) -> list[str]:
        """The first few campaigns that cannot be read, and a sign if there are more."""
        names = self.unreadable_campaigns
        return [*names[:MAX_NAMED], *(["…"] if len(names) > MAX_NAMED else [])]
