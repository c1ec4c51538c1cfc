"""Campaigns that are open: their customers belong to no other one until their horizon ends.

A campaign is open from ``campaign.start`` until the horizon of its assumptions has passed. A plan
without a start is a draft: nothing says that or when it was sent. A campaign of the same study with
the same start is an earlier version of the plan that is made, and does not count.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from retain.campaign.assignment import read_assignment
from retain.errors import RetainError
from retain.record.approval_document import type_unsent
from retain.record.directory import CampaignDirectory
from retain.record.study import StudyDirectory
from retain.schema.scoring import CampaignSettings
from retain.storage.reading import read_json

DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Period:
    """The days of a campaign, the last one left out."""

    first: date
    end: date

    @classmethod
    def of(cls, start: date, months: float) -> Period:
        """Return the period of a campaign from its start to the end of its horizon.

        >>> Period.of(date(2027, 2, 1), 3.0).end
        datetime.date(2027, 5, 4)
        """
        return cls(start, start + timedelta(days=math.ceil(months * DAYS_PER_MONTH)))

    def overlaps(self, other: Period) -> bool:
        """Return whether two periods share a day."""
        return self.first < other.end and other.first < self.end


def find_open_campaigns(study: StudyDirectory, settings: CampaignSettings) -> dict[str, str]:
    """Return the id of the open campaign of each customer in one, by customer id.

    Campaigns are those of all studies in the same folder. Without a start, the plan begins today.

    Raises
    ------
    RetainError
        A campaign is open and its customers cannot be read.
    """
    planning = settings.campaign
    if planning.overlap == "allow" or not planning.on:
        return {}
    today = datetime.now().astimezone().date()
    start = today if planning.start is None else date.fromisoformat(planning.start)
    own = Period.of(start, settings.assumptions.horizon.value)
    customers: dict[str, str] = {}
    for campaign in _iter_campaigns(study):
        name = campaign.path.name
        found = _read_period(campaign)
        is_same = campaign.path.parent == study.campaigns and found and found.first == own.first
        if found is None or is_same or name in planning.unsent or not own.overlaps(found):
            continue
        for customer in _read_customers(campaign):
            customers.setdefault(customer, name)
    return customers


def _iter_campaigns(study: StudyDirectory) -> Iterator[CampaignDirectory]:
    """Yield the campaigns of all studies in the folder of a study, those of one after another."""
    for path in sorted(study.path.parent.glob("*")):
        other = StudyDirectory(path)
        yield from (other.campaign(id_) for id_ in other.campaign_ids)


def _read_period(campaign: CampaignDirectory) -> Period | None:
    """Return the days of a campaign; None for one without a start, or of another version."""
    try:
        tree = read_json(campaign.campaign_json, within=campaign.path)
        settings = tree["settings"]
        start, horizon = settings["campaign"]["start"], settings["assumptions"]["horizon"]["value"]
        return Period.of(date.fromisoformat(start), float(horizon))
    except (RetainError, KeyError, TypeError, ValueError, OverflowError):
        return None


def _read_customers(campaign: CampaignDirectory) -> list[str]:
    try:
        return read_assignment(campaign.path).table["customer_id"].astype(str).tolist()
    except RetainError as error:
        raise RetainError(
            f"campaign {campaign.path.name} is open, and its customers cannot be read: {error} If "
            f"it was never sent: {type_unsent(campaign.path.name)}; to plan "
            "without regard to other campaigns: campaign.overlap=allow"
        ) from None
