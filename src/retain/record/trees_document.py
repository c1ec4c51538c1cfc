"""The comparison of two trees of runs, as ``retain-compare trees=[MAIN,BRANCH] --json`` prints it.

All differences are branch − main.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from retain.record.comparison_document import RunName, ScoreChange
from retain.record.estimates import Estimate
from retain.schema.parsing import Config

TREES_SCHEMA: Final = 1
"""Of the document; counts up when the meaning of a key changes."""
Aspect = Literal["data", "folds", "code", "packages", "config", "metrics", "seed"]
"""The things that can change the result of a run."""
Conclusion = Literal["same", "better", "worse", "not_worse", "unclear", "incomparable"]
"""The conclusion on the best run of a study.

``same``: every run of both trees is there with the same results, scores included. ``better``,
``worse``: the interval excludes 0. ``not_worse``: it includes 0, and nothing below −margin.
``unclear``: it includes both. ``incomparable``: see ``StudyChange.obstacle``.
"""
Obstacle = Literal["no_finished_run", "no_scores", "other_source", "best_unread"]
"""The reason why best runs cannot be compared.

``best_unread``: a run that is the best by its record, or may be, is not believed.
"""


class Cause(Config):
    """A value that differs between two runs; values are shortened. ``-`` stands for none."""

    aspect: Aspect
    name: str
    main: str
    branch: str


class CauseCount(Config):
    """A cause, and the number of pairs of runs that differ in it."""

    cause: Cause
    n_runs: int


class BestChange(Config):
    """The change of ROC-AUC from the best run of main to the best run of branch.

    Attributes
    ----------
    difference
        Corrected for the choice of both, with its interval at ``level``.
    is_paired
        True on the same customers and folds; otherwise the interval includes their noise.
    level
        Level of the interval: so that those of all studies cover at once with 95 %.
    is_same_run
        True if both were asked for alike.
    main_value, branch_value
        Mean ROC-AUC over folds of each, as its record has it.
    """

    main: RunName
    branch: RunName
    is_same_run: bool
    main_value: float
    branch_value: float
    difference: Estimate
    is_paired: bool
    level: float

    @property
    def is_same_result(self) -> bool:
        """True if both are one run with one result, which nothing has to be estimated for."""
        return self.is_same_run and self.difference == Estimate(0.0, 0.0, 0.0)


class MetricMove(Config):
    """A metric of a pair of runs that moved beyond noise.

    ``p`` has Holm's correction for all metrics of all pairs of the study.
    """

    metric: str
    difference: Estimate
    p: float
    is_better: bool


class RunChange(Config):
    """A run that was asked for in both trees.

    Attributes
    ----------
    id
        In main; ``branch_id`` in branch, where the config differs.
    states
        In main and in branch.
    reason
        Why it ended as it did in the tree where it has no result, shortened; None if it has one in
        both, or the record says nothing.
    is_same
        True if the state, and the metrics that both have, are equal in all folds.
    has_other_scores
        True if scores of customers differ, though the metrics may be equal; None if that is not
        known.
    causes
        What can explain a change, whether there is one or not.
    difference
        Of ROC-AUC, with a 95 % interval of this pair alone; None unless both are done.
    moves
        Metrics that moved beyond noise.
    """

    id: str
    branch_id: str
    name: str
    states: tuple[str, str]
    reason: str | None = None
    is_same: bool
    has_other_scores: bool | None = None
    causes: tuple[Cause, ...]
    difference: Estimate | None
    moves: tuple[MetricMove, ...]

    @property
    def has_changed(self) -> bool:
        """True if the result, or the score of a customer, is another one."""
        return not self.is_same or bool(self.has_other_scores)


class UnmatchedRun(Config):
    """A run that only one tree has; ``value`` is its mean ROC-AUC, None unless it is done."""

    id: str
    name: str
    state: str
    value: float | None


class UnreadableRun(Config):
    """A folder of a run whose record or verdict is not believed, and the reason."""

    tree: Literal["main", "branch"]
    folder: str
    reason: str


class MetricCount(Config):
    """The numbers of pairs in which a metric moved beyond noise, by direction."""

    metric: str
    n_pairs: int
    n_better: int
    n_worse: int


class SegmentChange(Config):
    """A segment in both verdicts; numbers are None where a verdict lacks it."""

    segment: str
    n_main: int | None
    n_branch: int | None
    at_risk_main: float | None
    at_risk_branch: float | None


class OfferChange(Config):
    """The numbers of customers whom the plans of both trees offer something."""

    offer: str
    n_main: int
    n_branch: int


class PlanChange(Config):
    """The plans of both campaigns: customers treated, the expected net value, offers that differ.

    Values are None where a verdict has no campaign.
    """

    n_treated: tuple[int | None, int | None]
    expected_net: tuple[Estimate | None, Estimate | None]
    offers: tuple[OfferChange, ...]


class VerdictChange(Config):
    """Differences between the verdicts that lie in both trees.

    Attributes
    ----------
    winners
        Of main and of branch.
    is_winner_same
        True if both are the same run, as it was asked for.
    newly_tied, no_longer_tied
        Names of runs that are tied with the best in one verdict alone.
    segments
        Those that differ.
    plan
        None if both plans are the same, or there are none.
    outdated
        Trees whose verdict is older than their runs.
    """

    winners: tuple[RunName, RunName]
    is_winner_same: bool
    newly_tied: tuple[str, ...]
    no_longer_tied: tuple[str, ...]
    segments: tuple[SegmentChange, ...]
    plan: PlanChange | None
    outdated: tuple[Literal["main", "branch"], ...]

    @property
    def is_same(self) -> bool:
        """True if nothing differs."""
        tied = self.newly_tied or self.no_longer_tied
        return self.is_winner_same and not tied and not self.segments and self.plan is None


class StudyChange(Config):
    """The change of a study from main to branch.

    Attributes
    ----------
    summary
        In one English sentence.
    obstacle
        Why the best runs cannot be compared; None if they can.
    margin
        The loss in ROC-AUC up to which the branch counts as not worse.
    causes
        All differences between the runs whose results changed, or of all if none did; those of
        most runs first.
    metrics
        The metrics that moved beyond noise in any pair.
    n_moved, n_other_scores, n_unexplained
        Numbers of pairs with a metric beyond noise; with equal metrics of other scores; and with
        another result of which the records hold neither a cause nor a reason.
    n_unfinished
        Folders of runs without a record, in main and in branch.
    largest_changes
        Customers whose mean probability by the best run differs most; empty unless paired.
    verdict
        None unless both trees have a verdict that can be read.
    """

    study: str
    summary: str
    conclusion: Conclusion
    obstacle: Obstacle | None
    best: BestChange | None
    margin: float
    alpha: float
    n_same: int
    n_changed: int
    n_moved: int
    n_other_scores: int
    n_unexplained: int
    causes: tuple[CauseCount, ...]
    metrics: tuple[MetricCount, ...]
    runs: tuple[RunChange, ...]
    new_runs: tuple[UnmatchedRun, ...]
    gone_runs: tuple[UnmatchedRun, ...]
    unreadable: tuple[UnreadableRun, ...]
    n_unfinished: tuple[int, int]
    verdict: VerdictChange | None
    largest_changes: tuple[ScoreChange, ...] = ()


class TreesDocument(Config):
    """The change from one folder of outputs, or of one study, to another.

    ``new_studies`` and ``gone_studies`` are names of folders that only one of them has;
    ``outside`` are links in place of studies, which are not followed.
    """

    schema_: Literal[1] = Field(default=TREES_SCHEMA, alias="schema")
    main: str
    branch: str
    studies: tuple[StudyChange, ...]
    new_studies: tuple[str, ...]
    gone_studies: tuple[str, ...]
    outside: tuple[UnreadableRun, ...] = ()
