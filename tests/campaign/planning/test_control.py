import hashlib
from collections import Counter
from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.campaign.planning import control
from retain.campaign.planning.control import assign_control, inflate_limit


def make_chosen(n, seed, offers=3, segments=4):
    """Customers chosen for offers or for nothing, in segments, at costs."""
    random = np.random.default_rng(seed)
    chosen = random.integers(-1, offers, n)
    segment = np.array([f"segment {number}" for number in range(segments)])[
        random.integers(0, segments, n)
    ]
    ids = random.permutation(np.arange(5000, 5000 + n))
    return chosen, random.gamma(2, 1, n), segment, ids


def floor_and_ceil(share, n):
    exact = Fraction(share).limit_denominator(1_000_000) * n
    return {floor(exact), ceil(exact)}


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(0, 300),
    seed=st.integers(0, 10_000),
    share=st.sampled_from([0.0, 0.05, 0.1, 0.2, 1 / 3, 0.37, 0.5, 0.9]),
)
def test_of_every_offer_and_stratum_the_share_is_held_out(n, seed, share):
    chosen, cost, segment, ids = make_chosen(n, seed)
    assignment = assign_control(chosen, cost, segment, ids, share=share, seed=seed)
    assert assignment.n_attempts == 1
    assert not assignment.is_control[chosen < 0].any()
    strata = Counter(zip(chosen.tolist(), segment.tolist(), strict=True))
    for (offer, place), count in strata.items():
        if offer >= 0:
            inside = (chosen == offer) & (segment == place)
            assert assignment.is_control[inside].sum() in floor_and_ceil(share, count)
    for offer in range(3):
        assert assignment.is_control[chosen == offer].sum() in floor_and_ceil(
            share, (chosen == offer).sum()
        )
    assert assignment.is_control.sum() in floor_and_ceil(share, (chosen >= 0).sum())


@settings(max_examples=100, deadline=None)
@given(limit=st.integers(0, 10_000), share=st.sampled_from([0.0, 0.05, 0.1, 0.2, 1 / 3, 0.7, 0.9]))
def test_a_limit_is_widened_as_far_as_it_holds_and_no_further(limit, share):
    exact = Fraction(share).limit_denominator(1_000_000)

    def treated(n):
        return n - floor(exact * n)

    most = inflate_limit(limit, share)
    assert treated(most) <= limit < treated(most + 1)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 300), seed=st.integers(0, 10_000), share=st.sampled_from([0.1, 0.2, 0.5]))
def test_the_treated_never_cost_more_than_the_budget(n, seed, share):
    chosen, cost, segment, ids = make_chosen(n, seed)
    budget = cost[chosen >= 0].sum() * (1 - share) * 1.02
    assignment = assign_control(chosen, cost, segment, ids, share=share, seed=seed, budget=budget)
    if assignment is not None:
        treated = (chosen >= 0) & ~assignment.is_control
        assert cost[treated].sum() <= budget * (1 + 1e-9)


def test_one_per_cent_below_the_budget_a_draw_is_found():
    for n in (60, 300):
        for seed in range(20):
            chosen, cost, segment, ids = make_chosen(n, seed)
            budget = cost[chosen >= 0].sum() * 0.8 / 0.99
            assert assign_control(chosen, cost, segment, ids, share=0.2, seed=seed, budget=budget)


def test_a_plan_that_costs_too_much_whatever_is_held_out_finds_none():
    chosen, cost, segment, ids = make_chosen(100, 0)
    budget = cost[chosen >= 0].sum() * 0.79
    assert assign_control(chosen, cost, segment, ids, share=0.2, seed=0, budget=budget) is None


def test_costs_all_alike_fit_a_budget_to_the_last_unit():
    chosen, ids = np.zeros(100, dtype=int), np.arange(100)
    cost, segment = np.full(100, 0.1), np.full(100, "all")
    assignment = assign_control(chosen, cost, segment, ids, share=0.2, seed=0, budget=8.0)
    assert assignment.is_control.sum() == 20


# Were only dear draws refused, those held out would be the costlier customers: over a hundred
# seeds their mean cost would be above that of the treated by some .8 standard errors each time.
def test_who_is_held_out_depends_on_neither_cost_nor_risk():
    n, differences, risks = 200, [], []
    chosen, cost, segment, ids = make_chosen(n, 1, offers=1)
    chosen[:] = 0
    risk = np.random.default_rng(9).random(n)
    budget = cost.sum() * 0.8 * 1.01
    for seed in range(400):
        assignment = assign_control(
            chosen, cost, segment, ids, share=0.2, seed=seed, budget=budget
        ).is_control
        differences.append(cost[assignment].mean() - cost[~assignment].mean())
        risks.append(risk[assignment].mean() - risk[~assignment].mean())
    for found in (differences, risks):
        assert abs(np.mean(found)) < 3.5 * np.std(found) / 20


def test_everybody_chosen_has_the_same_chance_to_be_held_out():
    chosen, cost, segment, ids = make_chosen(200, 1)
    often = sum(
        assign_control(chosen, cost, segment, ids, share=0.2, seed=seed).is_control.astype(int)
        for seed in range(400)
    )[chosen >= 0]
    assert often.mean() == pytest.approx(80, abs=0.5)
    assert abs(often - 80).max() < 4.5 * np.sqrt(400 * 0.2 * 0.8)


def test_the_order_of_rows_does_not_matter_and_the_seed_does():
    chosen, cost, segment, ids = make_chosen(300, 0)
    first = assign_control(chosen, cost, segment, ids, share=0.2, seed=1)
    permuted = np.random.default_rng(2).permutation(300)
    again = assign_control(
        chosen[permuted], cost[permuted], segment[permuted], ids[permuted], share=0.2, seed=1
    )
    assert np.array_equal(again.is_control, first.is_control[permuted])
    assert np.array_equal(again.assignment_id, first.assignment_id[permuted])
    other = assign_control(chosen, cost, segment, ids, share=0.2, seed=2)
    assert not np.array_equal(other.is_control, first.is_control)


def test_every_draw_can_be_checked_by_its_id():
    chosen, cost, segment, ids = make_chosen(50, 0)
    assignment = assign_control(chosen, cost, segment, ids, share=0.2, seed=7)
    for i in range(50):
        text = hashlib.sha256(f"7:{assignment.n_attempts}:{ids[i]}".encode()).hexdigest()[:12]
        assert assignment.assignment_id[i] == (text if chosen[i] >= 0 else "")


def test_nobody_chosen_is_nobody_held_out():
    assignment = assign_control(
        np.full(3, -1), np.ones(3), np.array(["a"] * 3), np.arange(3), share=0.2, seed=0
    )
    assert not assignment.is_control.any()


def test_it_gives_up_after_so_many_draws(monkeypatch):
    samples = []
    original = control._sample_control

    def count_samples(*args):
        samples.append(1)
        return original(*args)

    monkeypatch.setattr(control, "_sample_control", count_samples)
    chosen, ids, segment = np.zeros(10, dtype=int), np.arange(10), np.full(10, "all")
    cost = np.array([100.0, *[1.0] * 9])
    assert assign_control(chosen, cost, segment, ids, share=0.5, seed=0, budget=55.0) is None
    assert len(samples) == control.MAX_ATTEMPTS
