import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.errors import RetainError
from retain.learning.splits import DuplicateAwareKFold, assign_folds
from retain.learning.splitting import make_splits
from retain.schema.run import Validation


def plan(**changes):
    return Validation(
        **{"name": "x", "sealed_size": 0.2, "folds": 3, "repeats": 2, "shuffle": True, **changes}
    )


def with_copies(customers, pairs):
    """Customers whose first ``pairs`` rows are called copies of the rows after them."""
    from dataclasses import replace

    labels = np.arange(len(customers))
    labels[pairs : 2 * pairs] = labels[:pairs]
    return replace(customers, duplicate_groups=pd.Series(labels, index=customers.features.index))


def test_every_training_customer_is_tested_once_in_each_repeat(shop):
    splits = make_splits(shop(), plan())
    for repeat in range(2):
        tested = np.concatenate([f.test for f in splits.folds if f.repeat == repeat])
        assert sorted(tested) == list(range(len(splits.ids)))


def test_sealed_customers_are_in_no_fold(shop):
    customers = shop()
    splits = make_splits(customers, plan())
    assert not set(splits.test_ids) & set(splits.ids)
    assert len(splits.test_ids) + len(splits.ids) == len(customers)
    assert len(splits.test_ids) == pytest.approx(0.2 * len(customers), abs=2)


# Were the sealed rows to follow the seed, a sweep over seeds would train on them.
def test_the_sealed_test_does_not_depend_on_the_seed(shop):
    customers = shop()
    one, two = (make_splits(customers, plan(seed=seed)) for seed in (0, 7))
    assert list(one.test_ids) == list(two.test_ids)
    assert one.fingerprint != two.fingerprint


# A file exported in another order holds the same customers.
def test_the_order_of_rows_changes_no_split(shop):
    customers = shop()
    order = np.random.default_rng(1).permutation(len(customers))
    from dataclasses import replace

    shuffled = replace(
        customers,
        features=customers.features.iloc[order],
        target=customers.target.iloc[order],
        duplicate_groups=customers.duplicate_groups.iloc[order],
    )
    expected = make_splits(customers, plan(seed=3)).fingerprint
    assert make_splits(shuffled, plan(seed=3)).fingerprint == expected


# Copies on both sides let a model answer from memory.
@settings(max_examples=20, deadline=None)
@given(pairs=st.integers(1, 60), seed=st.integers(0, 1000))
def test_copies_never_straddle_folds_or_the_sealed_test(shop, pairs, seed):

    customers = with_copies(shop(180), pairs)
    splits = make_splits(customers, plan(seed=seed))
    sealed = customers.duplicate_groups.loc[splits.test_ids]
    assert not set(sealed) & set(customers.duplicate_groups.loc[splits.ids])
    for fold in splits.folds:
        train, test = (
            customers.duplicate_groups.loc[splits.ids[rows]] for rows in (fold.train, fold.test)
        )
        assert not set(train) & set(test)


def test_each_fold_has_the_share_of_decliners_of_all(shop):
    customers = shop(600)
    splits = make_splits(customers, plan())
    target = customers.target.loc[splits.ids]
    for fold in splits.folds:
        assert target.iloc[fold.test].mean() == pytest.approx(target.mean(), abs=0.01)


def test_unshuffled_folds_are_runs_of_consecutive_customers(shop):
    customers = shop(30)
    folds = assign_folds(customers.target, customers.duplicate_groups, 3, seed=None)
    assert folds.tolist() == [0] * 10 + [1] * 10 + [2] * 10


def test_too_few_decliners_are_refused_with_their_number(shop):
    customers = shop(60).rows(np.arange(60) < 8)
    with pytest.raises(RetainError, match=r"need at least 6 customers of each class; found \d"):
        make_splits(customers, plan())


def test_inner_folds_keep_copies_together_at_any_depth(shop):
    customers = with_copies(shop(90), 20)
    some = customers.features.iloc[10:80]
    target = customers.target.loc[some.index]
    folds = DuplicateAwareKFold(3, customers.duplicate_groups, seed=0)
    assert folds.get_n_splits(some, target) == 3
    for train, test in folds.split(some, target):
        inside, outside = (
            customers.duplicate_groups.loc[some.index[rows]] for rows in (train, test)
        )
        assert not set(inside) & set(outside)


def test_the_correction_is_the_ratio_of_test_to_training_rows(shop):
    splits = make_splits(shop(), plan(folds=5))
    assert splits.test_to_train == pytest.approx(0.25, abs=0.01)
