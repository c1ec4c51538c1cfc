import json
import math
from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from retain.customers.contract.reader import read
from retain.customers.customers import Column
from retain.explanations.distributions import (
    MOST_LEVELS,
    cliffs_delta,
    cramers_v,
    distributions,
)
from retain.record.documents import to_tree
from retain.record.estimates import DisplayName
from retain.record.explanations_document import Spread

HALVES = np.arange(200) % 2


def one(values, target=HALVES, levels=None):
    """The distribution of one feature."""
    kind = "category" if values.dtype == "str" else "number"
    column = Column("x", "site", kind, levels=levels or {})
    return distributions(values.to_frame("x"), target, {"x": column}, seed=0)["x"]


def text(values):
    return pd.Series(values, dtype="str")


# --- numbers -------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0, 1, 3]))
def test_cliffs_delta_is_the_balance_of_all_pairs(seed, digits):
    random = np.random.default_rng(seed)
    values = random.normal(size=60).round(digits)
    declined = random.permutation(np.arange(60) < 23)
    balance = np.sign(values[declined][:, None] - values[~declined]).mean()
    found = cliffs_delta(values, declined)
    assert found.value == pytest.approx(balance)
    wins = stats.mannwhitneyu(values[declined], values[~declined]).statistic
    assert found.value == pytest.approx(2 * wins / (23 * 37) - 1)
    assert -1 <= found.low <= found.value <= found.high <= 1


def test_the_interval_of_cliffs_delta_is_that_of_a_bootstrap():
    random = np.random.default_rng(3)
    declined = np.arange(400) < 150
    values = random.normal(size=400) + 0.8 * declined
    drawn = stats.bootstrap(
        (values[declined], values[~declined]),
        lambda one, other: 2 * stats.mannwhitneyu(one, other).statistic / (150 * 250) - 1,
        vectorized=False,
        n_resamples=500,
        method="percentile",
        rng=random,
    ).confidence_interval
    found = cliffs_delta(values, declined)
    assert (found.low, found.high) == pytest.approx(tuple(drawn), abs=0.03)


def test_a_number_has_its_known_share_and_percentiles_in_each_class():
    values = pd.Series(np.where(HALVES == 1, np.arange(200.0), 7.0))
    values[:20] = np.nan
    found = one(values).distribution
    assert found.stayed == Spread(observed_share=0.9, p5=7.0, p25=7.0, p50=7.0, p75=7.0, p95=7.0)
    known = np.arange(21.0, 200, 2)
    expected = np.percentile(known, [5, 25, 50, 75, 95])
    assert list(found.declined.model_dump().values()) == pytest.approx([0.9, *expected])


def test_a_class_without_values_has_neither_percentiles_nor_an_effect():
    found = one(pd.Series(np.where(HALVES == 1, np.nan, 7.0)))
    assert found.effect is None
    assert found.distribution.declined == Spread(observed_share=0.0)
    assert one(pd.Series(np.ones(200))).effect.value == 0


# --- categories ----------------------------------------------------------------------------------


def bergsma(counts):
    """Cramér's V with Bergsma's correction, from scipy's chi-square."""
    counts = counts[counts.sum(axis=1) > 0]
    n, (r, c) = counts.sum(), counts.shape
    square = stats.chi2_contingency(counts, correction=False).statistic / n
    square = max(0, square - (r - 1) * (c - 1) / (n - 1))
    return math.sqrt(square / min(r - (r - 1) ** 2 / (n - 1) - 1, c - (c - 1) ** 2 / (n - 1) - 1))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=9))
