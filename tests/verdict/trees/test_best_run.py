import numpy as np
import pytest

from retain.verdict.trees.best_run import change_of_best, change_of_folds

STRONG, WEAK = 1.0, 0.6
THREE = {"svc": (1, STRONG), "tree": (2, WEAK), "knn": (3, WEAK)}


def test_equal_trees_do_not_differ_at_all(scored):
    change = change_of_best(scored(THREE), scored(THREE))
    assert (change.value, change.low, change.high) == (0, 0, 0)


def test_a_loss_is_outside_the_interval(scored):
    branch = {name: (seed, 0.0) for name, (seed, _) in THREE.items()}
    change = change_of_best(scored(THREE), scored(branch))
    assert change.high < 0


def test_a_change_turned_round_is_its_opposite(scored):
    trees = scored(THREE), scored({"svc": (5, 0.8), "new": (6, 0.8)})
    there, back = change_of_best(*trees), change_of_best(*reversed(trees))
    assert (there.value, there.low, there.high) == pytest.approx(
        (-back.value, -back.high, -back.low)
    )


# The best of thirty equal runs is not better than one such run, but by its choice.
def test_more_runs_of_equal_worth_are_no_gain(scored):
    many = scored({f"run{n}": (100 + n, WEAK) for n in range(30)})
    one = scored({"run0": (7, WEAK)})
    raw = many.means.max() - one.means.max()
    change = change_of_best(one, many)
    assert change.value < 0.7 * raw
    assert change.low < 0 < change.high


def test_the_interval_is_never_narrower_than_that_of_the_folds(scored):
    main, branch = scored({"svc": (1, STRONG)}), scored({"svc": (9, STRONG)})
    change, folds = change_of_best(main, branch), change_of_folds(main.best, branch.best)
    assert change.high - change.low >= (folds.high - folds.low)[0] - 1e-12
    assert change.value == pytest.approx(folds.value[0], abs=0.005)


def test_other_folds_and_other_customers_widen_the_interval(scored):
    main, branch = scored(THREE), scored(THREE, rows="else")
    assert main.is_paired_with(scored(THREE))
    assert not main.is_paired_with(branch)
    change = change_of_best(main, branch)
    assert change.low < -0.02
    assert change.high > 0.02


def test_customers_in_another_order_are_not_paired(scored):
    order = np.random.default_rng(0).permutation(400)
    branch = scored(THREE, rows="same", order=order)
    other = type(branch)(branch.records, branch.placements, "their hash")
    assert not scored(THREE).is_paired_with(other)
    assert change_of_best(scored(THREE), other).low < 0


def test_a_higher_level_widens_the_interval(scored):
    trees = scored(THREE), scored({"svc": (5, STRONG), "new": (6, WEAK)})
    wide, narrow = (change_of_best(*trees, level=level) for level in (0.99, 0.95))
    assert wide.low < narrow.low
    assert wide.high > narrow.high
