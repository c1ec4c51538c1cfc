import numpy as np
import pytest

from retain.learning.metrics import roc_auc
from retain.verdict.corrected import correct_means, measure_left_out_folds
from retain.verdict.placements import Placements, placement_values
from retain.verdict.selection import confidence_set_p, correct_for_selection, variance_factor
from retain.verdict.statistics import delong
from retain.verdict.verdict import compare_runs


def scored(n_runs, gaps=0.6, n=300, seed=0):
    """Placements of runs whose scores separate the classes by ``gaps`` standard deviations."""
    random = np.random.default_rng(seed)
    declined = np.arange(n) < 0.3 * n
    fold = np.arange(n) % 5
    score = random.normal(np.multiply.outer(declined, np.broadcast_to(gaps, n_runs)), 1)
    values = np.column_stack([placement_values(declined, column, fold) for column in score.T])
    means = values[declined].mean(axis=0)
    return Placements(tuple(map(str, range(n_runs))), values, declined), means


@pytest.mark.parametrize("decimals", [1, 8])
def test_the_mean_placement_of_a_fold_is_its_roc_auc(decimals):
    random = np.random.default_rng(0)
    declined, fold = random.random(400) < 0.3, random.integers(0, 4, 400)
    score = random.normal(0.5 * declined, 1).round(decimals)
    values = placement_values(declined, score, fold)
    for k in range(4):
        at = fold == k
        expected = roc_auc(declined[at].astype(int), score[at])
        assert values[at & declined].mean() == pytest.approx(expected)
        assert values[at & ~declined].mean() == pytest.approx(expected)


def test_the_covariance_is_delongs():
    random = np.random.default_rng(0)
    declined = random.random(400) < 0.3
    score = random.normal(0.5 * declined, 1)
    values = placement_values(declined, score, np.zeros(400, int))
    variance = Placements(("a",), values[:, None], declined).covariance()[0, 0]
    auc, low, _ = delong(declined.astype(int), score)
    error = (np.log(auc / (1 - auc)) - np.log(low / (1 - low))) / 1.959964 * auc * (1 - auc)
    assert np.sqrt(variance) == pytest.approx(error, rel=1e-4)


def test_candidates_are_averaged_over_their_runs():
    placements, _ = scored(3)
    found = placements.average([("x", ["0", "2", "gone"]), ("y", ["gone"])])
    assert found.ids == ("x",)
    assert found.values[:, 0] == pytest.approx(placements.values[:, [0, 2]].mean(axis=1))


# Of 60 runs of equal worth the best is .07 too high.
def test_the_best_of_many_equal_runs_is_corrected_to_what_it_is_worth():
    truth = 0.664  # Φ(.6 / √2)
    raw, corrected = [], []
    for seed in range(20):
        placements, means = scored(60, seed=seed)
        raw.append(means.max())
        corrected.append(correct_for_selection(placements, means, resamples=100))
    assert np.mean(raw) - truth > 0.05
    values, lows, highs = np.transpose(corrected)
    assert abs(values.mean() - truth) < 0.015
    assert np.mean((lows <= truth) & (truth <= highs)) >= 0.9


def test_one_run_far_ahead_needs_no_correction():
    placements, means = scored(5, gaps=np.array([0.2, 0.2, 2.0, 0.2, 0.2]))
    value, low, high = correct_for_selection(placements, means)
    assert value == pytest.approx(means[2], abs=0.003)
    assert low < means[2] < high


def test_a_dear_store_gets_fewer_resamples_and_the_same_answer(monkeypatch):
    placements, means = scored(4, n=2000)
    whole = correct_for_selection(placements, means)
    monkeypatch.setattr("retain.verdict.selection.CHUNK_CELLS", 3000)
    assert correct_for_selection(placements, means) == pytest.approx(whole, abs=0.004)


# Called lower by a paired test with the luckiest, an equal run is found in .9 of studies.
def test_equal_runs_are_seldom_called_lower():
    called = 0
    for seed in range(60):
        placements, means = scored(20, seed=seed)
        covariance = variance_factor(0.25) * placements.covariance()
        called += (confidence_set_p(means, covariance, 89, simulations=500) < 0.05).any()
    assert called <= 9  # binomial, p < .001 above .05


def test_a_run_that_is_clearly_worse_is_lower_and_the_others_are_not():
    placements, means = scored(20, gaps=np.r_[[1.0] * 19, 0.2], n=1000)
    p = confidence_set_p(means, 1.8 * placements.covariance(), 299)
    assert p[19] < 0.05
    assert (p[:19] >= 0.05).all()
    assert p[means.argmax()] == 1


def test_two_runs_get_the_p_of_one_difference():
    p = confidence_set_p(np.array([0.7, 0.6]), np.eye(2) * 0.05**2, 10_000, simulations=200_000)
    assert p[0] == 1
    assert p[1] == pytest.approx(2 * 0.0786, abs=0.005)  # 2(1 − Φ(.1 / (.05 √2)))


def test_identical_runs_are_tied():
    p = confidence_set_p(np.full(3, 0.7), np.full((3, 3), 1e-4), 100)
    assert (p >= 0.05).all()


@pytest.fixture
def equal_runs(make_record):
    random = np.random.default_rng(3)
    return [
        make_record(id=f"{i:08x}", auc=tuple(random.normal(0.8, 0.04, 6)), model={"name": f"m{i}"})
        for i in range(30)
    ]


