"""The plan by segment and by known class, as a manager approves it; both add up to its totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.offers.eligibility import (
    RiskDrivers,
    find_care,
    may_be_written_to,
    relevant_features,
)
from retain.campaign.offers.left_alone import in_permanent_control
from retain.campaign.planning.plan import CampaignPlan
from retain.campaign.value.monte_carlo import MonteCarlo
from retain.record.approval_document import (
    ApprovalRow,
    CareInfo,
    Choice,
    KnownClass,
    OpenCampaign,
    Policies,
    Why,
)
from retain.record.estimates import DisplayName
from retain.record.segments_document import SegmentInfo
from retain.schema.campaign import CampaignConfig, Catalogue, Offer
from retain.schema.names import Translated

WIN_BACK: Final = "win-back"
RETENTION: Final = "retention"
"""Known class of a customer who has declined already, and of one who has not."""


def known_classes(declined: np.ndarray) -> np.ndarray:
    """Return the known class of customers by their label, shape (n,).

    >>> known_classes(np.array([1.0, 0.0])).tolist()
    ['win-back', 'retention']
    """
    return np.where(declined == 1, WIN_BACK, RETENTION).astype(object)


@dataclass(frozen=True)
class Approval:
    """A plan, from which the rows for approval are computed.

    Attributes
    ----------
    segments
        Profiles of the segments, in order.
    declined
        1 for customers who have declined already, shape (n,); None if nobody knows.
    """

    plan: CampaignPlan
    audience: Audience
    monte_carlo: MonteCarlo
    segments: Sequence[SegmentInfo]
    declined: np.ndarray | None

    def to_info(self) -> dict[str, Any]:
        """Return ``approval`` and ``known_classes`` of ``campaign.json``.

        Returns
        -------
        dict
            ``approval``: an ``ApprovalRow`` per segment; ``known_classes``: win-back and
            retention, None if nobody knows.
        """
        return {
            "approval": tuple(self._segment(one) for one in self.segments),
            "known_classes": None if self.declined is None else self._known_classes(self.declined),
        }

    def _segment(self, profile: SegmentInfo) -> ApprovalRow:
        inside = np.asarray(self.audience.segments) == profile.segment
        chosen = self.plan.offer_index[inside]
        counts = np.bincount(chosen[chosen >= 0], minlength=len(self.plan.offers.names))
        order = [int(j) for j in np.argsort(-counts, kind="stable") if counts[j]]
        n_left_alone = int((chosen < 0).sum())
        known = profile.n_declined
        leave = not order or n_left_alone > len(chosen) - n_left_alone
        return ApprovalRow(
            segment=profile.segment,
            label=profile.label,
            n_customers=profile.n_customers,
            share=profile.share,
            expected_share=profile.expected_risk,
            observed_share=None if known is None else known / profile.n_customers,
            n_contactable=int(self.audience.table["contactable"].to_numpy()[inside].sum()),
            n_left_alone=n_left_alone,
            main_offer=None if leave else self.plan.offers.names[order[0]],
            choices=tuple(self._choice(inside, j) for j in order),
            **self._totals(inside),
        )

    def _choice(self, inside: np.ndarray, j: int) -> Choice:
        name = self.plan.offers.names[j]
        offer = self.plan.offers.catalogue.offers[name]
        rows = inside & (self.plan.offer_index == j)
        return Choice(
            offer=name,
            label=to_display_name(offer.label),
            channel=offer.channel,
            why=self._why(offer, rows & ~self.plan.exploration.explores),
            **self._totals(rows),
        )

    def _totals(self, mask: np.ndarray) -> dict[str, Any]:
        """Return the totals of the treated among the customers of a mask (n,)."""
        plan = self.plan
        treated = np.where(mask, plan.treated_offer_index, -1)
        rows = np.flatnonzero(treated >= 0)
        cost = float(plan.select_chosen(plan.offers.cost)[rows].sum())
        net = self.monte_carlo.plan(treated, plan.offers)
        saved = float(plan.select_chosen(plan.offers.saved)[rows].sum())
        return {
            "n_chosen": int((mask & (plan.offer_index >= 0)).sum()),
            "n_treated": len(rows),
            "n_control": int((mask & plan.control.is_control).sum()),
            "expected_cost": cost,
            "expected_saved": saved,
            "expected_net": net,
            "one_in": self._one_in(rows, cost),
        }

    def _one_in(self, rows: np.ndarray, cost: float) -> float | None:
        """Return of how many treated one must be kept to pay; None without cost or profit.

        A customer who is kept brings the mean value at stake, weighted by risk.
        """
        table = self.audience.table.iloc[rows]
        risk = float(table["risk"].sum())
        if cost <= 0 or risk <= 0 or self.audience.counts_customers:
            return None
        return len(rows) * float(table["profit_at_risk"].sum()) / risk / cost

    @cached_property
    def _drivers(self) -> RiskDrivers:
        return RiskDrivers.from_audience(self.audience)

    def _why(self, offer: Offer, rows: np.ndarray) -> Why | None:
        codes = self._drivers.strongest(relevant_features(offer, self.audience))[rows]
        known = codes[codes >= 0]
        if not len(known):
            return None
        counts = np.bincount(known)
        name = self._drivers.features[int(counts.argmax())]
        return Why(
            feature=name,
            label=self.audience.columns[name].label,
            n_customers=int(counts.max()),
            is_of_offer=name in offer.drivers,
        )

    def _known_classes(self, declined: np.ndarray) -> tuple[KnownClass, ...]:
        classes = known_classes(declined)
        names: tuple[Literal["win-back", "retention"], ...] = (WIN_BACK, RETENTION)
        return tuple(
            KnownClass(
                known_class=name,
                n_customers=int((classes == name).sum()),
                **self._totals(classes == name),
            )
            for name in names
        )


def summarise_care(
    catalogue: Catalogue, audience: Audience, planning: CampaignConfig
) -> tuple[CareInfo, ...]:
    """Return customers and cost of each rule of care; no effect of it is counted."""
    return tuple(
        CareInfo(
            name=name,
            label=to_display_name(catalogue.care[name].label),
            channel=catalogue.care[name].channel,
            n_customers=int(mask.sum()),
            cost=float(mask.sum() * catalogue.care[name].contact_cost),
        )
        for name, mask in find_care(catalogue, audience, planning).items()
    )


def summarise_policies(audience: Audience, planning: CampaignConfig) -> Policies:
    """Return the policies of contacts, and how many who agreed they spare."""
    contactable = audience.table["contactable"].to_numpy(dtype=bool)
    spared = contactable & ~may_be_written_to(audience, planning)
    resting = np.where(contactable & (audience.open_campaign == ""), audience.resting, "")
    permanent = in_permanent_control(audience.table.index, planning.permanent_control)
    return Policies(
        max_contacts_current=planning.max_contacts_current,
        contacts_current=planning.contacts_current,
        rest_days=planning.rest_days,
        days_since_contact=planning.days_since_contact,
        channels=tuple(sorted(planning.channels)),
        n_spared=int((spared & (audience.resting == "")).sum()),
        n_permanent_control=int(permanent.sum()),
        open_campaigns=_count_by_campaign(audience.open_campaign),
        rested_after=_count_by_campaign(resting),
        unreadable_campaigns=audience.open_campaigns.unreadable,
    )


def _count_by_campaign(ids: np.ndarray) -> tuple[OpenCampaign, ...]:
    """Return the number of customers of each campaign; an empty id is none."""
    campaigns, counts = np.unique(ids.astype(str), return_counts=True)
    return tuple(
        OpenCampaign(id=str(id_), n_customers=int(count))
        for id_, count in zip(campaigns, counts, strict=True)
        if id_
    )


def to_display_name(text: Translated) -> DisplayName:
    """Return a text of the settings as one of a document."""
    return DisplayName(text.en, text.ru)
