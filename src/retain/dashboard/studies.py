"""The first page: every study with its progress, its best run and how sure that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from retain.dashboard.index import StudyIndex
from retain.dashboard.rows import rank_runs
from retain.dashboard.verdict_summary import VerdictSummary
from retain.errors import RetainError
from retain.execution.status import MAX_INTERVAL_SECONDS, Status
from retain.record.estimates import Estimate
from retain.verdict.paired import METRIC
from retain.verdict.sealed_test import Ledger

SILENCE = 3 * MAX_INTERVAL_SECONDS
"""Seconds without a word after which a sweep counts as dead."""

Progress = Literal["running", "silent", "interrupted", "finished"]


@dataclass(frozen=True)
class StudyView:
    """A row of the first page.

    Attributes
    ----------
    states
        Number of runs by state.
    progress
        State of the last sweep, None if it left no status; ``silent`` if it says it runs, and has
        not said so for long.
    best
        Mean ROC-AUC of the winner corrected for its choice, or else that of the best run.
    is_corrected
        True if ``best`` is corrected.
    n_tied
        Runs that are not distinguishable from the best, with other seeds of them; None without a
        verdict.
    finished_at, commit
        Of the run that ended last.
    n_accesses
        Lines of the study's ledger; None if it cannot be read.
    """

    index: StudyIndex
    n_runs: int
    states: dict[str, int]
    progress: Progress | None
    best_id: str
    best: Estimate | None
    is_corrected: bool
    n_tied: int | None
    finished_at: str
    commit: str
    n_accesses: int | None

    @property
    def name(self) -> str:
        """The name of the study."""
        return self.index.name

    @property
    def verdict(self) -> VerdictSummary | None:
        """The verdict, None without one that can be read."""
        found = self.index.verdict
        return None if found is None or found.problem else found


def view_study(index: StudyIndex, now: datetime | None = None) -> StudyView:
    """Return the row of a study."""
    verdict = index.verdict if index.verdict is not None and not index.verdict.problem else None
    best_id, best = _find_best(index)
    corrected = None if verdict is None else verdict.corrected
    last = max(index.rows, key=lambda row: row.finished_at, default=None)
    return StudyView(
        index=index,
        n_runs=len(index.rows) + index.n_unread,
        states=dict(Counter(row.state for row in index.rows)),
        progress=find_progress(index.status, now),
        best_id=best_id if verdict is None or corrected is None else verdict.winner,
        best=corrected or best,
        is_corrected=corrected is not None,
        n_tied=None if verdict is None else len(index.tags),
        finished_at="" if last is None else last.finished_at,
        commit="" if last is None else last.commit,
        n_accesses=_count_accesses(index),
    )


def _find_best(index: StudyIndex) -> tuple[str, Estimate | None]:
    """Return the run with the best mean ROC-AUC, and the mean with its interval."""
    for row in rank_runs(index.rows)[:1]:
        found = row.estimate(METRIC)
        if row.state == "done" and found is not None:
            return row.id, Estimate(*found)
    return "", None


def find_progress(status: Status | None, now: datetime | None = None) -> Progress | None:
    """Return the state of a sweep; one that runs and has been silent for long has died."""
    if status is None or status.state != "running":
        return None if status is None else status.state
    try:
        updated = datetime.fromisoformat(status.updated_at)
        silence = ((now or datetime.now(UTC)) - updated).total_seconds()
    except (ValueError, TypeError):
        return "silent"
    return "running" if silence < SILENCE else "silent"


def _count_accesses(index: StudyIndex) -> int | None:
    try:
        return len(Ledger(index.directory.ledger).own)
    except RetainError:
        return None


def view_studies(indices: Sequence[StudyIndex]) -> list[StudyView]:
    """Return all rows, the study whose run ended last first."""
    views = sorted(map(view_study, indices), key=lambda view: view.name)
    return sorted(views, key=lambda view: view.finished_at, reverse=True)
