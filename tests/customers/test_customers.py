from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.customers.customers import Column, Customers
from retain.errors import RetainError
from retain.record.estimates import DisplayName


def table(ids, **columns):
    return pd.DataFrame(columns, index=pd.Index(ids, name="customer_id"))


def test_nobody_left_is_refused_with_the_funnel(shop):
    customers = shop(30)
    with pytest.raises(RetainError, match=r"no customers are left; the funnel: "):
        customers.filter(np.zeros(30, dtype=bool), "all gone", "for a test")


def test_ids_that_repeat_are_refused_with_their_number():
    with pytest.raises(RetainError, match=r"not unique \(1 repeat\)"):
        Customers(table([1, 1], a=[1.0, 2.0]), {"a": Column("a", "site", "number")})


def test_features_without_their_columns_are_a_bug():
    with pytest.raises(ValueError, match="features and their columns differ"):
        Customers(table([1, 2], a=[1.0, 2.0]), {})


def test_a_target_that_is_not_there_is_asked_for(shop):
    with pytest.raises(RetainError, match=r"data\.target=COLUMN"):
        _ = replace(shop(30), target=None).y


def test_a_table_of_customers_cannot_be_changed(shop):
    with pytest.raises(FrozenInstanceError):
        shop(30).target = None


def test_a_step_tells_whom_it_left_out(shop):
    customers = shop(30)
    fewer = customers.filter(np.arange(30) > 1, "first two", "for a test")
    assert fewer.describe_funnel() == "30 → 28 (first two)"
    assert fewer.funnel[0].dropped == tuple(customers.features.index[:2])
    assert (
        list(fewer.target.index) == list(fewer.features.index) == list(fewer.duplicate_groups.index)
    )


# The same customers in another order of rows are the same customers.
def test_the_fingerprint_knows_content_and_not_order(shop):
    customers = shop(50)
    order = np.random.default_rng(0).permutation(50)
    parts = ("features", "target", "profit", "contactable", "duplicate_groups")
    shuffled = replace(customers, **{p: getattr(customers, p).iloc[order] for p in parts})
    assert shuffled.fingerprint == customers.fingerprint
    changed = customers.features.assign(pages=customers.features["pages"] + 1e-9)
    assert replace(customers, features=changed).fingerprint != customers.fingerprint


def test_customers_who_stand_alone_have_the_same_groups_in_any_order(shop):
    customers = shop(40)
    turned = Customers(customers.features[::-1], customers.columns)
    alone = Customers(customers.features, customers.columns)
    assert turned.duplicate_groups.loc[alone.duplicate_groups.index].equals(alone.duplicate_groups)


# What a table is called changes neither its runs nor whom it may be compared with.
def test_names_for_people_do_not_change_the_fingerprint(shop):
    customers = shop(30)
    named = {
        name: replace(column, ru="Имя", levels={"toys": DisplayName("Toys", "Игрушки")})
        for name, column in customers.columns.items()
    }
    label = DisplayName("Activity: declined", "Активность: снизилась")
    assert (
        replace(customers, columns=named, target_label=label).fingerprint == customers.fingerprint
    )


def test_a_derived_feature_is_described_as_a_number_of_its_own_group(shop):
    customers = shop(30)
    found = customers.column_info(["category", "revenue_trend"])
    assert list(found) == ["category", "revenue_trend"]
    assert found["category"] is customers.columns["category"]
    assert found["revenue_trend"] == Column("revenue_trend", "purchase", "number")


def test_what_has_no_name_for_people_goes_by_its_own():
    column = Column("site <b>", "site", "category", levels={"a": DisplayName("A", "А")})
    assert column.label == DisplayName("site <b>", "site <b>")
    assert column.level("=cmd()\n") == DisplayName("=cmd()\n", "=cmd()\n")


# Twins, folds and fingerprints stand in the order of the ids' texts, which 9 and 10 do not.
@given(ids=st.lists(st.integers(0, 10**18 - 1) | st.integers(0, 200), min_size=1, unique=True))
@settings(max_examples=100, deadline=None)
def test_whole_numbers_are_numbered_in_the_order_of_their_texts(ids):
    column = {"a": Column("a", "site", "number")}
    found = Customers(table(ids, a=np.arange(float(len(ids)))), column).duplicate_groups
    assert found.sort_values().index.tolist() == sorted(ids, key=str)


@pytest.mark.parametrize("ids", [[-1, 10, 9], [10**18, 9, 10]])
def test_other_whole_numbers_are_numbered_in_the_order_of_their_texts_too(ids):
    column = {"a": Column("a", "site", "number")}
    found = Customers(table(ids, a=[1.0, 2.0, 3.0]), column).duplicate_groups
    assert found.sort_values().index.tolist() == sorted(ids, key=str)
