from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportions_ztest

from retain.customers.checks.label_audit import (
    Decrease,
    PeriodChange,
    compare_periods,
    find_successive_periods,
)
from retain.customers.customers import Column, Customers, DerivedFeature


def moved(before, last, target):
    """What became of two columns of customers numbered from 0."""
    table = pd.DataFrame({"before": before, "last": last}, dtype=float)
    table.index.name = "customer_id"
    columns = {name: Column(name, "purchase", "number") for name in table}
    return compare_periods(Customers(table, columns, pd.Series(target)), "before", "last")


def test_only_customers_with_both_figures_are_counted():
    found = moved([4, 4, np.nan, 4, 4], [2, np.nan, 1, 5, 4], [1, 1, 1, 0, 0])
    assert found == PeriodChange(Decrease(1, 1, -0.5), Decrease(2, 0, 0.125))


def test_there_is_no_change_where_most_had_nothing_before():
    found = moved([0, 0, 2, 2], [1, 1, 1, 1], [1, 1, 1, 0])
    assert (found.declined.change, found.stayed.change) == (None, -0.5)
    assert moved([1e-300, 1.0], [1e300, 1.0], [1, 0]).declined.change is None


def test_a_class_without_known_figures_is_not_known():
    assert not moved([np.nan, 1.0], [1.0, 1.0], [1, 0]).is_observed
    assert moved([1.0, 1.0], [1.0, 1.0], [1, 0]).is_observed


@settings(max_examples=50, deadline=None)
@given(*[st.integers(1, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))] * 2)
def test_z_agrees_with_an_independent_implementation(one, other):
    found = PeriodChange(Decrease(*one, None), Decrease(*other, None))
    fell, customers = [one[1], other[1]], [one[0], other[0]]
    if 0 < sum(fell) < sum(customers):
        assert found.z == pytest.approx(proportions_ztest(fell, customers)[0])
    else:
        assert found.z == 0
    assert found.is_consistent == (found.z > 1.96)


def test_periods_are_the_last_two_of_a_slope_and_the_two_of_a_difference(shop):
    pair = ("revenue_previous", "revenue_current")
    derived = (
        DerivedFeature("slope", "purchase", "slope", ("pages", *pair)),
        DerivedFeature("change", "purchase", "difference", pair[::-1]),
        DerivedFeature("ratio", "purchase", "ratio", pair),
        DerivedFeature("gone", "purchase", "difference", ("pages", "minutes")),
        DerivedFeature("text", "purchase", "difference", ("pages", "category")),
    )
    found = [
        (one.name, *names)
        for one, *names in find_successive_periods(replace(shop(30), derived_features=derived))
    ]
    assert found == [("slope", *pair), ("change", *pair)]
