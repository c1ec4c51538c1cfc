"""``score.json``: the scoring of new customers by a saved winner."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from retain.record.campaign_document import NoCampaignInfo
from retain.record.comparison_document import RunName
from retain.record.documents import Identity, Sha256, optional
from retain.record.segments_document import SegmentInfo
from retain.schema.parsing import Config
from retain.schema.scoring import CampaignSettings

SCORE_SCHEMA: Final = 3
"""Of ``score.json``; counts up when the meaning of a key changes."""


class NewData(Config):
    """The new customers; ``n_in_comparison`` have ids that the comparison had too.

    ``snapshot`` is the day at which they are looked at (YYYY-MM-DD), of a source that has one.
    """

    fingerprint: str
    n_customers: int
    n_not_scored: int
    n_in_comparison: int
    snapshot: str | None = optional()


class DriftInfo(Config):
    """The drift from the training customers: PSI of the score, and features by shift."""

    n_training_customers: int
    score_psi: float
    strong: tuple[str, ...]
    moderate: tuple[str, ...]
    chance: tuple[str, ...]


class ScoreDocument(Config):
    """The content of ``score.json``.

    Attributes
    ----------
    winner, model_sha256
        The winner's run, SHA-256 of its model.
    segments, settings
        As in verdict.json.
    campaign_id, campaign_sha256
        The campaign in campaigns/, and SHA-256 of its campaign.json; None if there is none.
    no_campaign
        The reason why none was planned; None otherwise.
    cautions
        Warnings for the reader.
    files
        SHA-256 of the files beside; None in a folder of an earlier version.
    """

    schema_: Literal[3] = Field(default=SCORE_SCHEMA, alias="schema")
    winner: RunName
    model_sha256: Sha256
    data: NewData
    drift: DriftInfo
    segments: tuple[SegmentInfo, ...]
    settings: CampaignSettings
    campaign_id: Identity | None
    campaign_sha256: Sha256 | None
    no_campaign: NoCampaignInfo | None
    cautions: tuple[str, ...]
    files: dict[str, Sha256] | None = optional()
