"""The campaigns of all studies with their readouts, and their value over time."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from retain.dashboard.index import StudyIndex
from retain.dashboard.texts import name_of, shorten
from retain.errors import RetainError
from retain.record.campaign_document import CampaignDocument
from retain.record.documents import ConfigT, read_document
from retain.record.estimates import DisplayName, Estimate
from retain.record.readout_document import EffectRow, ReadoutDocument
from retain.storage.reading import MIB

CAMPAIGN_BYTES = 16 * MIB
MAX_CAMPAIGNS = 500
"""Campaigns of a page, the newest."""


@dataclass(frozen=True)
class CampaignView:
    """A campaign and what it did.

    Attributes
    ----------
    planned_at
        When it was written, by its file.
    plan, readout
        None if there is none, or it cannot be read; ``problem`` says why.
    """

    study: str
    id: str
    planned_at: str
    plan: CampaignDocument | None
    readout: ReadoutDocument | None
    problem: str = ""

    @property
    def unit(self) -> DisplayName | None:
        """The unit of its money."""
        return None if self.plan is None else DisplayName.of(self.plan.profit_unit)

    @property
    def decline(self) -> EffectRow | None:
        """The measured effect on declines of all customers who were to be contacted."""
        rows = () if self.readout is None else self.readout.effects
        return next((r for r in rows if (r.scope, r.outcome) == ("overall", "declined")), None)

    @property
    def net(self) -> Estimate | None:
        """The measured net value."""
        money = None if self.readout is None else self.readout.money
        return None if money is None else money.net


@dataclass(frozen=True)
class ValueStep:
    """A campaign that was read out, and the net value of all until then."""

    campaign: CampaignView
    total: Estimate


def view_campaigns(studies: Sequence[StudyIndex]) -> list[CampaignView]:
    """Return the campaigns of studies, the oldest first."""
    found = [_view(study, id_) for study in studies for id_ in _ids(study)]
    return sorted(found, key=lambda one: (one.planned_at, one.id))[-MAX_CAMPAIGNS:]


def _ids(study: StudyIndex) -> tuple[str, ...]:
    with suppress(OSError):
        return study.directory.campaign_ids
    return ()


def _view(study: StudyIndex, id_: str) -> CampaignView:
    directory, home, problem = study.directory.campaign(id_), study.directory.path, ""
    plan: CampaignDocument | None = None
    readout: ReadoutDocument | None = None
    try:
        plan = _read(CampaignDocument, directory.campaign_json, home)
        if os.path.lexists(directory.readout.readout):
            readout = _read(ReadoutDocument, directory.readout.readout, home)
    except RetainError as error:
        problem = shorten(error)
    planned_at = _time_of(directory.campaign_json)
    return CampaignView(study.name, name_of(directory.path), planned_at, plan, readout, problem)


def _read(kind: type[ConfigT], path: Path, home: Path) -> ConfigT:
    return read_document(kind, path, max_bytes=CAMPAIGN_BYTES, within=home)[1]


def _time_of(path: Path) -> str:
    """Return when a file was written; empty if it is gone."""
    with suppress(OSError):
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return changed.isoformat(timespec="seconds")
    return ""


def add_up_value(campaigns: Iterable[CampaignView]) -> list[ValueStep]:
    """Return the net value after each campaign that was read out, in one unit.

    Campaigns in another unit than the first are left out. Customers of different campaigns are
    independent, so the distances of the ends from the sum add up by their squares (Zou & Donner
    2008, MOVER).
    """
    measured = [one for one in campaigns if one.net is not None]
    alike = [one for one in measured if one.unit == measured[0].unit]
    steps: list[ValueStep] = []
    total = below = above = 0.0
    for one in alike:
        net = one.net
        if net is not None:
            total += net.value
            below += (net.value - net.low) ** 2
            above += (net.high - net.value) ** 2
            bounds = total - math.sqrt(below), total + math.sqrt(above)
            steps.append(ValueStep(one, Estimate(total, *bounds)))
    return steps
