"""Campaigns that are open, whose customers belong to no other one, and contacts not long ago.

A campaign is open from ``campaign.start`` until the horizon of its assumptions has passed, if a
verdict or scores point to it, or a readout shows that it was sent. A plan that another one replaced
does not count, nor the one that the plan being made replaces. A plan without a start is a draft:
nothing says that or when it was sent. Of the same campaigns, open or not, count the contacts on
channels that need consent: ``campaign.rest_days`` lie between two of a customer. Contacts of care
are in no assignment, and do not count.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from retain.campaign.assignment import Assignment, read_assignment, read_campaign_json
from retain.campaign.assignment_table import TREATMENT
from retain.campaign.audience import OpenCampaigns
from retain.campaign.offers.catalogue import OWN
from retain.errors import RetainError
from retain.record.directory import CampaignDirectory
from retain.record.study import StudyDirectory
from retain.schema.campaign import CampaignConfig, Offer
from retain.schema.scoring import CampaignSettings
from retain.storage.reading import read_json_object
from retain.workflows.campaign_files import read_campaign_id

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
        days = min(months * DAYS_PER_MONTH, (date.max - start).days)  # a calendar has an end
        return cls(start, start + timedelta(days=math.ceil(days)))

    def overlaps(self, other: Period) -> bool:
        """Return whether two periods share a day."""
        return self.first < other.end and other.first < self.end


def find_open_campaigns(
    study: StudyDirectory, settings: CampaignSettings, replaced: Path
) -> OpenCampaigns:
    """Return the open campaigns of all studies in the folder of a study, with their customers.

    Likewise the campaigns after which customers are at rest. ``replaced`` is the ``verdict.json``
    or ``score.json`` that the plan is made for: the campaign that it points to does not count.
    Without a start, the plan begins today.
    """
    planning = settings.campaign
    if not planning.on or (planning.overlap == "allow" and not planning.rest_days):
        return OpenCampaigns()
    today = datetime.now().astimezone().date()
    start = today if planning.start is None else date.fromisoformat(planning.start)
    found = _Search(
        Period.of(start, settings.assumptions.horizon.value), planning, study.path.parent
    )
    for other in _iter_studies(study):
        found.add_study(other, planning.unsent, replaced)
    return found.result


@dataclass(frozen=True)
class Overlapping:
    """Assignments of campaigns that are open in a period, and what could not be read."""

    assignments: tuple[Assignment, ...] = ()
    unreadable: tuple[str, ...] = ()


def find_overlapping(
    study: StudyDirectory, period: Period, planning: CampaignConfig, own: Path
) -> Overlapping:
    """Return the campaigns open in a period, but for the one that ``own``, a document, points to.

    Campaigns count as in ``find_open_campaigns``, without those of ``campaign.unsent``.
    """
    planning = planning.model_copy(update={"overlap": "exclude", "rest_days": 0})
    found = _Search(period, planning, study.path.parent)
    for other in _iter_studies(study):
        found.add_study(other, planning.unsent, own)
    assignments = tuple(read_assignment(path) for path in found.opened.values())
    return Overlapping(assignments, found.result.unreadable)


def check_unsent(study: StudyDirectory, settings: CampaignSettings) -> None:
    """Raise if an id in ``campaign.unsent`` is that of no campaign beside a study."""
    if not (unsent := settings.campaign.unsent):
        return
    known: set[str] = set()
    for other in _iter_studies(study):
        with suppress(OSError):  # a folder that nobody may read
            known.update(other.campaign_ids)
    for id_ in unsent:
        if id_ not in known:
            raise RetainError.unknown("campaign.unsent: campaign", id_, sorted(known))


def _iter_studies(study: StudyDirectory) -> Iterator[StudyDirectory]:
    """Yield all studies in the folder of a study, by name."""
    yield from map(StudyDirectory, sorted(study.path.parent.glob("*")))


class _Search:
    """The open campaigns found so far, and what could not be read."""

    def __init__(self, period: Period, planning: CampaignConfig, folder: Path) -> None:
        self._period, self._planning, self._folder = period, planning, folder
        self._by_customer: dict[str, str] = {}
        self._resting: dict[str, str] = {}
        self._ids: set[str] = set()
        self._unreadable: dict[Path, str | None] = {}
        self.opened: dict[str, Path] = {}

    @property
    def result(self) -> OpenCampaigns:
        """The findings; a copy of a campaign that was read is not missed."""
        missed = (path for path, id_ in self._unreadable.items() if id_ not in self._ids)
        names = (os.fsencode(path.relative_to(self._folder)) for path in missed)
        return OpenCampaigns(
            self._by_customer,
            tuple(one.decode(errors="replace") for one in names),
            self._resting,
        )

    def add_study(self, study: StudyDirectory, unsent: tuple[str, ...], replaced: Path) -> None:
        """Add the open campaigns of a study."""
        try:
            campaigns = {id_: study.campaign(id_) for id_ in study.campaign_ids}
            sent = {id_ for id_, one in campaigns.items() if one.readout.readout.is_file()}
            counted = sent | self._pointed_to(study, replaced) if campaigns else sent
        except OSError:  # a folder that nobody may read
            self._unreadable[study.path] = None
            return
        for id_, campaign in campaigns.items():
            if id_ in counted and id_ not in unsent:
                self._add_campaign(campaign)

    def _pointed_to(self, study: StudyDirectory, replaced: Path) -> set[str | None]:
        """Return the ids of the campaigns that the verdict and the scores of a study point to."""
        ids = set()
        for document in study.results:
            if document.resolve() != replaced.resolve() and document.is_file():
                try:
                    ids.add(read_campaign_id(document))
                except RetainError:
                    self._unreadable[document] = None
        return ids

    def _add_campaign(self, campaign: CampaignDirectory) -> None:
        """Add who is in a campaign or at rest after it, or its folder to those not read."""
        id_ = campaign.path.name
        try:
            settings = read_campaign_json(campaign.path).settings
            if settings is not None:
                is_open, offers = self._is_open(settings), self._resting_offers(settings)
                if is_open or offers:
                    table = read_assignment(campaign.path).table
                    self.opened |= {id_: campaign.path} if is_open else {}
                    is_contacted = (table["arm"] == TREATMENT) & table["offer"].isin(offers)
                    _add(self._by_customer, table["customer_id"] if is_open else (), id_)
                    _add(self._resting, table.loc[is_contacted, "customer_id"], id_)
            self._ids.add(id_)
        except (RetainError, OSError):
            self._unreadable[campaign.path] = _stated_id(campaign)

    def _is_open(self, settings: CampaignSettings) -> bool:
        """Return whether a campaign has a start, and days in common with the plan that count."""
        if settings.campaign.start is None or self._planning.overlap == "allow":
            return False
        start, horizon = date.fromisoformat(settings.campaign.start), settings.assumptions.horizon
        return self._period.overlaps(Period.of(start, horizon.value))

    def _resting_offers(self, settings: CampaignSettings) -> list[str]:
        """Return the offers of a campaign with a contact less than the rest from the plan's start.

        A contact that is yet to come counts too.
        """
        start, rest = settings.campaign.start, self._planning.rest_days
        if start is None or not rest:
            return []
        since = (self._period.first - date.fromisoformat(start)).days
        return [
            name
            for name, offer in settings.offers.offers.items()
            if any(abs(since - day) < rest for day in _contact_days(offer))
        ]


def _add(found: dict[str, str], customers: Iterable[str], id_: str) -> None:
    """Add a campaign of customers who have none yet."""
    for customer in customers:
        found.setdefault(customer, id_)


def _contact_days(offer: Offer) -> Iterator[int]:
    """Yield the days of contacts on channels that need consent, counted from a campaign's start."""
    contacts = ((0, offer.channel), *((step.day, step.channel) for step in offer.steps))
    yield from (day for day, channel in contacts if channel not in OWN)


def _stated_id(campaign: CampaignDirectory) -> str | None:
    """Return the id that a ``campaign.json`` states, whether or not its content agrees."""
    with suppress(RetainError, OSError):
        stated = read_json_object(campaign.campaign_json, within=campaign.path).get("id")
        return stated if isinstance(stated, str) else None
    return None
