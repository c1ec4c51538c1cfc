"""What a worker does for the campaign: segments, offers and control group, as trees and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from retain.campaign.audience import Audience, CampaignSettings
from retain.campaign.campaign import Campaign, make_campaign
from retain.campaign.offers.catalogue import fit_catalogue
from retain.campaign.planning.plan import CampaignPlan
from retain.campaign.tables import (
    Language,
    arms_table,
    customers_table,
    offers_table,
    segments_table,
)
from retain.campaign.value.recalibration import Recalibration, recalibration
from retain.campaign.value.value import build_audience
from retain.execution.dataset import Dataset
from retain.execution.shared_memory import SharedValue
from retain.learning.scores import Scores, select_latest_snapshot
from retain.record import ScoreDirectory, StudyDirectory
from retain.report.text.drivers import Levels, driver_sentences
from retain.schema import Compare
from retain.verdict.export import write_csv


@dataclass(frozen=True)
class DriverTexts:
    """What it takes to put drivers into words: as ``reasons`` has the features, and levels."""

    drivers: pd.DataFrame
    features: Mapping[str, Mapping[str, Any]]
    levels: Levels


@dataclass(frozen=True)
class CampaignFiles:
    """Segments and campaign, as ``verdict.json`` has them and as tables.

    ``offers`` and ``assignment`` are None where no campaign was planned.
    """

    tree: dict[str, Any]
    customers: pd.DataFrame
    segments: pd.DataFrame
    offers: pd.DataFrame | None
    assignment: pd.DataFrame | None

    def write(self, files: StudyDirectory | ScoreDirectory) -> None:
        """Write the tables of customers and segments."""
        write_csv(self.segments, files.segments)
        write_csv(self.customers, files.customers)


def plan_campaign(
    config: Compare,
    settings: CampaignSettings,
    data: tuple[SharedValue, SharedValue],
    sealed: Scores,
    words: DriverTexts | None,
) -> CampaignFiles:
    """Segments of all customers scored, out of fold and sealed, and a campaign for them.

    Parameters
    ----------
    config, settings
        What the comparison asks for.
    data
        The customers (``Dataset``) and their out-of-fold ``Scores``.
    sealed
        Scores of the sealed customers.
    words
        What puts drivers into words; None where there are none.

    Raises
    ------
    RetainError
        When limits cannot be kept.
    """
    prepared: Dataset = data[0].load()
    outside: Scores = data[1].load()
    found = recalibration(outside)
    customers, parts, drivers = select_latest_snapshot(
        prepared.customers, (outside, sealed), None if words is None else words.drivers
    )
    if words is not None and drivers is not None:
        words = replace(words, drivers=drivers)
    with threadpool_limits(config.threads):
        people = build_audience(
            parts,
            customers,
            found,
            settings.assumptions,
            consent=settings.planning.consent,
            drivers=drivers,
        )
        declined = customers.y.loc[people.table.index].to_numpy()
        made = make_campaign(people, found, settings, declined)
    return to_campaign_files(made, settings, found, config.report.language, words)


def to_campaign_files(
    made: Campaign,
    settings: CampaignSettings,
    calibration: Recalibration,
    language: Language,
    words: DriverTexts | None,
) -> CampaignFiles:
    """A campaign as trees and tables.

    ``fitted_thresholds`` in the tree are those of these customers, by which later ones are placed.
    """
    origins = made.audience.table["origin"].value_counts()
    catalogue = settings.catalogue
    if made.plan is not None and made.audience.with_profit:  # else nobody held it against anybody
        catalogue = fit_catalogue(catalogue, made.audience)
    tree = {
        "segments": made.segments,
        "campaign": made.tree,
        "settings": settings.as_json(),
        "fitted_thresholds": {
            "segmentation": made.known.model_dump(mode="json", by_alias=True),
            "offers": catalogue.model_dump(mode="json", by_alias=True),
        },
        "recalibration": calibration.as_json(),
        "n_scored": {str(origin): int(count) for origin, count in origins.items()},
    }
    offers, assignment = None, None
    if isinstance(made.plan, CampaignPlan):
        reasons = _reasons(made.audience, made.plan, words, language)
        offers = offers_table(made, made.plan, language, reasons)
        assignment = arms_table(made, made.plan)
    return CampaignFiles(
        tree=tree,
        customers=customers_table(made),
        segments=segments_table(made.segments),
        offers=offers,
        assignment=assignment,
    )


def _reasons(
    people: Audience, plan: CampaignPlan, words: DriverTexts | None, language: Language
) -> pd.Series | None:
    """The drivers of those who are offered something, in words, by customer."""
    if words is None:
        return None
    reached = people.table.index[plan.treated_offer_index >= 0]
    drivers = words.drivers[words.drivers["customer_id"].isin(reached)].reset_index(drop=True)
    said = driver_sentences(drivers, words.features, language, words.levels)
    return said.groupby(drivers["customer_id"], sort=False).agg("; ".join)