def test_cramers_v_agrees_with_an_independent_implementation(rows):
    counts = np.array([*rows, (9, 2), (3, 7)])
    found = cramers_v(counts, seed=0)
    assert found.value == pytest.approx(bergsma(counts), abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert cramers_v(counts, seed=0) == found


# The correction is what it is for: independence is no association, however many levels there are.
def test_cramers_v_of_independent_columns_is_near_zero():
    random = np.random.default_rng(0)
    tables = random.multinomial(300, np.full(60, 1 / 60), size=40).reshape(40, 30, 2)
    values = [cramers_v(table, seed=0).value for table in tables]
    plain = [stats.contingency.association(table, method="cramer") for table in tables]
    assert np.mean(values) < 0.1
    assert np.mean(plain) > 0.28


# A weak dependence is where an interval that is merely centred on the value fails.
@pytest.mark.parametrize(("rates", "n"), [((0.2, 0.4, 0.6), 300), ((0.35, 0.4), 1000)])
def test_the_interval_of_cramers_v_covers_the_truth_as_often_as_it_says(rates, n):
    rate = np.array(rates)
    joint = np.stack([rate, 1 - rate], axis=1) / len(rate)
    expected = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    truth = np.sqrt(((joint - expected) ** 2 / expected).sum())
    tables = np.random.default_rng(1).multinomial(n, joint.ravel(), size=200)
    found = [cramers_v(table.reshape(joint.shape), seed=seed) for seed, table in enumerate(tables)]
    assert np.mean([effect.low <= truth <= effect.high for effect in found]) > 0.91


def test_levels_are_named_and_stand_by_size():
    values = text(np.where(np.arange(200) % 4 == 0, "b", "a"))
    found = one(values, levels={"a": DisplayName("Alpha", "Альфа")})
    first, second = found.distribution.levels
    assert (first.label, first.n_customers) == (DisplayName("Alpha", "Альфа"), 150)
    assert (first.share_of_declined, first.share_of_stayed) == (1.0, 0.5)
    assert (second.label, second.n_customers) == (DisplayName("b", "b"), 50)
    assert astuple(second.decline_rate) == pytest.approx((0.0, 0.0, 0.0713), abs=1e-4)


def test_the_smallest_levels_are_together_and_the_unknown_apart():
    codes = np.repeat(np.arange(40), 5)
    values = text([f"level {code}" if code else None for code in codes])
    found = one(values).distribution.levels
    assert len(found) == MOST_LEVELS + 2
    assert found[-2].label == DisplayName("all others (9)", "все остальные (9)")
    assert (found[-2].n_customers, found[-1].n_customers) == (45, 5)
    assert found[-1].label == DisplayName("not known", "нет данных")
    assert len(one(text([f"{code}" for code in codes % 31])).distribution.levels) == 31


# Who gave no answer is no level of the answer, yet may say something: it is shown, not measured.
def test_unknown_values_do_not_count_as_a_level_of_the_effect():
    values = text(np.where(HALVES == 1, None, np.where(np.arange(200) % 4 == 0, "a", "b")))
    assert one(values).effect is None
    assert [level.decline_rate.value for level in one(values).distribution.levels] == [0, 0, 1]


# --- all of them ---------------------------------------------------------------------------------


def test_the_interval_of_a_feature_does_not_depend_on_the_others(shop):
    customers = shop()
    table, target = customers.features, customers.y.to_numpy()
    together = distributions(table, target, customers.columns, seed=4)
    assert list(together) == list(table)
    alone = distributions(table[["category"]], target, customers.columns, seed=4)
    assert alone == {"category": together["category"]}


def test_without_two_classes_there_is_nothing_to_compare(shop):
    customers = shop()
    nobody = np.zeros(len(customers))
    assert distributions(customers.features, nobody, customers.columns, seed=0) == {}


CELLS = {
    "number": st.one_of(st.floats(), st.integers(0, 2).map(float)),
    "category": st.one_of(st.none(), st.text(max_size=4), st.just("<script>")),
}


# What is returned is written as JSON, which knows no NaN and no infinity.
@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(["number", "category"]), st.integers(2, 40))
def test_any_column_has_a_distribution_that_json_can_hold(data, kind, rows):
    cells = data.draw(st.lists(CELLS[kind], min_size=rows, max_size=rows))
    target = data.draw(st.lists(st.integers(0, 1), min_size=rows, max_size=rows))
    values = pd.Series(cells, dtype=float if kind == "number" else "str")
    column = Column("x", "site", kind)
    for found in distributions(values.to_frame("x"), target, {"x": column}, seed=0).values():
        json.dumps(to_tree(found.distribution), allow_nan=False)
        assert found.distribution.kind == kind
        if kind == "category":
            levels = found.distribution.levels
            for level in levels:
                rate = level.decline_rate
                assert rate.low <= rate.value <= rate.high
            assert sum(level.n_customers for level in levels) == rows
            for share in ("share_of_declined", "share_of_stayed"):
                assert sum(getattr(level, share) for level in levels) == pytest.approx(1)


def test_the_real_store_differs_as_is_known(one_click_dir, one_click_contract):
    customers = read(dir=str(one_click_dir), **one_click_contract)
    target = customers.y.to_numpy()
    found = distributions(customers.features, target, customers.columns, seed=0)
    pages, category = found["pages_per_visit"], found["popular_category"]
    assert pages.effect.value == pytest.approx(-0.65, abs=0.01)
    assert pages.distribution.declined.p50 < pages.distribution.stayed.p25
    assert sum(level.n_customers for level in category.distribution.levels) == 1296
    assert {level.label.ru for level in category.distribution.levels} >= {"Кухонная посуда"}
    assert found["consent"].effect.low == 0
