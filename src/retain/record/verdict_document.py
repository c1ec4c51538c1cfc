"""``verdict.json``: the results of a comparison, for programs and for the page."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag

from retain.record.campaign_document import CampaignDocument, NoCampaignInfo
from retain.record.comparison_document import (
    Curves,
    ExcludedRun,
    Gate,
    MainEffect,
    MetricDirection,
    RunDifference,
    SealedResult,
    Selection,
    SnapshotScore,
    VersusRandom,
    WinnerInfo,
)
from retain.record.document import (
    CheckResult,
    DataInfo,
    Environment,
    Git,
    SplitInfo,
)
from retain.record.documents import CautionInfo, SavedFile, Sha256, optional
from retain.record.explanations_document import ExplanationsDocument
from retain.record.segments_document import (
    CalibrationCheck,
    DominantSegment,
    RecalibrationInfo,
    SegmentInfo,
)
from retain.schema.parsing import Config
from retain.schema.scoring import CampaignSettings, FittedThresholds

VERDICT_SCHEMA: Final = 4
"""Of ``verdict.json``; counts up when the meaning of a key changes."""
LeaderboardRow = dict[str, Any]
"""A row of the leaderboard: the values of its key columns, metrics with intervals, and tests."""


def _campaign_tag(node: Any) -> str:
    """Return which of the two classes a node is."""
    is_none = "reason" in node if isinstance(node, dict) else isinstance(node, NoCampaignInfo)
    return "none" if is_none else "planned"


CampaignOrReason = Annotated[
    Annotated[CampaignDocument, Tag("planned")] | Annotated[NoCampaignInfo, Tag("none")],
    Discriminator(_campaign_tag),
]


class CustomerResults(Config):
    """The part of a verdict that needs the customers: the refitted winner, segments, campaign.

    Attributes
    ----------
    model, reference
        The refitted winner and the distributions of its training customers: files beside the
        verdict; None for new customers.
    dominant_segment
        A band or segment with more than 90 % of the customers.
    campaign
        None where none was asked for, the reason where none could be planned.
    settings, fitted_thresholds
        As configured; segmentation and offers with the bounds that customers are placed by.
    n_scored
        Customers the winner scored, by origin.
    campaign_sha256
        SHA-256 of the campaign's ``campaign.json``.
    """

    model: SavedFile | None = None
    reference: SavedFile | None = None
    segments: tuple[SegmentInfo, ...]
    dominant_segment: DominantSegment | None
    campaign: CampaignOrReason | None
    settings: CampaignSettings
    fitted_thresholds: FittedThresholds
    recalibration: RecalibrationInfo
    calibration_check: CalibrationCheck | None
    n_scored: dict[str, int]
    campaign_sha256: Sha256 | None = None


class VerdictDocument(Config):
    """The content of ``verdict.json``.

    Attributes
    ----------
    study, studies, question
        What was compared.
    summary, cautions
        The answer in English, and what a reader should know.
    tied
        Ids tied with the best.
    alpha, rope
        Level of the tests, region of practical equivalence.
    key_columns, metrics
        Columns of the leaderboard that tell runs apart, and its metrics.
    leaderboard
        One object a run, best first.
    fold_values, t_quantiles
        Metrics by fold of the first runs, and what their intervals need.
    main_effects
        What moved ROC-AUC.
    diffs
        Two runs each.
    by_snapshot
        Empty where rows have no days.
    n_interrupted, n_running
        Runs without a record: that no process is doing, and that one is.
    data, split, checks
        Customers, folds and audit, as the winner's record has them.
    explanations
        None without ``explain=`` or drivers.
    model, reference
        The refitted winner and the distributions of its training customers: files beside.
    segments … campaign_sha256
        What needs the customers; left out where they were not found.
    dominant_segment
        A band or segment with more than 90 % of the customers.
    campaign
        None where none was asked for, the reason where none could be planned.
    settings, fitted_thresholds
        As configured; segmentation and offers with the bounds that customers are placed by.
    n_scored
        Customers the winner scored, by origin.
    campaign_sha256
        SHA-256 of the campaign's ``campaign.json``.
    commands, environment, git
        How to do it again.
    files
        SHA-256 of the files beside.
    """

    schema_: Literal[4] = Field(default=VERDICT_SCHEMA, alias="schema")
    study: str
    studies: tuple[str, ...]
    question: str | dict[str, str] | None = None
    summary: str
    cautions: tuple[CautionInfo, ...] = ()
    selection: Selection
    winner: WinnerInfo
    tied: tuple[str, ...]
    versus_random: VersusRandom
    alpha: float
    rope: float
    key_columns: tuple[str, ...]
    metrics: dict[str, MetricDirection]
    leaderboard: tuple[LeaderboardRow, ...]
    fold_values: dict[str, dict[str, tuple[float, ...]]]
    t_quantiles: dict[str, float]
    main_effects: tuple[MainEffect, ...] = ()
    curves: Curves | None = None
    diffs: tuple[RunDifference, ...] = ()
    gate: Gate | None = None
    sealed_test: SealedResult | None = None
    by_snapshot: tuple[SnapshotScore, ...] = ()
    excluded_runs: tuple[ExcludedRun, ...] = ()
    n_interrupted: int = 0
    n_running: int = 0
    data: DataInfo
    split: SplitInfo
    checks: tuple[CheckResult, ...] = ()
    explanations: ExplanationsDocument | None = None
    model: SavedFile | None = optional()
    reference: SavedFile | None = optional()
    segments: tuple[SegmentInfo, ...] | None = optional()
    dominant_segment: DominantSegment | None = None
    campaign: CampaignOrReason | None = None
    settings: CampaignSettings | None = optional()
    fitted_thresholds: FittedThresholds | None = optional()
    recalibration: RecalibrationInfo | None = optional()
    calibration_check: CalibrationCheck | None = None
    n_scored: dict[str, int] | None = optional()
    campaign_sha256: Sha256 | None = None
    commands: tuple[str, ...] = ()
    environment: Environment
    git: Git
    files: dict[str, Sha256] | None = optional()

    @property
    def planned_campaign(self) -> CampaignDocument | None:
        """The campaign, None if none was planned."""
        return self.campaign if isinstance(self.campaign, CampaignDocument) else None