def test_without_scores_each_fold_is_measured_for_the_best_of_the_others(equal_runs):
    ordered = sorted(equal_runs, key=lambda r: -r.metrics["roc_auc"].value)
    found = correct_means(ordered[0], ordered, None)
    assert found.method == "folds"
    assert found.n_candidates == 30
    raw = ordered[0].metrics["roc_auc"].value
    assert 0.8 - 0.02 < found.metrics["roc_auc"].value < raw
    assert measure_left_out_folds(ordered[:1], "roc_auc") == pytest.approx(raw)


def test_a_run_alone_keeps_its_mean(make_record, comparison):
    verdict = compare_runs([make_record()], comparison)
    assert verdict.corrected.method == "one_candidate"
    assert verdict.corrected.metrics["roc_auc"].value == pytest.approx(0.9)
    assert verdict.corrected.message == ""


def test_the_verdict_corrects_by_the_scores_it_has(equal_runs, comparison):
    random = np.random.default_rng(0)
    declined = np.arange(300) < 90
    values = random.uniform(0.6, 1.0, (300, 30))
    placements = Placements(tuple(r.id for r in equal_runs), values, declined)
    verdict = compare_runs(equal_runs, comparison, placements)
    assert verdict.corrected.method == "bbc_cv"
    assert verdict.corrected.n_scored == 30
    assert "BBC-CV over the scores of 30" in verdict.sentence
    fewer = Placements(placements.ids[:20], values[:, :20], declined)
    verdict = compare_runs(equal_runs, comparison, fewer)
    assert len(verdict.table) == 30
    assert verdict.corrected.n_scored == 20


# The simplest of the tied was not chosen for its mean, which may be lower than the corrected one.
def test_a_winner_that_is_not_the_best_keeps_its_own_mean_if_lower(equal_runs):
    ordered = sorted(equal_runs, key=lambda r: -r.metrics["roc_auc"].value)
    last = ordered[-1]
    found = correct_means(last, ordered, None).metrics
    assert found["roc_auc"].value == last.metrics["roc_auc"].value
    assert found["brier"].value == last.metrics["brier"].value


def copy_everybody(placements, copies):
    """Everybody ``copies`` times, in a group."""
    n = len(placements.declined)
    values = np.tile(placements.values, (copies, 1))
    declined = np.tile(placements.declined, copies)
    return Placements(placements.ids, values, declined, np.tile(np.arange(n), copies))


# Six copies of everybody, taken for independent, once made the interval 2.4 times too narrow and
# called runs of equal worth lower.
def test_copies_of_customers_are_no_further_evidence():
    placements, means = scored(20)
    several = copy_everybody(placements, 6)
    assert several.covariance() == pytest.approx(placements.covariance(), rel=1e-9)
    assert several.degrees_of_freedom == placements.degrees_of_freedom == 89
    once, found = (correct_for_selection(one, means) for one in (placements, several))
    assert found == pytest.approx(once, abs=0.004)


def test_groups_of_one_change_nothing():
    placements, means = scored(5)
    alone = Placements(placements.ids, placements.values, placements.declined, np.arange(300))
    assert (alone.covariance() == placements.covariance()).all()
    assert correct_for_selection(alone, means) == correct_for_selection(placements, means)


# The same customer declines at one snapshot and stays at another.
def test_the_covariance_of_groups_of_both_classes_is_that_of_their_bootstrap():
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(150), 3)
    habit, leaning = random.normal(0, 1, (2, 150))[:, group]
    declined = leaning + random.normal(0, 0.5, 450) > 0.3
    score = habit + 0.5 * declined + random.normal(0, 0.3, 450)
    fold = np.zeros(450, int)
    values = placement_values(declined, score, fold)
    found = Placements(("a",), values[:, None], declined, group).covariance()[0, 0]
    aucs = []
    for _ in range(400):
        rows = (3 * random.integers(0, 150, 150)[:, None] + np.arange(3)).ravel()
        aucs.append(roc_auc(declined[rows].astype(int), score[rows]))
    assert np.sqrt(found) == pytest.approx(np.std(aucs), rel=0.12)
    rows_alone = Placements(("a",), values[:, None], declined).covariance()[0, 0]
    assert found > 1.3 * rows_alone


# A constant score had no variance against a perfect one, and so was called its equal.
def test_a_constant_run_is_lower_than_perfect_ones():
    declined = np.arange(60) < 20
    values = np.column_stack([np.ones((60, 2)), np.full(60, 0.5)])
    placements, means = Placements(("a", "b", "c"), values, declined), np.array([1.0, 1.0, 0.5])
    p = confidence_set_p(means, 1.8 * placements.covariance(), placements.degrees_of_freedom)
    assert p[2] < 0.05 <= p[1]
    value, low, high = correct_for_selection(placements, means)
    assert (value, high) == (1, 1)
    assert low == pytest.approx(20 / (20 + 1.959964**2))


def test_the_difference_of_runs_without_any_variance_is_sure():
    p = confidence_set_p(np.array([0.7, 0.7, 0.5]), np.zeros((3, 3)), 100)
    assert p[2] < 0.01
    assert p[0] == p[1] == 1
