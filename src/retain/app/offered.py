"""Segments and campaign in values that any process can take. Imports nothing heavy but pandas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from retain.record import ScoreDirectory, StudyDirectory
from retain.report.driver_words import Levels
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

    def write(self, files: StudyDirectory | ScoreDirectory) -> None:
        """Write the tables of customers and segments."""
        write_csv(self.segments, files.segments)
        write_csv(self.customers, files.customers)
