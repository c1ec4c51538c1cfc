"""Folds in time: what is learnt from was known before what is tested, and of other customers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.errors import RetainError
from retain.learning.scores import Scores, select_latest_snapshot
from retain.learning.splitting import make_splits, plan_snapshots
from retain.schema.run import Validation


def plan(**changes):
    values = {"name": "temporal", "folds": 3, "repeats": 2, **changes}
    return Validation(**values)


def days_of(customers, ids):
    return customers.panel.snapshot.loc[ids]


def who(customers, ids):
    return set(customers.panel.customer.loc[ids])


def test_what_is_learnt_from_is_a_horizon_older_than_what_is_tested(dated_shop):
    customers = dated_shop()
    splits = make_splits(customers, plan())
    for fold in splits.folds:
        learnt = days_of(customers, splits.ids[fold.train])
        tested = days_of(customers, splits.ids[fold.test])
        assert set(tested) == {pd.Timestamp(fold.snapshot)}
        assert learnt.max() + pd.Timedelta(days=90) <= tested.min()


def test_no_customer_is_both_learnt_from_and_tested(dated_shop):
    customers = dated_shop()
    splits = make_splits(customers, plan())
    for fold in splits.folds:
        assert not who(customers, splits.ids[fold.train]) & who(customers, splits.ids[fold.test])
    for part in splits.test_parts:
        assert not who(customers, part.train) & who(customers, part.test)


# Whatever was still open at the sealed snapshot tells of the time after it.
def test_no_label_that_reaches_past_the_sealed_snapshot_is_in_any_fold(dated_shop):
    customers = dated_shop()
    splits = make_splits(customers, plan())
    last = customers.panel.snapshot.max()
    assert (days_of(customers, splits.ids) + pd.Timedelta(days=90) <= last).all()
    assert set(days_of(customers, splits.test_ids)) == {last}
    assert splits.test_snapshot == f"{last:%Y-%m-%d}"


def test_every_customer_of_the_latest_snapshot_is_sealed_and_scored_once(dated_shop):
    customers = dated_shop()
    splits = make_splits(customers, plan())
    tested = splits.test_parts[0].test.append([part.test for part in splits.test_parts[1:]])
    assert sorted(tested) == sorted(splits.test_ids)
    assert len(splits.test_ids) == 60


def test_each_row_that_can_be_tested_is_tested_once_a_repeat(dated_shop):
    customers = dated_shop(snapshots=9)
    splits = make_splits(customers, plan())
    rows = days_of(customers, splits.ids)
    expected = np.flatnonzero(rows >= rows.min() + pd.Timedelta(days=90))
    for repeat in range(2):
        tested = np.concatenate([f.test for f in splits.folds if f.repeat == repeat])
        assert sorted(tested) == list(expected)


def test_the_calendar_tells_what_each_snapshot_is_for(dated_shop):
    dated = dated_shop(snapshots=8).panel
    assert plan_snapshots(dated, None).description == (
        "validation in time: learns from 2025-01-01, 2025-01-31; tests on 2025-04-01, 2025-05-01, "
        "each by rows 90 days older; seals 2025-07-30; sets 2025-05-31, 2025-06-30 aside, whose "
        "labels were open then"
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), order=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_split(dated_shop, seed, order):
    customers = dated_shop()
    places = list(range(len(customers)))
    order.shuffle(places)
    dated = customers.panel
    moved = replace(
        customers,
        features=customers.features.iloc[places],
        target=customers.target.iloc[places],
        profit=customers.profit.iloc[places],
        duplicate_groups=customers.duplicate_groups.iloc[places],
        panel=replace(
            dated, customer=dated.customer.iloc[places], snapshot=dated.snapshot.iloc[places]
        ),
    )
    one, two = (make_splits(shop, plan(seed=seed)) for shop in (customers, moved))
    assert one.fingerprint == two.fingerprint
    assert [list(p.test) for p in one.test_parts] == [list(p.test) for p in two.test_parts]


def test_the_sealed_parts_do_not_depend_on_the_seed(dated_shop):
    customers = dated_shop()
    one, two = (make_splits(customers, plan(seed=seed)) for seed in (0, 7))
    assert [list(p.test) for p in one.test_parts] == [list(p.test) for p in two.test_parts]
    assert one.fingerprint != two.fingerprint


def test_a_wider_gap_is_another_split(dated_shop):
    customers = dated_shop(snapshots=10)
    one, two = (make_splits(customers, plan(gap=gap)) for gap in (None, 120))
    assert one.fingerprint != two.fingerprint


def test_a_gap_shorter_than_the_horizon_is_refused(dated_shop):
    with pytest.raises(RetainError, match="it is 60 days, and the labels look 90 days ahead"):
        make_splits(dated_shop(), plan(gap=60))


def test_too_few_snapshots_are_refused_with_the_days_that_are_missing(dated_shop):
    with pytest.raises(RetainError, match=r"span 150 days; .* need 180: 30 are missing"):
        make_splits(dated_shop(snapshots=6), plan())


# Six snapshots of 30 days span twice 75 days, yet none stands 75 days after the first and before
# the last.
def test_snapshots_that_straddle_what_is_needed_are_told_what_is_missing_and_what_fits(dated_shop):
    customers = dated_shop(snapshots=6)
    dated = replace(customers.panel, horizon=75)
    with pytest.raises(RetainError, match="need 180: 30 are missing") as raised:
        make_splits(replace(customers, panel=dated), plan())
    assert "Type data.label.horizon=60 or less" in str(raised.value)
    make_splits(replace(customers, panel=replace(dated, horizon=60)), plan(seed=0))


def test_one_snapshot_alone_cannot_be_validated_in_time(dated_shop):
    with pytest.raises(RetainError, match=r"^1 snapshot spans 0 days; .* Type less data\.label"):
        make_splits(dated_shop(snapshots=1), plan())


def test_a_gap_that_is_too_wide_is_told_the_widest(dated_shop):
    with pytest.raises(RetainError, match=r"Type validation\.gap=90 or less"):
        make_splits(dated_shop(snapshots=7), plan(gap=120))


def test_more_parts_than_customers_are_refused_with_their_number(dated_shop):
    with pytest.raises(RetainError, match=r"needs at least 80 customers, .* the snapshots have 60"):
        make_splits(dated_shop(), plan(folds=40))


def test_a_fold_of_one_class_is_refused(dated_shop):
    customers = dated_shop()
    nobody = replace(customers, target=customers.target * 0)
    with pytest.raises(RetainError, match="0 declined; expected both classes"):
        make_splits(nobody, plan())


# With more parts there is more to learn from, and with fewer of them more to test.
@pytest.mark.parametrize(
    ("early", "message"), [(True, "learn from.* Raise"), (False, "test.* Lower")]
)
def test_a_fold_of_one_class_tells_which_way_to_turn(dated_shop, early, message):
    customers = dated_shop()
    day = customers.panel.snapshot
    alike = day < day.min() + pd.Timedelta(days=90) if early else day == day.iloc[3]
    target = customers.target.mask(alike, 0)
    with pytest.raises(RetainError, match=rf"rows to {message} validation\.folds from 3"):
        make_splits(replace(customers, target=target), plan())


def test_rows_with_days_ask_for_validation_in_time(dated_shop, three_folds):
    with pytest.raises(RetainError, match="type validation=temporal"):
        make_splits(dated_shop(), three_folds)


def test_rows_without_days_cannot_be_validated_in_time(shop):
    with pytest.raises(RetainError, match="Type validation=repeated"):
        make_splits(shop(), plan())


def scores_of(ids, origin):
    columns = ("customer_id", "repeat", "fold", "target", "probability")
    table = pd.DataFrame([(one, 0, 0, 1, 0.5) for one in ids], columns=list(columns))
    return Scores(table, origin)


def test_the_latest_scored_snapshot_is_told_by_the_customers_own_ids(dated_shop):
    customers = dated_shop()
    splits = make_splits(customers, plan())
    outside = scores_of(splits.ids[splits.folds[0].test], "out_of_fold")
    sealed = scores_of(splits.test_ids, "sealed_test")
    drivers = pd.DataFrame({"customer_id": splits.test_ids, "feature": "pages"})
    people, parts, result = select_latest_snapshot(customers, [outside, sealed], drivers)
    assert [part.origin for part in parts] == ["sealed_test"]
    assert sorted(people.features.index) == sorted(who(customers, splits.test_ids))
    assert list(result["customer_id"]) == list(parts[0].table["customer_id"])
    one = people.features.index[0]
    row = f"{one}@{people.snapshot}"
    assert people.features.loc[one].equals(customers.features.loc[row].rename(one))
    assert people.profit.loc[one] == customers.profit.loc[row]
    alone, parts, _ = select_latest_snapshot(customers, [outside])
    assert alone.snapshot == splits.folds[0].snapshot


def test_customers_of_one_row_each_are_as_they_are(shop):
    customers = shop()
    scores = scores_of(customers.features.index, "out_of_fold")
    people, parts, drivers = select_latest_snapshot(customers, [scores])
    assert people is customers
    assert parts == [scores]
    assert drivers is None


# A model that learnt from a handful tells of no model anybody would use.
def test_a_snapshot_with_little_to_learn_from_is_not_tested_but_for_the_last(dated_shop):
    customers = dated_shop(snapshots=9)
    first = customers.panel.snapshot.min()
    few = customers.panel.snapshot > first + pd.Timedelta(days=31)
    few |= customers.panel.customer < customers.panel.customer.min() + 12
    found = plan_snapshots(customers.rows(few.to_numpy()).panel, None)
    assert [f"{day:%m-%d}" for day in found.test_days] == ["05-31"]
    assert [f"{day:%m-%d}" for day in plan_snapshots(customers.panel, None).test_days] == [
        "04-01",
        "05-01",
        "05-31",
    ]


# Early folds learn from little: the mean of their ratios would be that of the smallest.
def test_the_correction_weighs_all_folds_together(dated_shop):
    splits = make_splits(dated_shop(snapshots=9), plan())
    sizes = [(len(fold.test), len(fold.train)) for fold in splits.folds]
    test, train = (sum(side) for side in zip(*sizes, strict=True))
    assert splits.test_to_train == test / train
    assert splits.test_to_train < 0.9 * np.mean([one / other for one, other in sizes])
