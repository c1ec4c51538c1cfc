"""Reading of the out-of-fold scores of all finished runs, bounded in number and rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from retain.errors import RetainError
from retain.learning.score_file import GROUP_COLUMN, read_score_table
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


def read_placements(selection: RunSelection) -> Placements | None:
    """Return the placements of finished runs; None for fewer than two readable ones.

    Runs whose scores are unreadable, or of other customers or folds than those of the best, are
    left out. Beyond the bounds only the best runs are read: others cannot win in any resample.
    """
    runs = _rank_runs(selection)
    if len(runs) < 2:
        return None
    tables = _iter_readable(runs)
    first, like = next(tables, (None, None))
    if first is None or like is None:
        return None
    rows = _Rows(like)
    ids, columns = [first.id], [rows.placements(like)]
    for record, table in tables:
        if table.select(_KEYS).equals(rows.keys):
            ids.append(record.id)
            columns.append(rows.placements(table))
    if len(ids) < 2:
        return None
    return Placements(tuple(ids), np.column_stack(columns), rows.declined, rows.groups)


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

    def placements(self, table: pa.Table) -> np.ndarray:
        """Return each customer's mean placement over repeats."""
        score = table.column("probability").to_numpy()
        values = placement_values(self._hit, score, self._fold)
        sums = np.bincount(self._customer, values, minlength=len(self._count))
        return np.asarray(sums / self._count, dtype=np.float32)


def _rank_runs(selection: RunSelection) -> list[tuple[RunDirectory, Record]]:
    """Return the finished runs within the bounds, the best first, each once."""
    done = {
        record.id: (run, record)
        for run, record in reversed(selection.runs)
        if record.state == "done" and not record.stopped_early
    }
    runs = sorted(done.values(), key=lambda pair: -pair[1].metrics[METRIC].value)
    if len(runs) < 2:
        return []
    split = runs[0][1].split
    rows = (runs[0][1].data.n_rows - split.n_sealed_test) * split.n_repeats
    return runs[: max(2, min(MAX_RUNS, MAX_ROWS // max(rows, 1)))]


def _iter_readable(
    runs: Sequence[tuple[RunDirectory, Record]],
) -> Iterator[tuple[Record, pa.Table]]:
    for run, record in runs:
        try:
            yield record, read_score_table(run.scores, record, within=run.path)
        except RetainError:
            continue
