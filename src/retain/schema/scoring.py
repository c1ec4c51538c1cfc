"""The nodes of ``score.yaml``; the settings that documents hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from retain.schema.campaign import Assumptions, CampaignConfig, Catalogue, Segmentation
from retain.schema.compare import Report
from retain.schema.names import Source, Threads
from retain.schema.parsing import Config, Node


class Score(Config):
    """The whole tree of ``retain-score``.

    ``data``, ``assumptions``, ``offers`` and ``campaign`` hold the keys typed; all others are those
    of the comparison. ``rows`` is the number of rows predicted at a time.
    """

    verdict: str
    data: Source | None = None
    assumptions: Node | None = None
    offers: Node | None = None
    campaign: Node | None = None
    report: Report
    rows: Annotated[int, Field(ge=1, le=100_000_000)]
    threads: Threads
    output_dir: str | None = None


class SavedSettings(Config):
    """The settings of segments and campaign in a saved verdict."""

    segmentation: Segmentation
    assumptions: Assumptions
    offers: Catalogue
    campaign: CampaignConfig


class FittedThresholds(Config):
    """Segmentation and catalogue with the thresholds fitted on the comparison's customers."""

    segmentation: Segmentation
    offers: Catalogue
