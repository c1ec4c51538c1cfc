"""Reading of the out-of-fold scores of all finished runs, bounded in number and rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from retain.errors import RetainError
from retain.learning.score_file import GROUP_COLUMN, check_folds, read_score_table
from retain.record.study import BrokenRun
from retain.verdict.paired import METRIC
from retain.verdict.placements import Placements, placement_values

if TYPE_CHECKING:
    import pyarrow as pa

    from retain.record.directory import RunDirectory
    from retain.record.document import Record
    from retain.workflows.runs import RunSelection

MAX_RUNS = 500
"""Largest number of runs whose scores are read, the best first."""
MAX_ROWS = 10_000_000
"""Largest number of scores read, of all runs together; at least two runs are read."""


def read_placements(selection: RunSelection) -> tuple[Placements | None, tuple[BrokenRun, ...]]:
    """Return the placements of finished runs, and the runs whose records contradict their scores.

    There are none for fewer than two readable runs. Runs whose scores are unreadable, or of other
    customers or folds than those of the best, are left out. Beyond the bounds only the best runs
    are read: others cannot win in any resample.
    """
    runs = rank_runs(selection.runs)
    if len(runs) < 2:
        return None, ()
    found = place_runs(runs)
    known = found.placements is not None and len(found.placements.ids) > 1
    return found.placements if known else None, found.edited


@dataclass(frozen=True)
class PlacedRuns:
    """The placements of the runs whose scores were read, and the runs that are left out.

    ``rows`` is a hash of their customers, folds and targets; both are None if none was read.
    ``edited`` are those left out whose records have other metrics than their scores, and
    ``score_hashes`` are hashes of all scores of a run, by its id.
    """

    placements: Placements | None
    rows: str | None
    broken: tuple[BrokenRun, ...]
    edited: tuple[BrokenRun, ...] = ()
    score_hashes: Mapping[str, str] = field(default_factory=dict)


def place_runs(runs: Sequence[tuple[RunDirectory, Record]]) -> PlacedRuns:
    """Return the placements of runs, the best first, whose rows are those of the first readable."""
    rows: _Rows | None = None
    ids: list[str] = []
    columns: list[np.ndarray] = []
    broken, edited, hashes = [], [], {}
    for run, record in runs:
        try:
            table = read_score_table(run.scores, record, within=run.path)
        except RetainError as error:
            broken.append(BrokenRun(run, str(error)))
            continue
        rows = _Rows(table) if rows is None else rows
        if not table.select(_KEYS).equals(rows.keys):
            other = "it has other customers or folds than the best run of the study"
            broken.append(BrokenRun(run, f"{run.scores}: {other}."))
            continue
        values, metrics = rows.place(table)
        try:
            check_folds(run.scores, record, metrics)
        except RetainError as error:
            edited.append(BrokenRun(run, str(error)))
            continue
        ids.append(record.id)
        columns.append(values)
        hashes[record.id] = hash_scores(table)
    if rows is None or not ids:
        return PlacedRuns(None, None, (*broken, *edited), tuple(edited), hashes)
    placements = Placements(tuple(ids), np.column_stack(columns), rows.declined, rows.groups)
    return PlacedRuns(placements, rows.sha256, (*broken, *edited), tuple(edited), hashes)


def hash_scores(table: pa.Table) -> str:
    """Return the SHA-256 of the scores of a table, in its order."""
    return hashlib.sha256(table.column("probability").to_numpy().tobytes()).hexdigest()


_KEYS = ["customer_id", "repeat", "fold", "target"]


class _Rows:
    """The rows that the scores of all runs share: customers, copies, folds and targets."""

    def __init__(self, table: pa.Table) -> None:
        self.keys = table.select(_KEYS)
        ids = table.column("customer_id").combine_chunks().dictionary_encode()
        self._customer = ids.indices.to_numpy(zero_copy_only=False)
        repeat, fold, target = (table.column(name).to_numpy() for name in _KEYS[1:])
        _, self._fold = np.unique(repeat * (fold.max() + 1) + fold, return_inverse=True)
        self._hit = target == 1
        self._count = np.bincount(self._customer)
        self.declined = np.zeros(len(self._count), dtype=bool)
        self.declined[self._customer] = self._hit
        self.groups: np.ndarray | None = None
        if GROUP_COLUMN in table.column_names:
            group = np.empty(len(self._count), dtype=np.int64)
            group[self._customer] = table.column(GROUP_COLUMN).to_numpy()
            _, self.groups = np.unique(group, return_inverse=True)

    @property
    def sha256(self) -> str:
        """SHA-256 of customers, folds and targets, in their order."""
        rows = pd.util.hash_pandas_object(self.keys.to_pandas(), index=False)
        return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()

    def place(self, table: pa.Table) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return each customer's mean placement over repeats, and metrics of each fold.

        The ROC-AUC of a fold is the mean placement of its decliners.
        """
        score = table.column("probability").to_numpy()
        values = placement_values(self._hit, score, self._fold)
        sums = np.bincount(self._customer, values, minlength=len(self._count))
        n_declined, n_rows = np.bincount(self._fold, self._hit), np.bincount(self._fold)
        metrics = {
            METRIC: np.bincount(self._fold, values * self._hit) / n_declined,
            "brier": np.bincount(self._fold, (score - self._hit) ** 2) / n_rows,
        }
        return np.asarray(sums / self._count, dtype=np.float32), metrics


def rank_runs(
    runs: Sequence[tuple[RunDirectory, Record]],
) -> list[tuple[RunDirectory, Record]]:
    """Return the finished runs within the bounds, the best first, each once."""
    done = {
        record.id: (run, record)
        for run, record in reversed(runs)
        if record.state == "done" and not record.stopped_early
    }
    ranked = sorted(done.values(), key=lambda pair: -pair[1].metrics[METRIC].value)
    if not ranked:
        return []
    split = ranked[0][1].split
    rows = (ranked[0][1].data.n_rows - split.n_sealed_test) * split.n_repeats
    return ranked[: max(2, min(MAX_RUNS, MAX_ROWS // max(rows, 1)))]
