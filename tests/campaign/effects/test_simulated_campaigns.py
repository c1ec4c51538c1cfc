"""The simulation of ``experiments/statistics`` on a few campaigns, alarming at p < .001."""

import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest
from scipy import stats

CHANCE = 0.001


@pytest.fixture(scope="module")
def script(checkout):
    path = checkout / "experiments" / "statistics" / "effects.py"
    spec = spec_from_file_location("simulated_effects", path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


# Where each fold chose the best arm by the others, .90 of all differences were covered.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "count"),
    [("same effects", 24), ("same effects, money, unequal", 16), ("strong differences", 14)],
)
def test_intervals_cover_and_personal_plans_are_chosen_where_effects_differ(script, name, count):
    store = next(one for one in script.stores() if one.name == name)
    for what, held in script.simulate(store, count, first=5000).items():
        bar = script.bar(store, what)
        if bar:
            alternative = "less" if bar.startswith("≥") else "greater"
            alarm = stats.binomtest(sum(held), count, float(bar[2:]), alternative).pvalue
            assert alarm > CHANCE, (what, sum(held))
