"""Validation splits: the sealed test, then folds of the other customers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedShuffleSplit

from retain.customers.customers import Customers
from retain.errors import RetainError
from retain.learning.splits import TEST_SEED, Fold, SealedPart, Splits, assign_folds, group_labels
from retain.learning.temporal import split_in_time
from retain.schema.run import Validation


def make_splits(customers: Customers, validation: Validation) -> Splits:
    """Return the splits of customers, independent of the order of rows.

    The sealed test does not depend on ``validation.seed``. Copies of a customer
    (``duplicate_groups``) are never split. For rows with days see ``temporal``.

    Raises
    ------
    RetainError
        There are too few customers, or the validation does not fit them.
    """
    target, groups = customers.y, customers.duplicate_groups
    if customers.panel is not None:
        if not validation.temporal:
            raise RetainError(
                "these customers have several snapshots each, and validation="
                f"{validation.name} would train on later days than it tests on; type "
                "validation=temporal."
            )
        return split_in_time(customers, customers.panel, validation)
    if validation.sealed_size is None:
        raise RetainError(
            "validation=temporal needs several snapshots of each customer, as data=purchases has "
            "them; these customers have one row each. Type validation=repeated."
        )
    _check_enough_customers(target, groups, validation.folds)
    sealed = _select_test_ids(target.sort_index(), groups, validation.sealed_size)
    rest = target.loc[~target.index.isin(sealed)]
    ids = rest.index.sort_values()
    folds = []
    for repeat in range(validation.repeats):
        seed = validation.seed + repeat if validation.shuffle else None
        numbers = assign_folds(rest, groups, validation.folds, seed)
        aligned = numbers.loc[ids].to_numpy()
        for k in range(validation.folds):
            train, test = np.flatnonzero(aligned != k), np.flatnonzero(aligned == k)
            folds.append(Fold(repeat, k, train, test))
    return Splits(ids, sealed, tuple(folds), (SealedPart(ids, sealed),))


def _select_test_ids(target: pd.Series, groups: pd.Series, share: float) -> pd.Index:
    labels = group_labels(target, groups)
    splitter = StratifiedShuffleSplit(n_splits=1, test_size=share, random_state=TEST_SEED)
    _, test = next(splitter.split(labels, labels))
    chosen = groups.loc[target.index].isin(labels.index[test]).to_numpy()
    return target.index[chosen]


def _check_enough_customers(target: pd.Series, groups: pd.Series, folds: int) -> None:
    counts = group_labels(target, groups).value_counts().reindex([0, 1], fill_value=0)
    needed = 2 * folds
    if counts.min() < needed:
        raise RetainError(
            f"{folds} folds and a sealed test need at least {needed} customers of each class; "
            f"found {counts[1]} declined and {counts[0]} at the previous level (copies counted "
            "once). Lower validation.folds or bring more data."
        )
