from itertools import combinations

import numpy as np
import pytest
from scipy import special, stats

from retain.verdict.sealed_test import Ledger
from retain.verdict.verdict import compare_runs
from retain.verdict.versus_random import NOT_TESTED, compare_with_random, mann_whitney_p


def sample(n=200, gap=0.0, seed=0):
    random = np.random.default_rng(seed)
    target = (np.arange(n) < 0.3 * n).astype(int)
    return target, random.normal(gap * target, 1)


@pytest.mark.parametrize(("n", "positives"), [(8, 3), (20, 14), (40, 20)])
def test_p_is_exact_for_few_customers(n, positives):
    target = np.arange(n) < positives
    score = np.random.default_rng(n).normal(0.4 * target, 1)
    given = stats.mannwhitneyu(score[target], score[~target], alternative="greater", method="exact")
    assert mann_whitney_p(target, score) == pytest.approx(given.pvalue)


# With ties no table of the exact distribution holds: count all assignments.
def test_p_is_exact_with_ties():
    score = np.array([1.0, 1, 2, 2, 2, 3, 3, 4, 4, 4])
    target = np.isin(np.arange(10), [3, 6, 8, 9])
    ranks = stats.rankdata(score)
    sums = [ranks[list(chosen)].sum() for chosen in combinations(range(10), 4)]
    assert mann_whitney_p(target, score) == pytest.approx(np.mean(sums >= ranks[target].sum()))


def test_p_of_many_customers_has_the_null_variance_of_ties():
    target, score = sample(1000, 0.1)
    score = score.round(1)
    given = stats.mannwhitneyu(
        score[target == 1], score[target == 0], alternative="greater", method="asymptotic"
    )
    assert mann_whitney_p(target == 1, score) == pytest.approx(given.pvalue)


@pytest.mark.parametrize("score", [np.full(20, 0.5), np.full(1000, 0.5)])
def test_one_score_for_all_says_nothing(score):
    assert mann_whitney_p(np.arange(len(score)) < 7, score) == pytest.approx(1.0)
    assert mann_whitney_p(np.zeros(len(score), bool), score) == 1.0


# The level halves with each access: .025 + .0125 + … stays below .05.
def test_the_level_halves_with_each_access():
    target, score = sample(200, 0.26)
    first, second = (
        compare_with_random(target, score, np.arange(200), access_number=k) for k in (1, 2)
    )
    assert (first.level, second.level) == (0.025, 0.0125)
    assert first.p == second.p == pytest.approx(0.01505, abs=1e-5)
    assert (first.status, second.status) == ("shown", "not_shown")


def test_a_ranking_worse_than_random_is_not_shown_to_be_better():
    target, score = sample(200, -1.0)
    assert compare_with_random(target, score, np.arange(200), access_number=1).p > 0.99


# Each customer ten times is no ten times the evidence.
def test_duplicates_count_once():
    target, score = sample(60, 0.3)
    alone = compare_with_random(target, score, np.arange(60), access_number=1)
    groups = np.repeat(np.arange(60), 10)
    copied = compare_with_random(target[groups], score[groups], groups, access_number=1)
    assert copied.p == pytest.approx(alone.p)


def test_the_sentence_claims_no_more_than_was_tested():
    worse, better = (
        compare_with_random(*sample(200, shift), np.arange(200), access_number=1).message
        for shift in (-1.0, 1.0)
    )
    assert "is not shown to rank" in worse
    assert "the winner ranks" in better
    assert "p <0.001; level 0.025 at access 1)." in better
    assert NOT_TESTED.status == "not_tested"
    assert NOT_TESTED.message.startswith("Not tested")


def test_the_same_winner_has_the_same_access_number_again(tmp_path, make_record):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    one, two = make_record(id="00000001"), make_record(id="00000002")
    assert ledger.access_number(one) == ledger.access_number(two) == 1
    ledger.add(one, 0.9)
    assert (ledger.access_number(one), ledger.access_number(two)) == (1, 2)
    ledger.add(two, 0.9)
    assert (ledger.access_number(one), ledger.access_number(two)) == (1, 2)


# One of many runs that see a strong signal was once called no better than chance, since p was
# corrected for all of them with the few degrees of freedom of the folds.
def test_a_clear_signal_is_shown_whatever_the_number_of_runs():
    target, score = sample(257, 0.58)
    assert compare_with_random(target, score, np.arange(257), access_number=1).status == "shown"


def test_a_tied_run_that_ranks_nobody_is_named(make_record, comparison):
    random = np.random.default_rng(1)
    runs = [
        make_record(id=f"{i:08x}", auc=tuple(random.normal(0.5, 0.04, 6)), model={"name": f"m{i}"})
        for i in range(20)
    ]
    dummy = make_record(id="dddddddd", auc=(0.5,) * 6, model={"name": "dummy"})
    verdict = compare_runs([*runs, dummy], comparison)
    assert verdict.constant_tied == ("dddddddd",)
    assert [one.code for one in verdict.cautions] == ["constant_tied"]
    knows = make_record(id="aaaaaaaa", model={"name": "knows"})
    assert compare_runs([*runs, dummy, knows], comparison).cautions == []


# Copies with scores of their own made p far smaller than without them, and nothing said why.
def test_the_test_says_where_copies_count_once():
    random = np.random.default_rng(0)
    target, groups = np.repeat([0, 1], [60, 60]), np.repeat(np.arange(30), 4)
    score = special.expit(target + random.normal(0, 2, 120))
    chance = compare_with_random(target, score, groups, access_number=1)
    assert (chance.n_customers, chance.n_groups) == (120, 30)
    assert "copies count once, with their mean score: 30 groups of 120 customers" in chance.message
    alone = compare_with_random(target, score, np.arange(120), access_number=1)
    assert "copies" not in alone.message
