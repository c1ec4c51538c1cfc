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
"""Fixed: were the sealed rows to move with ``seed``, a sweep over seeds would train on them."""


@dataclass(frozen=True)
class Fold:
    """One split: positions of its training and test rows in ``Splits.ids``.

    ``snapshot`` is the day of the test rows, where rows have days.
    """

    repeat: int
    fold: int
    train: np.ndarray
    test: np.ndarray
    snapshot: date | None = None


@dataclass(frozen=True)
class TestPart:
    """Rows of the sealed test, and those that a model which scores them may learn from."""

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
        Repeats × folds; within a repeat every training customer is tested exactly once, or in
        time at most once.
    test_parts
        The sealed customers by the model that scores them: one for all, or where rows of a
        customer stand on either side of the seal, several.
    description
        What the validation does with these customers, in words; None where its options say it.
    test_snapshot
        The day of the sealed rows, where rows have days.
    """

    ids: pd.Index
    test_ids: pd.Index
    folds: tuple[Fold, ...]
    test_parts: tuple[TestPart, ...]
    description: str | None = None
    test_snapshot: str | None = None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of who is in which fold of which repeat, and who is sealed."""
        digest = hashlib.sha256("\n".join(map(str, self.test_ids)).encode())
        digest.update("\n".join(map(str, self.ids)).encode())
        for fold in self.folds:
            digest.update(f"{fold.repeat}/{fold.fold}".encode() + np.int64(fold.test).tobytes())
            if fold.snapshot is not None:  # the test rows no longer tell what is learnt from
                digest.update(np.int64(fold.train).tobytes())
        return digest.hexdigest()

    @property
    def test_to_train(self) -> float:
        """n_test / n_train of all folds together: the correction of Nadeau & Bengio (2003).

        Theirs is of folds of one size. In time early folds learn from less, and the mean of their
        ratios would be that of the smallest.
        """
        test, train = (
            sum(len(getattr(fold, side)) for fold in self.folds) for side in ("test", "train")
        )
        return test / train


def assign_folds(target: pd.Series, groups: pd.Series, folds: int, seed: int | None) -> pd.Series:
    """Fold number of each customer, stratified by target, copies together.

    With ``seed`` None, consecutive customers in the order given share a fold (unshuffled).
    Indexed like ``target``.
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
    """A scikit-learn splitter for folds inside folds: stratified, copies together.

    It knows customers by the index of the frame it splits, so it can be nested at any depth.
    ``groups`` maps customer id → label shared by copies.
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
        """Positions of training and test rows, as scikit-learn asks for them."""
        target = pd.Series(np.asarray(y), index=X.index)
        numbers = assign_folds(target, self.groups, self.n_splits, self.seed).to_numpy()
        for k in range(self.n_splits):
            yield np.flatnonzero(numbers != k), np.flatnonzero(numbers == k)

    def get_n_splits(self, *_: Any, **__: Any) -> int:
        """Return the number of folds, as scikit-learn asks for it."""
        return self.n_splits


def group_labels(target: pd.Series, groups: pd.Series) -> pd.Series:
    """One label for each group of copies (that of the majority), in order of appearance."""
    group = groups.loc[target.index].to_numpy()
    return (target.groupby(group, sort=False).mean() >= 0.5).astype(int)
