import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.verdict.elimination import eliminated_runs

FOLDS = 4
aucs = st.lists(st.floats(0.5, 1.0), min_size=FOLDS, max_size=FOLDS)
fields = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), aucs, min_size=1, max_size=6)


def leaders(scores):
    means = {id_: np.mean(values) for id_, values in scores.items()}
    return {id_ for id_, mean in means.items() if mean == max(means.values())}


# A race without its leader would have nobody to be compared with, and no winner.
@settings(max_examples=50, deadline=None)
@given(fields)
def test_a_leader_stays(scores):
    assert not leaders(scores) <= eliminated_runs(scores, FOLDS, 0.25)


@settings(max_examples=50, deadline=None)
@given(fields, st.randoms())
def test_the_order_of_the_runs_is_irrelevant(scores, chance):
    shuffled = list(scores.items())
    chance.shuffle(shuffled)
    assert eliminated_runs(dict(shuffled), FOLDS, 0.25) == eliminated_runs(scores, FOLDS, 0.25)


@settings(max_examples=50, deadline=None)
@given(aucs, st.integers(1, 5))
def test_equal_runs_all_stay(values, count):
    assert eliminated_runs({str(n): values for n in range(count)}, FOLDS, 0.25) == frozenset()


@settings(max_examples=50, deadline=None)
@given(fields)
def test_who_is_dropped_has_a_lower_mean_than_the_leader(scores):
    out = eliminated_runs(scores, FOLDS, 0.25)
    best = np.mean(scores[next(iter(leaders(scores)))])
    assert all(np.mean(scores[id_]) < best for id_ in out)


# Otherwise a run that is further ahead would be judged by folds that the others do not have yet.
@settings(max_examples=50, deadline=None)
@given(fields, aucs)
def test_later_folds_change_nothing(scores, later):
    longer = {id_: values + later for id_, values in scores.items()}
    assert eliminated_runs(longer, FOLDS, 0.25) == eliminated_runs(scores, FOLDS, 0.25)


# A run that was stopped before was worse than somebody, and says nothing of these folds.
@settings(max_examples=50, deadline=None)
@given(fields, st.lists(st.floats(0.5, 1.0), max_size=FOLDS - 1))
def test_a_run_with_fewer_folds_takes_no_part(scores, few):
    with_it = {**scores, "short": few}
    assert eliminated_runs(with_it, FOLDS, 0.25) == eliminated_runs(scores, FOLDS, 0.25)


# More overlap of the training rows means less is known.
def test_the_larger_the_test_folds_the_fewer_are_dropped():
    scores = {"a": [0.90, 0.91, 0.92], "b": [0.88, 0.90, 0.89]}
    assert eliminated_runs(scores, 3, test_to_train=0.1) == {"b"}
    assert eliminated_runs(scores, 3, test_to_train=2.0) == frozenset()


# One-sided: t must pass 2.92 at two degrees of freedom, which two-sided would be p = .1.
@pytest.mark.parametrize(("t", "out"), [(2.85, False), (2.99, True)])
def test_worse_is_asked_one_sidedly(t, out):
    noise = np.array([-0.01, 0.0, 0.01])
    gap = t * np.sqrt((1 / 3 + 0.25) * noise.var(ddof=1))
    scores = {"best": [0.9] * 3, "other": list(0.9 - gap + noise)}
    assert (eliminated_runs(scores, 3, 0.25) == {"other"}) is out


def test_a_race_of_nobody_drops_nobody():
    assert eliminated_runs({}, 3, 0.25) == frozenset()


def test_a_stricter_level_stops_no_more():
    scores = {"a": [0.90, 0.91, 0.92], "b": [0.88, 0.90, 0.89], "c": [0.7, 0.7, 0.7]}
    assert (
        eliminated_runs(scores, 3, 0.25, alpha=0.01)
        == {"c"}
        < eliminated_runs(scores, 3, 0.25, alpha=0.2)
    )
