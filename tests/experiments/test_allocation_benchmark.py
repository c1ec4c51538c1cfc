"""The benchmark of the allocation, so small that it proves it runs and measures nothing."""

import doctest
import importlib

import numpy as np
import pytest


@pytest.fixture(scope="module")
def benchmark(checkout):
    """The script; its own folder is where it looks for others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(checkout / "experiments" / "benchmarks"))
        yield importlib.import_module("allocation")


def test_every_small_part_tells_its_target_and_whether_it_is_met(benchmark):
    parts = (
        benchmark.small(120, 2),
        benchmark.hundred(11_000, 1),
        benchmark.ties(15_000, 1),
        benchmark.prices(30_000, 1),
    )
    rows = [row for part in parts for row in part]
    assert len(rows) == 2 + 4 + 4 + 1
    assert rows[0][0] == "120 customers, 2 instances, cost per customer and offer"
    assert "2 proven" in rows[0][1]
    assert rows[3][2] == "every gap ≤ 2e-5"
    assert rows[-1][3], rows[-1]
    text = benchmark.told(rows)
    assert text.count("| pass |") + text.count("| miss |") == len(rows)


# Made in parts, a campaign must not depend on what the parts before it took.
def test_made_up_campaigns_are_the_same_each_time_and_their_limits_bind(benchmark):
    instances = importlib.import_module("instances")
    one, two = (instances.made_up(500, 3) for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    free = instances.made_up(500, 3, per_offer=True, rounded=True)
    assert free["cost"].shape == (9,)
    assert len(np.unique(free["net"][:, 0])) < 450
    plan = benchmark.allocate(benchmark.Problem(**one))
    assert plan.cost == pytest.approx(one["budget"], rel=0.01)


def test_pdlp_is_told_to_be_missing_or_comes_to_the_same_bound(benchmark):
    ((name, reached, _, met),) = benchmark.against_pdlp(200)
    assert "PDLP" in name
    if benchmark.pdlp.MISSING:
        assert "ortools is not installed" in reached
        assert met is None
    else:
        arguments = benchmark.made_up(200, 0)
        objective, _ = benchmark.pdlp.solved(arguments)
        plan = benchmark.allocate(benchmark.Problem(**arguments), exact_up_to=0)
        assert objective == pytest.approx(plan.upper_bound, rel=1e-3)


def test_the_page_has_a_place_for_the_allocation_and_its_examples_hold(benchmark):
    from report import README

    assert f"<!-- {benchmark.SECTION} begin -->" in README.read_text(encoding="utf-8")
    assert doctest.testmod(benchmark).failed == 0
