"""The results of a comparison of runs, as ``verdict.json`` has them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from retain.record.document import MetricSummary
from retain.record.documents import Identity, optional
from retain.record.estimates import Estimate, PartialEstimate
from retain.record.tuning import TuningInfo
from retain.schema.parsing import Config, Node

CorrectionMethod = Literal["one_candidate", "bbc_cv", "folds"]
Ranking = Literal["shown", "not_shown", "not_tested"]
"""Result of the sealed test of the winner's ranking against chance; see ``VersusRandom``."""


class RunName(Config):
    """A run by its id, and by the name that tells it from the others."""

    id: Identity
    name: str


class CorrectedMeans(Config):
    """The winner's corrected means by metric.

    Attributes
    ----------
    method
        Correction of ROC-AUC: "bbc_cv", or "folds" if fewer than two candidates have readable
        scores; "one_candidate" if there was no choice. All other metrics are corrected by folds.
    n_candidates
        Number of candidates with all folds, from which the winner was chosen.
    n_scored
        Number of them whose scores were read for BBC-CV.
    n_resamples
        Number of its bootstrap samples, 0 without.
    message
        The corrected mean ROC-AUC as a sentence, empty without a choice.
    """

    method: CorrectionMethod
    n_candidates: int
    n_scored: int
    n_resamples: int
    metrics: dict[str, Estimate]
    message: str


class Selection(Config):
    """The choice of the winner by the rule; ``complexity_order`` names models, simplest first."""

    rule: Literal["best", "simplest_tied"]
    complexity_order: tuple[str, ...] = ()
    best: RunName
    simplest_tied: RunName
    corrected: CorrectedMeans


class WinnerInfo(Config):
    """The winner: what it was, and its metrics out of fold."""

    id: Identity
    name: str
    overrides: tuple[str, ...]
    config: Node
    metrics: dict[str, MetricSummary]
    seeds: tuple[int, ...]
    seed_sd: float | None
    tuning: TuningInfo | None


class VersusRandom(Config):
    """The one-sided test of ROC-AUC > .5 for the winner, on the sealed test.

    Attributes
    ----------
    status
        "shown" if p ≤ level, otherwise "not_shown"; "not_tested" without a sealed test.
    p
        One-sided p of the Mann–Whitney test; None if not tested.
    level
        α/2^k at the k-th access to the sealed test, so that all accesses together err at α.
    access_number
        k: the number of winners that were tested on these customers, this one included.
    n_customers, n_groups
        Customers of the sealed test, and their duplicate groups, each of which counts once.
    tied
        Ids of runs of constant scores that are tied with the best.
    """

    status: Ranking
    p: float | None
    level: float | None
    access_number: int | None
    n_customers: int
    n_groups: int
    tied: tuple[str, ...]
    message: str


class MetricDirection(Config):
    """The good direction of a metric of the leaderboard."""

    higher_is_better: bool


class FactorLevel(Config):
    """A value of an axis against the reference; positive differences are gains.

    ``p`` has Holm's correction for all levels of all axes. ``n_pairs`` counts the pairs, alike in
    all other keys; ``n_runs`` and ``n_reference_runs`` count the runs in them on each side. A side
    of more runs than pairs is the mean of runs that differ in parameters of the axis.
    """

    level: Any
    difference: Estimate
    p: float
    n_pairs: int
    n_runs: int
    n_reference_runs: int


class MissingRuns(Config):
    """The runs missing for a full pairing, and the first of them with reasons."""

    n_runs: int
    examples: tuple[Node, ...]


class MainEffect(Config):
    """One axis of the sweep: its levels against the reference, and missing runs."""

    factor: str
    reference: Any
    levels: tuple[FactorLevel, ...]
    missing_runs: MissingRuns

    @property
    def size(self) -> float:
        """The largest absolute difference."""
        return max((abs(level.difference.value) for level in self.levels), default=0.0)


class MeanCurve(Config):
    """The mean of the repeats' curves, and their range."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    y_min: tuple[float, ...]
    y_max: tuple[float, ...]


class CalibrationBin(Config):
    """Customers of like scores: the predicted and the observed share of decliners."""

    predicted: float
    observed: Estimate
    n_customers: int
    p: float
    is_miscalibrated: bool


class Curves(Config):
    """The winner's curves, out of fold; ``captured_profit`` is None without profit."""

    roc: MeanCurve
    precision_recall: MeanCurve
    lift: MeanCurve
    captured_profit: MeanCurve | None
    calibration: tuple[CalibrationBin, ...]


class KeyChange(Config):
    """A config key in which two runs differ."""

    key: str
    a: Any
    b: Any


class MetricDifference(Config):
    """A metric of two runs over their common folds, and the mean difference b − a."""

    name: str
    a: float
    b: float
    difference: Estimate
    p: float


class ScoreChange(Config):
    """A customer's mean out-of-fold probability by two runs."""

    customer_id: str
    a: float
    b: float


class RunDifference(Config):
    """The difference of run ``b`` to run ``a``; positive where ``b`` has the larger value.

    ``largest_changes`` are None if a run's scores are missing; ``requested`` is true of the pair
    that ``diff=[A,B]`` named.
    """

    a: str
    b: str
    config: tuple[KeyChange, ...]
    metrics: tuple[MetricDifference, ...]
    largest_changes: tuple[ScoreChange, ...] | None
    requested: bool = False


class GateResult(Config):
    """One metric against its threshold; ``missed_by`` is 0 if it is reached.

    ``value`` is the mean over folds, corrected for the choice of the winner.
    """

    name: str
    threshold: float
    value: float
    missed_by: float
    passed: bool
    message: str


class Gate(Config):
    """The thresholds asked for, and by how much they were missed."""

    passed: bool
    metrics: tuple[GateResult, ...]


class SealedMetric(Config):
    """A metric on the sealed test; ``raw`` and ``if_calibrated`` of the calibration error only.

    They are the error as it is computed in cross-validation, and its mean for a perfectly
    calibrated score.
    """

    value: float
    low: float
    high: float
    raw: float | None = optional()
    if_calibrated: float | None = optional()
    higher_is_better: bool


class SealedAccess(Config):
    """One access to the sealed test."""

    accessed_at: str
    study: str
    run_id: str
    data_fingerprint: str
    split_fingerprint: str
    roc_auc: Annotated[float, Field(allow_inf_nan=False)]


class SealedResult(Config):
    """The winner on customers no run has seen; all accesses to them, oldest first."""

    n_customers: int
    metrics: dict[str, SealedMetric]
    accesses: tuple[SealedAccess, ...]


class SnapshotScore(Config):
    """ROC-AUC at one snapshot with its 95 % interval, which is None where a race left one fold.

    Attributes
    ----------
    n_rows, decline_rate
        Customers at the snapshot, and the share of them that declined.
    n_folds
        Number of folds averaged; 0 for the sealed snapshot, scored once.
    """

    snapshot: str
    is_sealed_test: bool
    n_rows: int
    decline_rate: float
    roc_auc: PartialEstimate
    n_folds: int


class ExcludedRun(Config):
    """A run that failed, has no meaning or is broken, and why."""

    id: str
    study: str
    overrides: tuple[str, ...]
    state: str
    reason: str | None
