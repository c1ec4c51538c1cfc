"""Who is learnt from and who is scored: the sealed test, and the folds of all other customers.

May import: errors, schema, customers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold, StratifiedShuffleSplit

from retain.customers.customers import Customers
from retain.errors import RetainError
from retain.schema import Validation

SEALED_SEED = 20210101
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
class SealedPart:
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
    sealed
        Customers of the sealed test, sorted.
    folds
        Repeats × folds; within a repeat every training customer is tested exactly once, or in
        time at most once.
    sealed_parts
        The sealed customers by the model that scores them: one for all, or where rows of a
        customer stand on either side of the seal, several.
    told
        What the validation does with these customers, in words; None where its options say it.
    sealed_at
        The day of the sealed rows, where rows have days.
    """

    ids: pd.Index
    sealed: pd.Index
    folds: tuple[Fold, ...]
    sealed_parts: tuple[SealedPart, ...]
    told: str | None = None
    sealed_at: str | None = None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of who is in which fold of which repeat, and who is sealed."""
        digest = hashlib.sha256("\n".join(map(str, self.sealed)).encode())
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


def split(customers: Customers, validation: Validation, seed: int) -> Splits:
    """The same splits for the same customers, whatever the order of their rows.

    The sealed test depends on the customers alone, not on ``seed``. Copies of a customer
    (``twins``) always stand on the same side. Where rows have days, see ``temporal``.

    Raises
    ------
    RetainError
        When the customers are too few, or not what the validation is for.
    """
    target, twins = customers.labelled, customers.twins
    if customers.dated is not None:
        if not validation.temporal:
            raise RetainError(
                "these customers have several snapshots each, and validation="
                f"{validation.name} would test yesterday by tomorrow; type validation=temporal."
            )
        from retain.learning.temporal import split_in_time

        return split_in_time(customers, customers.dated, validation, seed)
    if validation.sealed is None:
        raise RetainError(
            "validation=temporal needs several snapshots of each customer, as data=purchases has "
            "them; these customers have one row each. Type validation=repeated."
        )
    _enough(target, twins, validation.folds)
    sealed = _sealed(target.sort_index(), twins, validation.sealed)
    rest = target.loc[~target.index.isin(sealed)]
    ids = rest.index.sort_values()
    folds = []
    for repeat in range(validation.repeats):
        numbers = assign(
            rest, twins, validation.folds, seed + repeat if validation.shuffle else None
        )
        aligned = numbers.loc[ids].to_numpy()
        for k in range(validation.folds):
            train, test = np.flatnonzero(aligned != k), np.flatnonzero(aligned == k)
            folds.append(Fold(repeat, k, train, test))
    return Splits(ids, sealed, tuple(folds), (SealedPart(ids, sealed),))


def assign(target: pd.Series, twins: pd.Series, folds: int, seed: int | None) -> pd.Series:
    """Fold number of each customer, stratified by target, copies together.

    With ``seed`` None, consecutive customers in the order given share a fold (unshuffled).
    Indexed like ``target``.
    """
    ordered = target if seed is None else target.sort_index()
    labels = _by_group(ordered, twins)
    if seed is None:
        parts = KFold(folds).split(labels)
    else:
        shuffled = StratifiedKFold(folds, shuffle=True, random_state=seed)
        parts = shuffled.split(labels, labels)
    number = pd.Series(0, index=labels.index)
    for k, (_, test) in enumerate(parts):
        number.iloc[test] = k
    return pd.Series(number.loc[twins.loc[target.index]].to_numpy(), index=target.index)


@dataclass
class TwinFolds:
    """A scikit-learn splitter for folds inside folds: stratified, copies together.

    It knows customers by the index of the frame it splits, so it can be nested at any depth.
    ``twins`` maps customer id → label shared by copies.
    """

    n_splits: int
    twins: pd.Series
    seed: int

    def split(
        self,
        X: pd.DataFrame,
        y: Any,
        groups: Any = None,  # noqa: ARG002 - scikit-learn passes it
    ) -> Iterator[tuple[Any, Any]]:
        """Positions of training and test rows, as scikit-learn asks for them."""
        target = pd.Series(np.asarray(y), index=X.index)
        numbers = assign(target, self.twins, self.n_splits, self.seed).to_numpy()
        for k in range(self.n_splits):
            yield np.flatnonzero(numbers != k), np.flatnonzero(numbers == k)

    def get_n_splits(self, *_: Any, **__: Any) -> int:
        """The number of folds, as scikit-learn asks for it."""
        return self.n_splits


def _by_group(target: pd.Series, twins: pd.Series) -> pd.Series:
    """One label for each group of copies (that of the majority), in order of appearance."""
    group = twins.loc[target.index].to_numpy()
    return (target.groupby(group, sort=False).mean() >= 0.5).astype(int)


def _sealed(target: pd.Series, twins: pd.Series, share: float) -> pd.Index:
    labels = _by_group(target, twins)
    splitter = StratifiedShuffleSplit(n_splits=1, test_size=share, random_state=SEALED_SEED)
    _, test = next(splitter.split(labels, labels))
    chosen = twins.loc[target.index].isin(labels.index[test]).to_numpy()
    return target.index[chosen]


def _enough(target: pd.Series, twins: pd.Series, folds: int) -> None:
    counts = _by_group(target, twins).value_counts().reindex([0, 1], fill_value=0)
    needed = 2 * folds
    if counts.min() < needed:
        raise RetainError(
            f"{folds} folds and a sealed test need at least {needed} customers of each class; "
            f"found {counts[1]} declined and {counts[0]} at the previous level (copies counted "
            "once). Lower validation.folds or bring more data."
        )
