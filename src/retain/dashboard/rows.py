"""The part of a run that tables show: its state, its settings, and its metrics as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from retain.dashboard.texts import name_of, shorten
from retain.record.directory import RunDirectory
from retain.record.document import Record
from retain.verdict.paired import METRIC

BROKEN, UNFINISHED = "broken", "unfinished"
"""States of runs without a record that can be read, and without one."""


@dataclass(frozen=True, slots=True, eq=False)
class RunRow:
    """A run as tables show it.

    Attributes
    ----------
    directory
        The files of the run.
    study
        The name of the folder that holds it.
    state
        That of its record; ``broken`` or ``unfinished`` without one.
    metrics, places
        Names of metrics, whether higher is better, and the row of ``numbers`` that is theirs.
    numbers
        Shape (n_metrics, 3 + J): mean, low, high and the value of each of J folds.
    """

    directory: RunDirectory
    study: str
    id: str
    state: str
    reason: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, bool] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    numbers: np.ndarray = field(default_factory=lambda: np.empty((0, 3)))
    split: str = ""
    test_to_train: float = 0.0
    stopped_early: bool = False
    finished_at: str = ""
    fit_seconds: float | None = None
    commit: str = ""

    @property
    def folder(self) -> str:
        """The name of the run's folder."""
        return name_of(self.directory.path)

    def estimate(self, metric: str) -> tuple[float, float, float] | None:
        """Return mean, low and high of a metric, None if the run has none."""
        row = self._row(metric)
        return None if row is None else (float(row[0]), float(row[1]), float(row[2]))

    def fold_values(self, metric: str) -> np.ndarray | None:
        """Return a metric by fold, shape (J,), None if the run has none."""
        row = self._row(metric)
        return None if row is None else row[3:]

    def _row(self, metric: str) -> np.ndarray | None:
        place = self.places.get(metric)
        return None if place is None else np.asarray(self.numbers[place])


def summarise_run(
    directory: RunDirectory, study: str, record: Record, *, keeps_config: bool = True
) -> RunRow:
    """Return the row of a record; a long reason is cut, and the config left out on demand."""
    summaries = record.metrics.values()
    numbers = [(one.value, one.low, one.high, *one.fold_values) for one in summaries]
    directions = tuple((name, one.higher_is_better) for name, one in record.metrics.items())
    metrics, places = _share_names(directions)
    return RunRow(
        directory=directory,
        study=study,
        id=record.id,
        state=record.state,
        reason=shorten(record.reason or ""),
        config=record.config if keeps_config else {},
        metrics=metrics,
        places=places,
        numbers=np.array(numbers) if numbers else np.empty((0, 3)),
        split=record.split.fingerprint,
        test_to_train=record.split.test_to_train,
        stopped_early=record.stopped_early,
        finished_at=record.finished_at,
        fit_seconds=record.seconds.get("fit"),
        commit=format_commit(record.git.commit, dirty=record.git.dirty),
    )


@lru_cache(maxsize=1000)
def _share_names(
    directions: tuple[tuple[str, bool], ...],
) -> tuple[Mapping[str, bool], Mapping[str, int]]:
    """Return directions and places by name, the same objects for all runs alike."""
    return dict(directions), {name: place for place, (name, _) in enumerate(directions)}


def format_commit(commit: str | None, *, dirty: bool) -> str:
    """Return a commit in short, with a plus if files differed from it; empty without one.

    >>> format_commit("d4" * 20, dirty=True), format_commit(None, dirty=False)
    ('d4d4d4d4+', '')
    """
    return "" if commit is None else commit[:8] + "+" * dirty


def rank_runs(rows: tuple[RunRow, ...]) -> list[RunRow]:
    """Return finished runs, the best mean ROC-AUC first, those stopped early last; then all others.

    Runs stopped early are not comparable by their mean: it is over fewer folds.
    """

    def order(row: RunRow) -> tuple[int, float, str]:
        found = row.estimate(METRIC)
        if row.state != "done" or found is None:
            return 2, 0.0, row.id
        return int(row.stopped_early), -found[0], row.id

    return sorted(rows, key=order)
