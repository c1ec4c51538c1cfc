"""What a worker does for the campaign: segments, offers and control group, as trees and tables."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from threadpoolctl import threadpool_limits

from retain.app.offered import Offered, Words
from retain.app.prepared import Prepared
from retain.app.shared_memory import SharedValue
from retain.campaign.audience import Audience
from retain.campaign.campaign import Campaign, campaign
from retain.campaign.offering.catalogue import settled
from retain.campaign.planning.planned import Planned
from retain.campaign.settings import Settings
from retain.campaign.tables import (
    Language,
    arms_table,
    customers_table,
    offers_table,
    segments_table,
)
from retain.campaign.worth.recalibration import Recalibration, recalibration
from retain.campaign.worth.value import audience
from retain.learning.latest import latest
from retain.learning.scores import Scores
from retain.report.driver_words import phrases
from retain.schema import Compare


def plan(
    config: Compare,
    settings: Settings,
    data: tuple[SharedValue, SharedValue],
    sealed: Scores,
    words: Words | None,
) -> Offered:
    """Segments of all customers scored, out of fold and sealed, and a campaign for them.

    Parameters
    ----------
    config, settings
        What the comparison asks for.
    data
        The customers (``Prepared``) and their out-of-fold ``Scores``.
    sealed
        Scores of the sealed customers.
    words
        What puts drivers into words; None where there are none.

    Raises
    ------
    RetainError
        When limits cannot be kept.
    """
    prepared: Prepared = data[0].load()
    outside: Scores = data[1].load()
    found = recalibration(outside)
    customers, parts, drivers = latest(
        prepared.customers, (outside, sealed), None if words is None else words.drivers
    )
    if words is not None and drivers is not None:
        words = replace(words, drivers=drivers)
    with threadpool_limits(config.threads):
        people = audience(
            parts,
            customers,
            found,
            settings.value,
            consent=settings.planning.consent,
            drivers=drivers,
        )
        declined = customers.labelled.loc[people.table.index].to_numpy()
        made = campaign(people, found, settings, declined)
    return offered(made, settings, found, config.report.language, words)


def offered(
    made: Campaign,
    settings: Settings,
    calibration: Recalibration,
    language: Language,
    words: Words | None,
) -> Offered:
    """A campaign as trees and tables.

    ``cuts`` in the tree is what was learnt from these customers to place later ones by.
    """
    origins = made.audience.table["origin"].value_counts()
    catalogue = settings.catalogue
    if made.plan is not None and made.audience.with_profit:  # else nobody held it against anybody
        catalogue = settled(catalogue, made.audience)
    tree = {
        "segments": made.segments,
        "campaign": made.tree,
        "settings": settings.as_json(),
        "cuts": {
            "segmentation": made.known.model_dump(mode="json", by_alias=True),
            "offers": catalogue.model_dump(mode="json", by_alias=True),
        },
        "calibration": calibration.as_json(),
        "scored": {str(origin): int(count) for origin, count in origins.items()},
    }
    offers, assignment = None, None
    if isinstance(made.plan, Planned):
        reasons = _reasons(made.audience, made.plan, words, language)
        offers = offers_table(made, made.plan, language, reasons)
        assignment = arms_table(made, made.plan)
    return Offered(
        tree=tree,
        customers=customers_table(made),
        segments=segments_table(made.segments),
        offers=offers,
        assignment=assignment,
    )


def _reasons(
    people: Audience, plan: Planned, words: Words | None, language: Language
) -> pd.Series | None:
    """The drivers of those who are offered something, in words, by customer."""
    if words is None:
        return None
    reached = people.table.index[plan.treated >= 0]
    drivers = words.drivers[words.drivers["customer_id"].isin(reached)].reset_index(drop=True)
    said = phrases(drivers, words.features, language, words.levels)
    return said.groupby(drivers["customer_id"], sort=False).agg("; ".join)
