"""Reasons for planning no campaign, each with a code for the page and what to type instead."""

from __future__ import annotations

import re
from collections.abc import Iterator

from retain.campaign.audience import Audience
from retain.errors import NotApplicable
from retain.record.campaign_document import NoCampaignInfo
from retain.record.estimates import DisplayName
from retain.schema.campaign import Catalogue
from retain.schema.scoring import CampaignSettings

PROFIT_OVERRIDES = (
    "data.profit=COLUMN data.profit_unit=UNIT",
    "data.columns.amount=COLUMN data.profit_unit=UNIT",
)
"""The remedy where customers have no profit: of a table, and of a purchase log."""
ACCEPT = "offers.costs=accept"
"""The override with which a store plans with offers that cost nothing."""


class NoCampaign(NotApplicable):
    """The reason for no campaign.

    Attributes
    ----------
    code
        free_offers.
    overrides
        What to type instead: one of these lines; empty if nothing helps.
    """

    def __init__(self, code: str, reason: str, overrides: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.code, self.overrides = code, overrides

    def to_info(self) -> NoCampaignInfo:
        """Return the reason as ``campaign`` of ``verdict.json``."""
        return NoCampaignInfo(reason=str(self), code=self.code, overrides=self.overrides)


def find_no_campaign(audience: Audience, settings: CampaignSettings) -> NoCampaign | None:
    """Return the reason why no campaign is planned, None if one can be."""
    free = free_offers(settings.offers) if audience.with_profit else []
    if free and settings.offers.costs != "accept":
        return _without_costs(free, DisplayName.of(audience.profit_unit or "").en)
    return None


def free_offers(catalogue: Catalogue) -> list[str]:
    """Return the offers without any cost: of a contact, of a redemption, or a discount."""
    return [
        name
        for name, offer in catalogue.offers.items()
        if not (offer.contact_cost or offer.redemption_cost or offer.discount)
    ]


def _without_costs(free: list[str], unit: str) -> NoCampaign:
    names, them = " and ".join(filter(None, [", ".join(free[:-1]), free[-1]])), len(free) > 1
    return NoCampaign(
        "free_offers",
        f"{names} {'have' if them else 'has'} no cost in the catalogue. Planned so, offers look "
        f"free and the plan too good. Type what a contact costs, in {unit}, in place of COST, or "
        "state that such offers are free",
        (*filter(None, [" ".join(_cost_overrides(free))]), ACCEPT),
    )


def _cost_overrides(free: list[str]) -> Iterator[str]:
    """Yield the overrides of the costs; a name that Hydra's grammar lacks is left to the file."""
    for name in free:
        if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name):
            yield f"offers.offers.{name}.contact_cost=COST"
