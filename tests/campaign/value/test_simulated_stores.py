"""The simulations of ``experiments/statistics`` on a few stores, alarming at p < .001."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

EXPERIMENTS = Path(__file__).resolve().parents[3] / "experiments" / "statistics"


def load(name):
    spec = spec_from_file_location(f"simulated_{name}", EXPERIMENTS / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


STORES = 16
COVERED = (
    "segment risk",
    "segment money",
    "total money",
    "new segment risk",
    "new segment money",
)


# Before, .487 of segments' intervals held the truth, and no total of a linked profit did.
@pytest.mark.slow
@pytest.mark.parametrize("store", ["profit +.5", "misspecified"])
def test_intervals_of_segments_and_money_hold_the_truth(store):
    held = load("segments").simulate(store, STORES, first=5000)
    for what in COVERED:
        count = round(float(np.mean(held[what])) * STORES)
        alarm = stats.binomtest(count, STORES, 0.93, "less").pvalue
        assert alarm > 0.001, (what, np.mean(held[what]))
    flagged = stats.binomtest(int(sum(held["flagged"])), STORES, 0.05, "greater").pvalue
    assert flagged > 0.001
    error = np.array(held["total error"])
    assert abs(error.mean()) < 3.3 * error.std(ddof=1) / np.sqrt(STORES) + 0.02


# Before, the slope was .335 for a tree with five repeats.
@pytest.mark.slow
@pytest.mark.parametrize("model", ["tree", "logistic"])
def test_risks_of_new_customers_are_neither_too_extreme_nor_too_timid(model):
    found = load("calibration").simulate(model, 8, first=5000)
    for repeats, slopes in found.items():
        reach = 3.3 * np.std(slopes, ddof=1) / np.sqrt(len(slopes))
        assert 0.9 - reach < np.mean(slopes) < 1.1 + reach, repeats
