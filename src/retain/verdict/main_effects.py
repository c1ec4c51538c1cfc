"""Main effects: the mean paired difference when one axis of a sweep alone changes.

Two runs are a pair if they agree on every key but one. Their differences are averaged over pairs
fold by fold and tested like those of two runs. Missing runs are named, not imputed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from retain.record.comparison_document import FactorLevel, MainEffect, MissingRuns
from retain.record.document import Record
from retain.record.estimates import Estimate
from retain.verdict.config_keys import COMPONENTS
from retain.verdict.paired import METRIC, compare_paired, fold_scores, holm

NEUTRAL = (False, "none", None)
"""Levels that mean "without"; the first that an axis has is its reference."""
NAMED = 50
"""Maximum number of missing runs named for an axis."""


def find_main_effects(
    records: Sequence[Record],
    keys: pd.DataFrame,
    winner: int,
    absent: Mapping[tuple[str, ...], str],
) -> list[MainEffect]:
    """Return the effect of each axis on ROC-AUC, the largest first.

    Parameters
    ----------
    records
        Finished runs.
    keys
        One column per axis, one row per record.
    winner
        Row of the winner, whose level is the reference if an axis has no neutral one.
    absent
        Reasons of missing runs, by the texts of their keys in the order of ``keys``.
    """
    whole = np.array([not record.stopped_early for record in records])
    scores = fold_scores(records)
    ratio = records[0].split.test_to_train
    reasons = {**absent, **_eliminated(records, keys)}
    texts, effects = keys.map(str), []
    for axis in map(str, keys):
        rows = whole & _applicable_runs(axis, keys)
        if texts[axis][rows].drop_duplicates().size > 1:
            grid = _FactorialGrid(
                axis, keys[rows], texts[rows], scores[rows], keys[axis].iloc[winner]
            )
            effects.append(grid.effect(ratio, reasons))
    return sorted(_correct_p(effects), key=lambda effect: -effect.size)


def _eliminated(records: Sequence[Record], keys: pd.DataFrame) -> dict[tuple[str, ...], str]:
    """Return the runs stopped early, which are in no pair, with their reason."""
    return {
        texts_of(row): f"stopped by the race after {len(record.metrics[METRIC].fold_values)} folds"
        for record, row in zip(records, keys.itertuples(index=False, name=None), strict=True)
        if record.stopped_early
    }


def _applicable_runs(axis: str, keys: pd.DataFrame) -> np.ndarray:
    """Return a mask of the runs an axis applies to: those whose component has the parameter."""
    component = axis.split(".", maxsplit=1)[0]
    if component not in COMPONENTS or component == axis:
        return np.ones(len(keys), dtype=bool)
    has_value = keys[axis].notna()
    same = keys[component].map(str) if component in keys else pd.Series("", index=keys.index)
    return has_value.groupby(same).transform("any").to_numpy()


def _correct_p(effects: Sequence[MainEffect]) -> list[MainEffect]:
    """Return the effects with p corrected for their number."""
    plain = np.array([level.p for effect in effects for level in effect.levels])
    adjusted = iter(holm(plain).tolist())
    return [
        effect.model_copy(
            update={
                "levels": tuple(
                    level.model_copy(update={"p": next(adjusted)}) for level in effect.levels
                )
            }
        )
        for effect in effects
    ]


class _FactorialGrid:
    """The runs by level of one axis (columns) and by all other keys together (rows)."""

    def __init__(
        self, axis: str, keys: pd.DataFrame, texts: pd.DataFrame, scores: np.ndarray, won: Any
    ) -> None:
        self.axis = axis
        own = f"{axis}."  # parameters of a component vary with it
        self.others = [key for key in map(str, keys) if key != axis and not key.startswith(own)]
        column, levels = pd.factorize(texts[axis], sort=True)
        row, _ = pd.factorize(_join_texts(texts[self.others]))
        self.values = [keys[axis].iloc[np.flatnonzero(column == k)[0]] for k in range(len(levels))]
        self.levels = list(levels)
        shape = (row.max() + 1, len(levels))
        self.sums = np.zeros((*shape, scores.shape[1]))
        self.counts = np.zeros(shape, dtype=int)
        np.add.at(self.sums, (row, column), scores)
        np.add.at(self.counts, (row, column), 1)
        first = np.unique(row, return_index=True)[1]
        self.rest = texts[self.others].iloc[first]
        self.places = [list(map(str, keys)).index(key) for key in (axis, *self.others)]
        self.reference = self._reference(won)

    def _reference(self, won: Any) -> int:
        for neutral in NEUTRAL:
            if str(neutral) in self.levels:
                return self.levels.index(str(neutral))
        return self.levels.index(str(won)) if str(won) in self.levels else 0

    def effect(self, test_to_train: float, reasons: Mapping[tuple[str, ...], str]) -> MainEffect:
        """Return each level against the reference."""
        with np.errstate(invalid="ignore"):
            cells = self.sums / self.counts[..., None]
        base = cells[:, self.reference]
        levels = []
        for k, value in enumerate(self.values):
            both = (self.counts[:, k] > 0) & (self.counts[:, self.reference] > 0)
            if k != self.reference and both.any():
                gap = compare_paired(
                    (cells[both, k] - base[both]).mean(axis=0)[None], test_to_train
                )
                levels.append(
                    FactorLevel(
                        level=value,
                        difference=Estimate(
                            *(float(end[0]) for end in (gap.mean, gap.low, gap.high))
                        ),
                        p=float(gap.p[0]),
                        n_pairs=int(both.sum()),
                        n_runs=int(self.counts[both, k].sum()),
                        n_reference_runs=int(self.counts[both, self.reference].sum()),
                    )
                )
        levels.sort(key=lambda level: -level.difference.value)
        holes = np.argwhere(self.counts == 0)
        absent_reasons = {
            tuple(texts[i] for i in self.places): why for texts, why in reasons.items()
        }
        examples = tuple(
            self._missing_run(row, column, absent_reasons) for row, column in holes[:NAMED]
        )
        return MainEffect(
            factor=self.axis,
            reference=self.values[self.reference],
            levels=tuple(levels),
            missing_runs=MissingRuns(n_runs=len(holes), examples=examples),
        )

    def _missing_run(
        self, row: int, column: int, reasons: Mapping[tuple[str, ...], str]
    ) -> dict[str, Any]:
        """Return a missing run and the reason."""
        texts = (self.levels[column], *self.rest.iloc[row])
        settings = dict(zip((self.axis, *self.others), texts, strict=True))
        return {**settings, "reason": reasons.get(texts, "no record")}


def _join_texts(texts: pd.DataFrame) -> pd.Series:
    """Return one text per row for all columns, empty without columns."""
    joined = pd.Series("", index=texts.index)
    for name in texts:
        joined = joined + "\x1f" + texts[name]
    return joined


def texts_of(values: Sequence[Any]) -> tuple[str, ...]:
    """Return the values of a run's keys as texts."""
    return tuple(map(str, values))
