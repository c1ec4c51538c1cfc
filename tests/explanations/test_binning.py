import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.explanations.associations import MIN_EXPECTED_PER_CELL, Binned, bin_values, count_bins

BINS = 10


def text(values):
    return pd.Series(values, dtype="str")


def sizes(found):
    return np.bincount(found.codes[found.codes < found.count], minlength=found.count)


# A few large amounts must not push everybody else into one bin.
def test_bins_of_a_skewed_number_have_equal_counts():
    money = pd.Series(np.random.default_rng(0).lognormal(8, 3, 1000))
    assert sizes(bin_values(money, BINS)).tolist() == [100] * BINS


def test_a_value_many_customers_share_has_a_bin_of_its_own():
    found = bin_values(pd.Series([0.0] * 700 + [*np.arange(1.0, 301)]), BINS)
    assert sizes(found)[0] == 700
    assert len(set(found.codes[:700])) == 1


def test_values_not_known_are_in_no_bin():
    found = bin_values(pd.Series([1.0, np.nan, 2.0]), BINS)
    assert found.codes[1] == found.count
    everything = bin_values(pd.Series([np.nan] * 3), BINS)
    assert (everything.count, everything.codes.tolist()) == (0, [0, 0, 0])
    assert (
        bin_values(text([None, None]), BINS).codes.min()
        >= bin_values(text([None, None]), BINS).count
    )


def test_infinite_amounts_are_only_large():
    found = bin_values(pd.Series([-np.inf, *np.arange(98.0), np.inf]), BINS)
    assert sizes(found).tolist() == [10] * BINS


def test_rare_levels_share_a_bin():
    random = np.random.default_rng(0)
    levels = np.append(random.integers(0, 10_000, 5000).astype(str), ["large"] * 60)
    found = bin_values(text(levels), BINS)
    assert found.count == 2
    assert (sizes(found)[found.codes[-1]], len(set(found.codes[-60:]))) == (60, 1)


def test_a_category_has_at_most_twice_as_many_bins():
    found = bin_values(
        text(np.repeat(np.arange(100).astype(str), 10 * MIN_EXPECTED_PER_CELL)), BINS
    )
    assert found.count == 2 * BINS
    assert sorted(sizes(found))[:-1] == [10 * MIN_EXPECTED_PER_CELL] * (2 * BINS - 1)


def test_counts_have_no_empty_lines_and_no_unknown_values():
    one = Binned(np.array([0, 2, 2, 3, 0]), 3)
    other = Binned(np.array([1, 1, 0, 0, 2]), 2)
    assert count_bins(one, other).tolist() == [[0, 1], [1, 1]]


CELLS = st.one_of(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=60).map(
        lambda cells: pd.Series(cells, dtype=float)
    ),
    st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=60).map(
        lambda cells: pd.Series(cells, dtype="str")
    ),
)


# Who stands where in the file says nothing about a customer.
@settings(max_examples=150, deadline=None)
@given(CELLS, st.integers(2, BINS), st.randoms(use_true_random=False))
def test_bins_do_not_depend_on_the_order_of_rows(cells, bins, random):
    order = random.sample(range(len(cells)), len(cells))
    found = bin_values(cells, bins)
    assert bin_values(cells.iloc[order], bins).codes.tolist() == found.codes[order].tolist()
    known = cells.notna().to_numpy()
    assert ((found.codes < found.count) == known).all()
    if cells.dtype == "float64":
        ordered = np.argsort(cells.to_numpy()[known], kind="stable")
        assert (np.diff(found.codes[known][ordered]) >= 0).all()
