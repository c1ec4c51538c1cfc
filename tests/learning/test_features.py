from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retain.customers.customers import DerivedFeature
from retain.errors import NotApplicable, RetainError
from retain.learning.features import derive, feature_matrix
from retain.schema.run import Features


def toggles(**changes):
    return Features(**{"derived": True, "max_categories": 30, **changes})


def test_a_group_that_is_off_takes_its_features_along(shop):
    table = feature_matrix(shop(), toggles(site=False))
    assert "pages" not in table
    assert {"contacts", "category", "revenue_current"} <= set(table)


def test_derived_features_can_be_switched_off(shop):
    assert "revenue_trend" in feature_matrix(shop(), toggles())
    assert "revenue_trend" not in feature_matrix(shop(), toggles(derived=False))


def test_a_derived_feature_goes_when_one_of_its_inputs_goes(shop):
    customers = shop()
    mixed = DerivedFeature("revenue_a_page", "purchase", "ratio", ("revenue_current", "pages"))
    customers = replace(customers, derived_features=(mixed,))
    assert "revenue_a_page" in feature_matrix(customers, toggles())
    assert "revenue_a_page" not in feature_matrix(customers, toggles(site=False))


def test_no_group_at_all_is_not_applicable(shop):
    off = dict.fromkeys(("site", "product", "purchase", "communication"), False)
    with pytest.raises(NotApplicable, match="every feature group"):
        feature_matrix(shop(), toggles(**off))


def test_a_toggle_for_no_group_names_the_nearest(shop):
    with pytest.raises(RetainError, match=r"features\.sight .* Did you mean 'site'\?"):
        feature_matrix(shop(), toggles(sight=False))


# What a feature is for one customer must not depend on who else is in the table.
def test_features_look_at_one_row_at_a_time(shop):
    customers = shop()
    some = np.arange(len(customers)) % 3 == 0
    pd.testing.assert_frame_equal(
        feature_matrix(customers.rows(some), toggles()), feature_matrix(customers, toggles())[some]
    )


@pytest.mark.parametrize(
    ("operation", "expected"),
    [("ratio", 0.25), ("difference", -6.0), ("slope", 6.0), ("mean", 5.0)],
)
def test_operations_on_two_values(operation, expected):
    table = pd.DataFrame({"a": [2.0], "b": [8.0]})
    assert derive(DerivedFeature("x", "site", operation, ("a", "b")), table).tolist() == [expected]


def test_a_slope_is_that_of_the_least_squares_line(shop):
    values = np.random.default_rng(0).normal(size=(20, 4))
    table = pd.DataFrame(values, columns=list("abcd"))
    lines = np.polyfit(np.arange(4), values.T, 1)[0]
    found = derive(DerivedFeature("x", "site", "slope", tuple("abcd")), table).to_numpy()
    assert found == pytest.approx(lines)


def test_what_cannot_be_computed_is_missing():
    table = pd.DataFrame({"a": [1.0, np.nan], "b": [0.0, 2.0]})
    assert derive(DerivedFeature("x", "site", "ratio", ("a", "b")), table).isna().all()
