"""Warnings that explanations add to a verdict."""

import pytest

from retain.verdict.document import find_dominant_feature


@pytest.mark.parametrize(
    ("strength", "name"),
    [
        ({"a": 0.6, "b": 0.3, "c": 0.1}, "a"),
        ({"a": 0.5, "b": 0.3, "c": 0.2}, None),
        ({"a": 0.9, "b": 0.1}, None),  # of two features one always carries half
        ({"a": 0.0, "b": 0.0, "c": 0.0}, None),
        ({}, None),
    ],
)
def test_a_feature_dominates_that_carries_more_than_all_others(strength, name):
    caution = find_dominant_feature(strength)
    assert (None if caution is None else caution.values["feature"]) == name
    if caution is not None:
        assert caution.code == "dominant_feature"
        assert "60%" in caution.sentence
