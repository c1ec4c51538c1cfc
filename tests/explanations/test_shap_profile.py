"""Swarms and dependences: every customer stands somewhere in them."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.customers.customers import Column
from retain.explanations.shap_profile import beeswarm_bins, dependence, direction
from retain.explanations.time_budget import TimeBudget

COLUMN = Column("x", "site", "number")
numbers = st.floats(-1e6, 1e6) | st.just(float("nan"))
shares = st.floats(-5, 5)
pairs = st.lists(st.tuples(numbers, shares), min_size=1, max_size=200)
named = st.lists(st.tuples(st.text(max_size=5), shares), min_size=1, max_size=200)


def both(table, kind):
    values, size = zip(*table, strict=True)
    return pd.Series(values, dtype=kind), np.array(size)


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_a_swarm_holds_every_customer(table):
    values, size = both(table, float)
    found = beeswarm_bins(values, size)
    if found is None:
        assert np.ptp(size) == 0
        return
    assert sum(found.counts) == len(size)
    assert found.min == size.min()
    assert found.max == size.max()
    assert all(rank is None or 0 <= rank <= 1 for rank in found.mean_ranks)


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_a_dependence_holds_every_customer_whose_value_is_known(table):
    values, size = both(table, float)
    steps = dependence(values, size, COLUMN)
    assert sum(step.n_customers for step in steps) == values.notna().sum()
    assert [step.x for step in steps] == sorted(step.x for step in steps)
    for step in steps:
        assert step.p10 <= step.p90
        assert size.min() - 1e-9 <= step.mean <= size.max() + 1e-9


@settings(deadline=None, max_examples=50)
@given(named)
def test_levels_stand_by_size(table):
    values, size = both(table, "str")
    counts = [step.n_customers for step in dependence(values, size, COLUMN)]
    assert counts == sorted(values.value_counts().tolist(), reverse=True)[:20]


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_a_direction_turns_with_the_shares(table):
    values, size = both(table, float)
    one, other = direction(values, size), direction(values, -size)
    turned = {"up": "down", "down": "up", "mixed": "mixed"}
    assert (one and turned[one.towards]) == (other and other.towards)


def test_a_category_has_the_level_with_the_highest_risk():
    kinds = pd.Series(["toys", "home", "toys", "home"], dtype="str")
    assert direction(kinds, np.array([0.1, 0.5, 0.2, 0.4])).level == "home"


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 500))
def test_chunks_cover_every_row_once(rows):
    parts = list(TimeBudget(60.0, rows, 2, 0).chunks(rows, "counting"))
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(rows))


def test_a_direction_needs_values_that_differ():
    assert direction(pd.Series([1.0, 1.0]), np.array([0.1, 0.2])).towards == "mixed"
    assert direction(pd.Series([1.0, 2.0]), np.zeros(2)) is None
    assert beeswarm_bins(pd.Series([1.0, 2.0]), np.zeros(2)) is None
    assert dependence(pd.Series([float("nan")] * 2), np.zeros(2), COLUMN) == ()
