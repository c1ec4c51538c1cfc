"""The metrics of paired runs that moved beyond noise, over all metrics of all pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from retain.record.document import MetricSummary, Record
from retain.record.estimates import Estimate
from retain.record.trees_document import MetricMove
from retain.verdict.paired import METRIC, holm
from retain.verdict.trees.best_run import are_paired
from retain.verdict.trees.fold_change import FoldChange, paired_change, unpaired_change

Pairs = Sequence[tuple[Record, Record]]


@dataclass(frozen=True)
class Movement:
    """The changes of all metrics of one pair of runs: ROC-AUC, and those beyond noise."""

    difference: Estimate
    moves: tuple[MetricMove, ...]


@dataclass(frozen=True)
class _Cell:
    """A metric of a pair, over their common folds where they have the same."""

    pair: int
    name: str
    main: tuple[float, ...]
    branch: tuple[float, ...]
    ratios: tuple[float, float]
    is_paired: bool
    higher_is_better: bool


def find_moves(pairs: Pairs, alpha: float) -> list[Movement]:
    """Return the changes of finished pairs; ``alpha`` is the level of all tests together.

    Metrics are those that both runs of a pair have.
    """
    cells = [cell for index, pair in enumerate(pairs) for cell in _cells(index, *pair)]
    found = _changes(cells)
    p = holm(found.p) if cells else found.p
    differences: dict[int, Estimate] = {}
    moves: dict[int, list[MetricMove]] = defaultdict(list)
    for row, cell in enumerate(cells):
        change = Estimate(float(found.value[row]), float(found.low[row]), float(found.high[row]))
        if cell.name == METRIC:
            differences[cell.pair] = change
        if p[row] < alpha:
            is_better = (change.value > 0) == cell.higher_is_better
            moves[cell.pair].append(
                MetricMove(
                    metric=cell.name, difference=change, p=float(p[row]), is_better=is_better
                )
            )
    return [
        Movement(differences[index], tuple(moves.get(index, ()))) for index in range(len(pairs))
    ]


def _cells(index: int, main: Record, branch: Record) -> Iterator[_Cell]:
    is_paired = are_paired(main, branch)
    ratios = main.split.test_to_train, branch.split.test_to_train
    for name, one in main.metrics.items():
        other = branch.metrics.get(name)
        if other is not None:
            folds = _folds(one, other, common=is_paired)
            yield _Cell(index, name, *folds, ratios, is_paired, one.higher_is_better)


def _folds(
    main: MetricSummary, branch: MetricSummary, *, common: bool
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the values of both by fold; a run that a race stopped has only the first ones."""
    n = min(len(main.fold_values), len(branch.fold_values)) if common else None
    return main.fold_values[:n], branch.fold_values[:n]


def _changes(cells: Sequence[_Cell]) -> FoldChange:
    """Return the changes of all cells, those of like folds at once."""
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for row, cell in enumerate(cells):
        shape = len(cell.main), len(cell.branch)
        groups[(cell.is_paired, cell.ratios, shape)].append(row)
    total = FoldChange(*(np.empty(len(cells)) for _ in range(4)))
    for rows in groups.values():
        first = cells[rows[0]]
        main, branch = (
            np.array([getattr(cells[row], side) for row in rows]) for side in ("main", "branch")
        )
        if first.is_paired:
            found = paired_change(main, branch, first.ratios[0])
        else:
            found = unpaired_change(main, branch, first.ratios)
        for field in ("value", "low", "high", "p"):
            getattr(total, field)[rows] = getattr(found, field)
    return total
