import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from retain.campaign.segmentation.outcomes import (
    AudienceOutcomes,
    effective_size,
    observe,
    share_draws,
)
from retain.verdict.statistics import wilson_interval


def drawn(seed, *, count=600, wrong=0.0, copies=1):
    """Declines of customers in three segments; ``wrong`` is what their expected risk is off by."""
    random = np.random.default_rng(seed)
    risk = random.beta(1.5, 2, count // copies)
    declined = (random.random(len(risk)) < risk).astype(float)
    group = np.repeat(np.arange(len(risk)), copies)
    risk, declined = np.repeat(risk, copies), np.repeat(declined, copies)
    expected = np.clip(risk + np.where(risk > 0.6, wrong, 0.0), 0.001, 0.999)
    names = np.array(["low", "middle", "high"])[np.digitize(risk, [0.3, 0.6])]
    return AudienceOutcomes(declined, expected, group), names, risk


def test_every_group_holds_its_customers_and_their_declines():
    outcomes, names, risk = drawn(0)
    found = observe(outcomes, names, risk)
    for name, one in found.segments.items():
        inside = names == name
        assert (one.customers, one.declined) == (inside.sum(), outcomes.declined[inside].sum())
        assert (one.low, one.high) == pytest.approx(wilson_interval(one.declined, one.customers))
        assert one.expected == pytest.approx(outcomes.expected[inside].mean())
    assert [one.customers for one in found.tenths] == [60] * 10
    assert np.diff([one.expected for one in found.tenths]).min() > 0


def test_p_is_a_binomial_mid_p_corrected_over_segments_and_tenths():
    outcomes, names, risk = drawn(1)
    found = observe(outcomes, names, risk)
    groups = [*found.segments.values(), *found.tenths]
    raw = []
    for one in groups:
        law = stats.binom(one.customers, one.expected)
        upper = law.sf(one.declined - 1) / 2 + law.sf(one.declined) / 2
        raw.append(min(1, 2 * min(upper, 1 - upper)))
    assert [one.p for one in groups] == pytest.approx(multipletests(raw, method="holm")[1])
    assert found.check().n_tests == 13


# Over a whole table of right risks there is a flag in .05 of cases at most.
def test_right_risks_are_seldom_flagged():
    flags = [
        bool(tree.n_flagged_segments + tree.n_flagged_tenths)
        for tree in (observe(*drawn(seed)).check() for seed in range(400))
    ]
    assert stats.binomtest(sum(flags), 400, 0.05, "greater").pvalue > 0.001


def test_wrong_risks_are_flagged_where_they_are_wrong():
    found = observe(*drawn(0, wrong=0.15))
    assert found.segments["high"].is_miscalibrated
    assert not found.segments["low"].is_miscalibrated
    assert found.check().n_flagged_tenths > 0


# Near-copies of a customer have the same label for one reason.
def test_copies_do_not_narrow_an_interval():
    once, names, risk = drawn(0, count=300)
    twice = observe(*drawn(0, count=600, copies=2))
    alone = observe(once, names, risk)
    for name, one in twice.segments.items():
        assert one.customers == 2 * alone.segments[name].customers
        assert (one.low, one.high) == pytest.approx(
            (alone.segments[name].low, alone.segments[name].high)
        )


def test_copies_do_not_raise_a_flag():
    flags = [
        bool(tree.n_flagged_segments + tree.n_flagged_tenths)
        for tree in (observe(*drawn(seed, count=1200, copies=3)).check() for seed in range(200))
    ]
    assert stats.binomtest(sum(flags), 200, 0.05, "greater").pvalue > 0.001


def test_few_customers_have_a_count_and_no_interval():
    outcomes, _, risk = drawn(0, count=100)
    found = observe(outcomes, np.array(["few"] * 19 + ["many"] * 81), risk)
    few, many = found.segments["few"], found.segments["many"]
    assert few.risk is None
    assert (few.as_tenth(1).n_declined, few.p) == (few.declined, None)
    assert many.risk is not None
    assert {one.p for one in found.tenths} == {None}
    assert found.check().n_tests == 1


def test_one_risk_for_all_is_one_tenth():
    outcomes, names, risk = drawn(0)
    assert len(observe(outcomes, names, np.full(len(risk), 0.3)).tenths) == 1
    some = np.where(risk > 0.5, 0.7, 0.2)
    tenths = observe(outcomes, names, some).tenths
    assert sum(one.customers for one in tenths) == len(risk)
    assert min(one.customers for one in tenths) > 0


def test_the_effective_size_is_the_number_of_equal_customers():
    code, alone = np.repeat([0, 1], 50), np.arange(100)
    assert effective_size(code, alone, np.ones(100), 2).tolist() == [50, 50]
    weight = np.random.default_rng(0).lognormal(0, 1, 100)
    first = weight[:50]
    expected = first.sum() ** 2 / (first**2).sum()
    assert effective_size(code, alone, weight, 2)[0] == pytest.approx(expected)
    assert effective_size(code, alone, 7 * weight, 2)[0] == pytest.approx(expected)
    assert effective_size(code, alone, np.zeros(100), 2).tolist() == [0, 0]


def test_draws_of_a_share_have_the_quantiles_of_wilson():
    normal = np.random.default_rng(0).standard_normal(200_000)
    draws = share_draws(np.array([0.0, 0.2, 1.0]), np.array([30.0, 50.0, 20.0]), normal)
    for row, (events, total) in zip(draws, [(0, 30), (10, 50), (20, 20)], strict=True):
        expected = wilson_interval(events, total)
        assert np.quantile(row, [0.025, 0.975]) == pytest.approx(expected, abs=0.005)
