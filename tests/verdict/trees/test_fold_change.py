import numpy as np
import pytest
from scipy import stats

from retain.verdict.trees.fold_change import paired_change, unpaired_change


@pytest.fixture
def random():
    return np.random.default_rng(0)


# With no shared training rows the unpaired change is Welch's test, by an independent package.
def test_an_unpaired_change_without_overlap_is_that_of_welch(random):
    main, branch = random.normal(0.8, 0.02, 6), random.normal(0.81, 0.05, 10)
    found = unpaired_change(main[None], branch[None], (0.0, 0.0))
    welch = stats.ttest_ind(branch, main, equal_var=False)
    assert found.p[0] == pytest.approx(welch.pvalue)
    low, high = welch.confidence_interval(0.95)
    assert (found.low[0], found.high[0]) == pytest.approx((low, high))


def test_shared_training_rows_widen_an_unpaired_change(random):
    main, branch = random.normal(0.8, 0.02, (2, 1, 6))
    apart, shared = (unpaired_change(main, branch, (ratio, ratio)) for ratio in (0.0, 0.5))
    widening = (shared.high - shared.low) / (apart.high - apart.low)
    assert widening[0] == pytest.approx(np.sqrt((1 / 6 + 0.5) * 6))


@pytest.mark.parametrize("change", [paired_change, unpaired_change])
def test_equal_folds_without_variance_do_not_differ(change):
    folds = np.full((1, 4), 0.5)
    ratio = 0.5 if change is paired_change else (0.5, 0.5)
    found = change(folds, folds, ratio)
    assert (found.value[0], found.low[0], found.high[0], found.p[0]) == (0, 0, 0, 1)


def test_unequal_folds_without_variance_differ_for_certain():
    found = unpaired_change(np.full((1, 4), 0.5), np.full((1, 6), 0.75), (0.5, 0.5))
    assert (found.low[0], found.high[0], found.p[0]) == (0.25, 0.25, 0)


def test_a_level_widens_the_interval(random):
    main, branch = random.normal(0.8, 0.02, (2, 1, 6))
    for change, ratio in ((paired_change, 0.2), (unpaired_change, (0.2, 0.2))):
        wide, narrow = (change(main, branch, ratio, level) for level in (0.99, 0.95))
        assert wide.low < narrow.low
        assert wide.high > narrow.high
