import numpy as np
import pandas as pd
import pytest
from scipy import stats

from retain.campaign.segmentation.contrasts import auc_interval, segment_contrasts
from retain.explanations.distributions import cliffs_delta


def segments(inside):
    return np.where(inside, "inside", "outside")


def test_the_feature_that_tells_a_segment_apart_comes_first():
    inside = np.arange(200) < 40
    random = np.random.default_rng(0)
    features = pd.DataFrame(
        {
            "noise": random.normal(size=200),
            "pages": random.normal(size=200) - 2 * inside,
            "level": pd.Series(np.where(inside, "premium", "standard"), dtype="str"),
            "constant": np.ones(200),
        }
    )
    found = segment_contrasts(features, segments(inside))["inside"]
    assert [one.feature for one in found] == ["level", "pages"]
    level, pages = found
    assert (level.level, level.in_segment, level.elsewhere, level.direction) == (
        "premium",
        1,
        0,
        "higher",
    )
    assert level.measure == "difference_of_shares"
    assert (pages.measure, pages.level, pages.direction) == ("cliffs_delta", None, "lower")
    assert pages.in_segment == pytest.approx(features["pages"][inside].mean())
    assert pages.low < pages.effect < pages.high < 0


def test_cliffs_delta_is_that_of_the_reasons_and_of_a_pairwise_count():
    random = np.random.default_rng(1)
    inside = random.random(150) < 0.3
    values = random.integers(0, 8, 150) + 3.0 * inside
    found = segment_contrasts(pd.DataFrame({"v": values}), segments(inside))["inside"][0]
    pairs = np.sign(values[inside][:, None] - values[~inside][None, :])
    assert found.effect == pytest.approx(pairs.mean())
    result = cliffs_delta(values, inside)
    assert found.effect == pytest.approx(result.value)
    assert (found.low, found.high) == pytest.approx((result.low, result.high), abs=0.05)


# The reason numbers and levels may be ranked together.
def test_a_level_and_the_same_level_as_a_number_have_the_same_effect():
    random = np.random.default_rng(2)
    inside = random.random(300) < 0.4
    premium = random.random(300) < np.where(inside, 0.7, 0.3)
    features = pd.DataFrame(
        {"number": premium * 1.0, "level": pd.Series(np.where(premium, "a", "b"), dtype="str")}
    )
    one, other = segment_contrasts(features, segments(inside))["inside"]
    assert one.effect == pytest.approx(other.effect)
    assert {one.measure, other.measure} == {"cliffs_delta", "difference_of_shares"}


def test_values_that_are_not_known_do_not_count():
    values = np.array([1, 2, 3, 4, np.nan, 5, 6, 7, 8, 9, np.nan, np.nan])
    level = pd.Series(["a"] * 4 + [None] + ["b"] * 5 + [None] * 2, dtype="str")
    found = segment_contrasts(pd.DataFrame({"v": values, "l": level}), segments(np.arange(12) < 5))[
        "inside"
    ]
    assert {one.feature: (one.in_segment, one.elsewhere) for one in found} == {
        "v": (2.5, 7),
        "l": (1, 0),
    }


def test_what_may_be_chance_is_not_told():
    random = np.random.default_rng(3)
    features = pd.DataFrame(random.normal(size=(100, 40)), columns=[f"f{i}" for i in range(40)])
    features["level"] = pd.Series(random.choice(["a", "b"], 100), dtype="str")
    found = segment_contrasts(features, segments(np.arange(100) < 10), most=41)
    assert all(one.low > 0 or one.high < 0 for ones in found.values() for one in ones)
    assert len(found["inside"]) <= 6


# Two customers at the top of a thousand may stand there by chance.
def test_two_customers_are_too_few_to_be_told_apart():
    values = pd.DataFrame({"v": np.arange(20.0)})
    assert segment_contrasts(values, segments(np.arange(20) == 19))["inside"] == []
    low, _ = auc_interval(np.ones(1), np.array([2]), np.array([20]))
    assert low[0] < 0.6


def test_a_mean_that_contradicts_the_effect_is_not_told():
    inside = np.arange(100) < 50
    values = np.where(inside, 2.0, 1.0) + np.arange(100) / 1000
    values[-1] = 1e6
    assert segment_contrasts(pd.DataFrame({"v": values}), segments(inside))["inside"] == []
    values[-1] = 1.0
    assert (
        segment_contrasts(pd.DataFrame({"v": values}), segments(inside))["inside"][0].effect > 0.9
    )


def test_everybody_differs_from_nobody():
    features = pd.DataFrame({"v": [1.0, 2.0], "l": pd.Series(["a", "b"], dtype="str")})
    assert segment_contrasts(features, np.array(["all", "all"])) == {"all": []}


def test_features_of_which_nothing_is_known_are_passed_over():
    features = pd.DataFrame({"v": np.full(9, np.nan), "l": pd.Series([None] * 9, dtype="str")})
    assert segment_contrasts(features, segments(np.arange(9) < 4)) == {"inside": [], "outside": []}


def test_the_interval_of_shares_is_newcombes_published_one():
    # Newcombe (1998), table II, (a): 56 of 70 against 48 of 80, method 10
    level = pd.Series(["y"] * 56 + ["n"] * 14 + ["y"] * 48 + ["n"] * 32, dtype="str")
    found = segment_contrasts(pd.DataFrame({"l": level}), segments(np.arange(150) < 70))["inside"][
        0
    ]
    assert (found.effect, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(("n", "m"), [(5, 60), (30, 300)])
@pytest.mark.parametrize("shift", [0.0, 1.0, 2.0])
def test_intervals_cover_the_truth(n, m, shift):
    random = np.random.default_rng(0)
    truth = stats.norm.cdf(shift / np.sqrt(2))
    inside, outside = random.normal(shift, 1, (1000, n, 1)), random.normal(0, 1, (1000, 1, m))
    auc = (inside > outside).mean(axis=(1, 2))
    low, high = auc_interval(auc, np.full(1000, n), np.full(1000, m))
    assert ((low <= truth) & (truth <= high)).mean() >= 0.935
    assert ((low >= 0) & (low <= auc) & (auc <= high) & (high <= 1)).all()
