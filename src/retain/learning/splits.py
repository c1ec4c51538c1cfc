"""Splits: a fold, all folds together, and folds within folds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold

TEST_SEED = 20210101
"""Fixed: if the sealed test depended on a seed, sweeps over seeds would train on it."""


@dataclass(frozen=True)
class Fold:
    """One split: positions of its training and test rows in ``Splits.ids``.

    ``snapshot`` is the day of the test rows, if rows have days.
    """

    repeat: int
    fold: int
    train: np.ndarray
    test: np.ndarray
    snapshot: date | None = None


@dataclass(frozen=True)
class SealedPart:
    """Rows of the sealed test, and the training rows of the model that scores them."""

    train: pd.Index
    test: pd.Index


@dataclass(frozen=True)
class Splits:
    """The sealed test, and the folds of the training customers.

    Attributes
    ----------
    ids
        Training customers, shape (n_training,), sorted.
    test_ids
        Customers of the sealed test, sorted.
    folds
        Repeats × folds; within a repeat every training customer is tested exactly once, or at
        most once in temporal validation.
    test_parts
        The sealed test by the model that scores it: a single part, or several if a customer has
        rows in both training and the sealed test.
    description
        Description of the splits in words; None if the validation's options suffice.
    test_snapshot
        The day of the sealed rows, if rows have days.
    """

    ids: pd.Index
    test_ids: pd.Index
    folds: tuple[Fold, ...]
    test_parts: tuple[SealedPart, ...]
    description: str | None = None
    test_snapshot: str | None = None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the folds of all repeats and of the sealed test."""
        digest = hashlib.sha256("\n".join(map(str, self.test_ids)).encode())
        digest.update("\n".join(map(str, self.ids)).encode())
        for fold in self.folds:
            digest.update(f"{fold.repeat}/{fold.fold}".encode() + np.int64(fold.test).tobytes())
            if fold.snapshot is not None:  # the test rows do not determine the training rows
                digest.update(np.int64(fold.train).tobytes())
        return digest.hexdigest()

    @property
    def test_to_train(self) -> float:
        """n_test / n_train of all folds together: the correction of Nadeau & Bengio (2003).

        Theirs is for folds of one size. Early folds of temporal validation have fewer training
        rows, and would dominate a mean of the ratios.
        """
        test, train = (
            sum(len(getattr(fold, side)) for fold in self.folds) for side in ("test", "train")
        )
        return test / train


def assign_folds(target: pd.Series, groups: pd.Series, folds: int, seed: int | None) -> pd.Series:
    """Return the fold of each customer, stratified by target, copies together.

    With ``seed`` None folds are not shuffled: consecutive customers share a fold.
    """
    ordered = target if seed is None else target.sort_index()
    labels = group_labels(ordered, groups)
    if seed is None:
        parts = KFold(folds).split(labels)
    else:
        shuffled = StratifiedKFold(folds, shuffle=True, random_state=seed)
        parts = shuffled.split(labels, labels)
    number = pd.Series(0, index=labels.index)
    for k, (_, test) in enumerate(parts):
        number.iloc[test] = k
    return pd.Series(number.loc[groups.loc[target.index]].to_numpy(), index=target.index)


@dataclass
class DuplicateAwareKFold:
    """A scikit-learn splitter for inner folds: stratified, copies together.

    It identifies customers by the index of the frame it splits, so it can be nested at any depth.
    ``groups`` maps customer ids to duplicate groups.
    """

    n_splits: int
    groups: pd.Series
    seed: int

    def split(
        self,
        X: pd.DataFrame,
        y: Any,
        groups: Any = None,  # noqa: ARG002 - scikit-learn passes it
    ) -> Iterator[tuple[Any, Any]]:
        """Yield positions of training and test rows."""
        target = pd.Series(np.asarray(y), index=X.index)
        numbers = assign_folds(target, self.groups, self.n_splits, self.seed).to_numpy()
        for k in range(self.n_splits):
            yield np.flatnonzero(numbers != k), np.flatnonzero(numbers == k)

    def get_n_splits(self, *_: Any, **__: Any) -> int:
        """Return the number of folds."""
        return self.n_splits


def group_labels(target: pd.Series, groups: pd.Series) -> pd.Series:
    """Return the majority target of each duplicate group, in order of appearance."""
    group = groups.loc[target.index].to_numpy()
    return (target.groupby(group, sort=False).mean() >= 0.5).astype(int)
