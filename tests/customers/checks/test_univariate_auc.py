"""How well one column separates those who declined, and whether two columns have one order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.customers.checks.univariate_auc import (
    auc_of_codes,
    category_auc,
    have_same_order,
    number_auc,
    rank_codes,
)


# Each customer a category of its own: learnt on the same rows it would separate perfectly.
@given(seed=st.integers(0, 10_000), levels=st.sampled_from([2, 30, 200, 400]))
@settings(max_examples=20, deadline=None)
def test_a_category_of_noise_never_separates_however_many_values_it_has(seed, levels):
    random = np.random.default_rng(seed)
    towns = pd.Series([f"town {n}" for n in random.permutation(400) % levels], dtype="str")
    found = category_auc(towns, random.integers(0, 2, 400))
    assert not found.exceeds(0.7)


# A handful of values may separate by luck; ten of each class are the least that count.
def test_a_feature_known_for_a_few_customers_is_no_leak():
    values = pd.Series([1.0, 2.0, 3.0, 4.0] + [np.nan] * 396)
    target = np.array([0, 0, 1, 1] + [0, 1] * 198)
    assert number_auc(values, target).separation < 0.6


# Reversing a score reverses its AUC: neither direction is preferred.
@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_auc_agrees_with_counting_pairs_and_turns_round_with_the_column(seed):
    random = np.random.default_rng(seed)
    codes, target = random.integers(0, 6, 30), random.integers(0, 2, 30)
    found = auc_of_codes(codes, target)
    assert auc_of_codes(5 - codes, target).auc == pytest.approx(1 - found.auc)
    if 0 < target.sum() < 30:
        more = codes[target == 1][:, None] - codes[target == 0][None, :]
        assert found.auc == pytest.approx(((np.sign(more) + 1) / 2).mean())


def test_few_rows_or_one_value_repeat_nothing():
    few, flat = np.arange(9), np.zeros(30, dtype=int)
    assert not have_same_order(few, few)
    assert not have_same_order(flat, flat)


def test_texts_of_one_number_have_one_place():
    texts = pd.Series(["10", "9", None, "9.0"], dtype="str")
    assert rank_codes(texts).tolist() == [1, 0, -1, 0]


def test_order_ranks_texts_as_texts_and_keeps_missing_apart():
    assert rank_codes(pd.Series(["b", None, "a"], dtype="str")).tolist() == [1, -1, 0]
