"""The result of tuning in a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retain.record.estimates import Estimate
from retain.schema.parsing import Config, parse

Parameters = dict[str, Any]
"""Parameters of an estimator by name, of any type that it takes."""


class TunedFold(Config):
    """The best parameters found on a fold's training rows, and how they were found.

    ``inner_score`` is their mean ROC-AUC on folds within those rows. ``n_trials`` counts all that
    were begun, those ended early (``n_pruned``) or refused by the model (``n_failed``) included.
    """

    repeat: int
    fold: int
    parameters: Parameters
    inner_score: float
    n_trials: int
    n_pruned: int
    n_failed: int
    seconds: float


class NumericAgreement(Config):
    """The minimum, median and maximum of a parameter over the folds."""

    min: float
    median: float
    max: float


class CategoricalAgreement(Config):
    """The most frequent value of a parameter, and the share of folds that chose it."""

    mode: Any
    share: float


class TuningInfo(Config):
    """The result of tuning: choices by fold, agreement by parameter, optimism.

    ``inner_score`` is the mean of the folds' inner best, ``outer_score`` that of ROC-AUC on their
    test rows; ``optimism`` is inner minus outer.
    """

    folds: tuple[TunedFold, ...]
    agreement: dict[str, NumericAgreement | CategoricalAgreement]
    inner_score: float
    outer_score: float
    optimism: Estimate

    @classmethod
    def of(cls, summary: Mapping[str, Any]) -> TuningInfo:
        """Return a summary in plain values, which checkpoints hold, as a document."""
        return parse(cls, {**summary, "optimism": Estimate(**summary["optimism"])})
