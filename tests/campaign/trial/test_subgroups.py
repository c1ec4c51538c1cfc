"""Subgroups of a trial's customers, formed without a look at any outcome."""

import numpy as np
import pandas as pd

from retain.campaign.trial.subgroups import MAX_COVARIATES, split_by, split_customers


def sizes(split):
    """Customers by the name of their subgroup."""
    return {
        name.text or name.kind: int((split.code == index).sum())
        for index, name in enumerate(split.names)
    }


def test_a_number_is_split_into_bands_of_equal_size():
    split = split_by("age", pd.Series(np.arange(90.0)))
    assert sizes(split) == {"≤ 29.7": 30, "29.7 – 59.3": 30, "> 59.3": 30}
    assert {name.kind for name in split.names} == {"band"}


def test_a_value_that_most_share_ends_a_band():
    spent = pd.Series([0.0] * 60 + list(range(1, 41)))
    assert sizes(split_by("spent", spent)) == {"≤ 0": 60, "0 – 7": 7, "> 7": 33}


def test_a_number_of_which_most_have_the_highest_value_is_split_by_its_levels():
    score = pd.Series([0, 1, 2, 3, 4, 5] * 5 + [9] * 70)
    assert sizes(split_by("score", score)) == {"0": 5, "1": 5, "2": 5, "3": 5, "9": 70, "other": 10}


def test_levels_may_be_numbers_and_texts():
    cells = pd.Series([1, "a", 2.0] * 20, dtype=object)
    assert sizes(split_by("x", cells)) == {"1": 20, "2": 20, "a": 20}


def test_few_numbers_are_levels_in_their_order():
    assert sizes(split_by("new", pd.Series([1.0] * 70 + [0.0] * 30))) == {"0": 30, "1": 70}


def test_rare_levels_are_one_subgroup_and_missing_values_another():
    town = pd.Series(["Köln"] * 50 + ["Bonn"] * 30 + [f"t{k}" for k in range(10)] + [None] * 10)
    assert sizes(split_by("town", town)) == {"Bonn": 30, "Köln": 50, "other": 10, "missing": 10}


def test_few_missing_values_are_in_no_subgroup():
    town = pd.Series(["Köln"] * 50 + ["Bonn"] * 48 + [None] * 2)
    split = split_by("town", town)
    assert sizes(split) == {"Bonn": 48, "Köln": 50}
    assert (split.code[-2:] == -1).all()


def test_days_are_shown_as_dates():
    since = pd.Series(np.arange(18218.0, 18308.0))
    assert sizes(split_by("since", since, is_date=True)) == {
        "≤ 2019-12-17": 30,
        "2019-12-17 – 2020-01-16": 30,
        "> 2020-01-16": 30,
    }
    two = pd.Series([18218.0, 18219.0] * 9)
    assert sizes(split_by("since", two, is_date=True)) == {"2019-11-18": 9, "2019-11-19": 9}


def test_a_level_of_nearly_all_customers_splits_nobody():
    assert split_by("country", pd.Series(["DE"] * 98 + ["AT"] * 2)) is None
    assert split_by("id", pd.Series([f"c{k}" for k in range(100)])) is None


def test_covariates_beyond_the_most_are_named():
    table = pd.DataFrame({f"x{k}": np.arange(60.0) for k in range(MAX_COVARIATES + 2)})
    splits, beyond = split_customers(table)
    assert len(splits) == MAX_COVARIATES
    assert beyond == ("x20", "x21")
