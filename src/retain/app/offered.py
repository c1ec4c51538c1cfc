"""Segments and campaign in values that any process can take. Imports nothing heavy but pandas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from retain.record import ScoreDirectory, StudyDirectory
from retain.report.driver_words import Levels
from retain.storage.writing import hash_of, write_text
from retain.verdict.document import as_json
from retain.verdict.export import write_csv


@dataclass(frozen=True)
class Words:
    """What it takes to put drivers into words: as ``reasons`` has the features, and levels."""

    drivers: pd.DataFrame
    features: Mapping[str, Mapping[str, Any]]
    levels: Levels


@dataclass(frozen=True)
class Offered:
    """Segments and campaign, as ``verdict.json`` has them and as tables.

    ``offers`` and ``assignment`` are None where no campaign was planned.
    """

    tree: dict[str, Any]
    customers: pd.DataFrame
    segments: pd.DataFrame
    offers: pd.DataFrame | None
    assignment: pd.DataFrame | None

    def write(self, study: StudyDirectory | ScoreDirectory) -> None:
        """Write what there is; leave nothing older beside it."""
        write_csv(self.segments, study.segments)
        write_csv(self.customers, study.customers)
        if self.offers is None or self.assignment is None:
            forget_campaign(study)
            return
        write_csv(self.offers, study.offers)
        write_csv(self.assignment, study.campaign)
        files = {path.name: hash_of(path) for path in (study.offers, study.campaign)}
        settings = self.tree["settings"]
        told = {**self.tree["campaign"], "files": files}
        told |= {"catalogue": settings["offers"], "value": settings["value"]}
        write_text(study.campaign_json, as_json(told))


def forget_campaign(study: StudyDirectory | ScoreDirectory) -> None:
    """Remove the campaign of an older verdict."""
    for path in (study.offers, study.campaign, study.campaign_json):
        path.unlink(missing_ok=True)
