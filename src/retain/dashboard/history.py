"""The history of a study: when its best got better, and every access to its sealed test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retain.dashboard.index import StudyIndex
from retain.dashboard.rows import RunRow
from retain.dashboard.texts import shorten
from retain.errors import RetainError
from retain.record.comparison_document import SealedAccess
from retain.record.estimates import Estimate
from retain.verdict.paired import METRIC
from retain.verdict.sealed_test import Ledger

MAX_STEPS = 200
"""Improvements that are listed, the last ones."""


@dataclass(frozen=True)
class HistoryStep:
    """A run that was better than all before it, and its mean ROC-AUC."""

    row: RunRow
    best: Estimate
    gain: float | None


@dataclass(frozen=True)
class CommitRuns:
    """The runs of one commit: how many, the best of them, and when the last one ended."""

    commit: str
    n_runs: int
    best: Estimate
    finished_at: str


@dataclass(frozen=True)
class StudyHistory:
    """The events of a study, oldest first.

    Attributes
    ----------
    steps
        Runs that were better than all before them.
    commits
        Finished runs by commit.
    accesses
        Every access to the sealed test: each verdict with another winner makes one.
    problem
        Why the ledger cannot be read, empty if it can.
    """

    index: StudyIndex
    steps: tuple[HistoryStep, ...]
    commits: tuple[CommitRuns, ...]
    accesses: tuple[SealedAccess, ...]
    problem: str = ""


def trace_study(index: StudyIndex) -> StudyHistory:
    """Return the history of a study."""
    whole = [row for row in index.rows if row.state == "done" and not row.stopped_early]
    rows = sorted((row for row in whole if row.estimate(METRIC)), key=lambda row: row.finished_at)
    try:
        accesses, problem = tuple(Ledger(index.directory.ledger).own), ""
    except RetainError as error:
        accesses, problem = (), shorten(error)
    return StudyHistory(index, _steps(rows), _commits(rows), accesses, problem)


def _steps(rows: Sequence[RunRow]) -> tuple[HistoryStep, ...]:
    found: list[HistoryStep] = []
    for row in rows:
        best = _mean(row)
        before = found[-1].best.value if found else None
        if before is None or best.value > before:
            found.append(HistoryStep(row, best, None if before is None else best.value - before))
    return tuple(found[-MAX_STEPS:])


def _commits(rows: Sequence[RunRow]) -> tuple[CommitRuns, ...]:
    by_commit: dict[str, list[RunRow]] = {}
    for row in rows:
        by_commit.setdefault(row.commit, []).append(row)
    return tuple(
        CommitRuns(
            commit,
            len(members),
            max(map(_mean, members), key=lambda mean: mean.value),
            members[-1].finished_at,
        )
        for commit, members in by_commit.items()
    )


def _mean(row: RunRow) -> Estimate:
    return Estimate(*(row.estimate(METRIC) or (0.0, 0.0, 0.0)))
