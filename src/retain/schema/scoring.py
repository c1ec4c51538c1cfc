"""The nodes of ``score.yaml``, and the checked parts of ``verdict.json`` that scoring needs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from retain.schema.campaign import Assumptions, CampaignConfig, Catalogue, Segmentation
from retain.schema.compare import Export, Report
from retain.schema.names import Source, Threads
from retain.schema.parsing import Config


class Score(Config):
    """The whole tree of ``retain-score``.

    ``data``, ``assumptions``, ``offers`` and ``campaign`` hold the keys typed; all others are those
    of the comparison. ``rows`` is the number of rows predicted at a time.
    """

    verdict: str
    data: Source | None = None
    assumptions: dict[str, Any] | None = None
    offers: dict[str, Any] | None = None
    campaign: dict[str, Any] | None = None
    report: Report
    export: Export
    rows: Annotated[int, Field(ge=1, le=100_000_000)]
    threads: Threads
    output_dir: str | None = None


class SavedFile(Config):
    """A file next to the verdict, and its SHA-256."""

    file: Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class SavedWinner(Config):
    """The winner of a saved verdict."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(pattern="^[0-9a-f]{8}$")]
    name: str
    config: dict[str, Any]


class SavedSplit(Config):
    """The day of the sealed test (YYYY-MM-DD), if rows have days."""

    model_config = ConfigDict(extra="ignore")

    sealed_snapshot: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None


class SavedChance(Config):
    """The result of the sealed test's comparison with chance."""

    model_config = ConfigDict(extra="ignore")

    status: Literal["shown", "not_shown", "not_tested"] = "not_tested"


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


class SavedVerdict(Config):
    """The part of ``verdict.json`` that scoring needs.

    ``recalibration`` turns scores into the probabilities they have meant out of fold.
    """

    model_config = ConfigDict(extra="ignore")

    winner: SavedWinner
    split: SavedSplit = SavedSplit()
    model: SavedFile | None = None
    reference: SavedFile | None = None
    settings: SavedSettings | None = None
    fitted_thresholds: FittedThresholds | None = None
    recalibration: dict[str, Any] | None = None
    versus_random: SavedChance = SavedChance()
