"""The change of the best run's ROC-AUC from one tree to another, with the noise of its choice.

The best of many runs is too good in either tree, and more so where there are more runs. So the
choice is repeated on bootstrap samples of customers, the same ones for both trees where they have
the same, and measured on the customers left out (BBC-CV, see ``verdict.selection``). That holds
every fit fixed. What another seed, fit or split would give is in the corrected interval of the two
winners by folds, and the interval of the change is as wide as the wider of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retain.record.document import Record
from retain.record.estimates import Estimate
from retain.verdict.candidates import Candidate
from retain.verdict.paired import METRIC
from retain.verdict.placements import Placements
from retain.verdict.selection import left_out_areas
from retain.verdict.trees.fold_change import FoldChange, paired_change, unpaired_change

SEEDS = (0, 1)
"""Seeds of the bootstrap samples of two trees with customers or folds of their own."""


@dataclass(frozen=True)
class ScoredRuns:
    """The configurations of a tree with all folds, and their placements, a column each.

    ``rows`` is a hash of their customers, folds and targets.
    """

    records: tuple[Record, ...]
    placements: Placements
    rows: str

    @classmethod
    def of(cls, candidates: Sequence[Candidate], placements: Placements, rows: str) -> ScoredRuns:
        """Return the candidates whose scores were read, averaged over their seeds."""
        runs = {
            one.record.id: one
            for one in candidates
            if not one.record.stopped_early and {run.id for run in one.runs} & {*placements.ids}
        }
        averaged = placements.average((id_, [r.id for r in one.runs]) for id_, one in runs.items())
        return cls(tuple(runs[id_].record for id_ in averaged.ids), averaged, rows)

    @property
    def means(self) -> np.ndarray:
        """Mean ROC-AUC of each, shape (n_runs,)."""
        return np.array([one.metrics[METRIC].value for one in self.records])

    @property
    def best(self) -> Record:
        """The one with the best mean."""
        return self.records[int(self.means.argmax())]

    def is_paired_with(self, other: ScoredRuns) -> bool:
        """Return whether both trees have the same customers in the same folds."""
        return self.rows == other.rows and are_paired(self.best, other.best)


def are_paired(main: Record, branch: Record) -> bool:
    """Return whether two runs have the same customers in the same folds."""
    return (main.data.fingerprint, main.split.fingerprint, main.split.fits) == (
        branch.data.fingerprint,
        branch.split.fingerprint,
        branch.split.fits,
    )


def change_of_folds(main: Record, branch: Record, level: float = 0.95) -> FoldChange:
    """Return the change of ROC-AUC between two runs by their folds, arrays of shape (1,)."""
    one, other = (np.array([run.metrics[METRIC].fold_values]) for run in (main, branch))
    if are_paired(main, branch):
        return paired_change(one, other, main.split.test_to_train, level)
    ratios = main.split.test_to_train, branch.split.test_to_train
    return unpaired_change(one, other, ratios, level)


def change_of_best(
    main: ScoredRuns,
    branch: ScoredRuns,
    *,
    level: float = 0.95,
    resamples: int | None = None,
) -> Estimate:
    """Return the change of ROC-AUC from the best run of ``main`` to the best of ``branch``.

    ``level`` is that of its interval.
    """
    changes = resample_changes(main, branch, resamples)
    folds = change_of_folds(main.best, branch.best, level)
    value, reach = float(changes.mean()), float(folds.high[0] - folds.low[0]) / 2
    low, high = np.quantile(changes, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, min(float(low), value - reach), max(float(high), value + reach))


def resample_changes(
    main: ScoredRuns, branch: ScoredRuns, resamples: int | None = None
) -> np.ndarray:
    """Return the change on the customers left out of each bootstrap sample, shape (resamples,).

    The best run of each tree is chosen in the sample; paired trees have the same samples.
    """
    if main.is_paired_with(branch):
        return _resample_paired(main, branch, resamples)
    one, other = (
        left_out_areas(tree.placements, tree.means, [_all(tree)], resamples=resamples, seed=seed)[0]
        for tree, seed in zip((main, branch), SEEDS, strict=True)
    )
    n = min(len(one), len(other))  # a tree of many customers has fewer samples
    return np.asarray(other[:n] - one[:n])


def _resample_paired(main: ScoredRuns, branch: ScoredRuns, resamples: int | None) -> np.ndarray:
    one, other = main.placements, branch.placements
    both = Placements(
        (*one.ids, *other.ids), np.hstack([one.values, other.values]), one.declined, one.groups
    )
    choices = [_all(main), len(main.records) + _all(branch)]
    means = np.concatenate([main.means, branch.means])
    areas = left_out_areas(both, means, choices, resamples=resamples)
    return np.asarray(areas[1] - areas[0])


def _all(tree: ScoredRuns) -> np.ndarray:
    return np.arange(len(tree.records))
