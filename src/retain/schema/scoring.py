"""The nodes of ``score.yaml``; the settings that documents hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from retain.schema.campaign import Assumption, Assumptions, CampaignConfig, Catalogue, Segmentation
from retain.schema.compare import Export, Report
from retain.schema.effects import PlanEffects
from retain.schema.names import Seed, Source, Threads
from retain.schema.parsing import Config, Node


class Score(Config):
    """The whole tree of ``retain-score``.

    ``data``, ``assumptions``, ``offers`` and ``campaign`` hold the keys typed; all others are those
    of the comparison, but not ``effects``. ``rows`` is the number of rows predicted at a time.
    """

    verdict: str
    data: Source | None = None
    assumptions: Node | None = None
    offers: Node | None = None
    campaign: Node | None = None
    effects: PlanEffects
    report: Report
    export: Export
    rows: Annotated[int, Field(ge=1, le=100_000_000)]
    seed: Seed
    threads: Threads
    output_dir: str | None = None


class CampaignSettings(Config):
    """The segmentation, assumptions, offers and limits of a campaign."""

    segmentation: Segmentation
    assumptions: Assumptions
    offers: Catalogue
    campaign: CampaignConfig

    def counting_customers(self, n_expected: int) -> CampaignSettings:
        """Return the settings where each customer counts as one.

        Discounts are shares of a profit that nobody knows, and left out. Without a budget or a
        limit of contacts, at most as many are contacted as are expected to decline.
        """
        one = Assumption(value=1.0, low=1.0, high=1.0)
        offers = {
            name: offer.model_copy(update={"discount": 0.0})
            for name, offer in self.offers.offers.items()
        }
        campaign = self.campaign
        if campaign.budget is None and campaign.max_contacts is None:
            campaign = campaign.model_copy(update={"max_contacts": n_expected})
        ones = {"horizon": one, "loss_fraction": one, "margin": one}
        return self.model_copy(
            update={
                "assumptions": self.assumptions.model_copy(update=ones),
                "offers": self.offers.model_copy(update={"offers": offers}),
                "campaign": campaign,
            }
        )


class FittedThresholds(Config):
    """Segmentation and catalogue with the thresholds fitted on the comparison's customers."""

    segmentation: Segmentation
    offers: Catalogue
