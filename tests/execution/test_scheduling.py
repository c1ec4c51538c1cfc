import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retain.execution.scheduling import CostGroup, CostModel

pytestmark = pytest.mark.no_cover  # what it runs here is measured where it is tested by itself

MODELS = st.sampled_from(["svc", "tree", "catboost"])
SAMPLERS = st.sampled_from(["none", "smote", "random_under"])
SECONDS = st.floats(0.01, 1000)
UNKNOWN = st.none()


@pytest.fixture(scope="session")
def sweep(make_task, record_of):
    """Tasks of the shapes given, and records of those with seconds."""

    def made(shapes):
        tasks = [make_task(f"{n:08x}", model, sampler) for n, (model, sampler, _) in shapes]
        known = zip(tasks, (seconds for _, (_, _, seconds) in shapes), strict=True)
        return tasks, [record_of(task, seconds=s) for task, s in known if s is not None]

    return lambda shapes: made(list(enumerate(shapes)))


def shapes(seconds):
    return st.lists(st.tuples(MODELS, SAMPLERS, seconds), max_size=25)


def drained(queue):
    return [queue.pop() for _ in range(len(queue))]


@given(shapes=shapes(UNKNOWN | SECONDS))
def test_every_task_is_picked_exactly_once(sweep, shapes):
    tasks, records = sweep(shapes)
    queue = CostModel(records).make_queue(tasks)
    assert len(queue) == len(tasks)
    assert sorted(task.id for task in drained(queue)) == [task.id for task in tasks]
    with pytest.raises(IndexError, match="empty queue"):
        queue.pop()


# Longest processing time first keeps a long run from being left for the end.
@given(shapes=shapes(SECONDS))
def test_with_all_costs_known_the_most_expensive_run_starts_first(sweep, shapes):
    tasks, records = sweep(shapes)
    costs = CostModel(records)
    expected = [costs.expected_cost(task) for task in drained(costs.make_queue(tasks))]
    assert expected == sorted(expected, reverse=True)


# Each kind is measured early, so that the rest can be put in order.
@given(shapes=shapes(UNKNOWN | SECONDS))
def test_a_kind_never_measured_comes_before_another_run_of_a_measured_one(sweep, shapes):
    tasks, records = sweep(shapes)
    measured = {CostGroup.of(record) for record in records}
    order = [CostGroup.of(task) for task in drained(CostModel(records).make_queue(tasks))]
    firsts = {kind: order.index(kind) for kind in order if kind not in measured}
    repeats = [n for n, kind in enumerate(order) if kind in measured or order.index(kind) < n]
    assert not firsts or not repeats or max(firsts.values()) < min(repeats)


@given(shapes=shapes(UNKNOWN))
def test_each_model_is_tried_before_a_second_kind_of_any(sweep, shapes):
    tasks, _ = sweep(shapes)
    order = [task.config["model"]["name"] for task in drained(CostModel().make_queue(tasks))]
    models = set(order)
    assert set(order[: len(models)]) == models


def test_ties_go_in_the_order_typed(make_task, record_of):
    tasks = [make_task(f"{n:08x}", "svc") for n in range(5)]
    assert drained(CostModel().make_queue(tasks)) == tasks
    same = [record_of(task, seconds=2.0) for task in tasks]
    assert drained(CostModel(same).make_queue(tasks)) == tasks


def test_what_is_learnt_meanwhile_changes_the_order(make_task, record_of):
    tasks = [make_task(f"{n:08x}", model) for n, model in enumerate(["tree", "svc"] * 3)]
    costs = CostModel()
    queue = costs.make_queue(tasks)
    for seconds, task in zip((1.0, 9.0), (queue.pop(), queue.pop()), strict=True):
        costs.add(record_of(task, seconds=seconds))
    order = [task.config["model"]["name"] for task in drained(queue)]
    assert order == ["svc", "svc", "tree", "tree"]


def test_a_run_is_expected_to_cost_what_it_cost_else_what_runs_alike_did(make_task, record_of):
    was = [
        make_task("00000001", "svc", "none"),
        make_task("00000002", "svc", "smote"),
        make_task("00000003", "svc", "smote", rows=9000),
    ]
    costs = CostModel(
        record_of(task, seconds=s) for task, s in zip(was, (1.0, 5.0, 60.0), strict=True)
    )
    new = "ffffffff"
    assert costs.expected_cost(was[2]) == 60.0
    assert costs.expected_cost(make_task(new, "svc", "smote", rows=9000)) == 60.0
    assert costs.expected_cost(make_task(new, "svc", "smote")) == 5.0
    assert costs.expected_cost(make_task(new, "svc", "adasyn")) == 3.0  # median of 1 and 5
    assert costs.expected_cost(make_task(new, "svc", "adasyn", rows=77)) == 5.0  # of 1, 5 and 60
    assert costs.expected_cost(make_task(new, "mlp")) is None


def test_a_failed_run_teaches_no_cost(make_task, record_of):
    task = make_task()
    costs = CostModel([record_of(task, "failed"), record_of(task, "not_applicable")])
    assert costs.expected_cost(task) is None
    assert costs.estimate_remaining([task], workers=2) is None


def test_time_to_go_is_the_work_left_over_the_workers(make_task, record_of):
    svc, tree, new = make_task("01", "svc"), make_task("02", "tree"), make_task("03", "mlp")
    costs = CostModel([record_of(svc, seconds=6.0), record_of(tree, seconds=2.0)])
    assert costs.estimate_remaining([svc, tree], workers=2) == 4.0
    assert (
        costs.estimate_remaining([svc, tree, new], workers=2) == 6.0
    )  # an unknown one counts as the mean
    assert costs.estimate_remaining([], workers=2) == 0.0
    assert CostModel().estimate_remaining([], workers=2) == 0.0


# Against a margin of twenty: this guards the order of growth, not the machine.
@pytest.mark.slow
def test_ten_thousand_picks_cost_next_to_nothing(make_task, record_of):
    kinds = [(model, sampler) for model in "abcdefghijkl" for sampler in "123456789"]
    made = [make_task(f"{n:08x}", *kind) for n, kind in enumerate(kinds)]
    tasks = [replace(made[n % len(made)], id=f"{n:08x}") for n in range(10_000)]
    costs = CostModel(record_of(task, seconds=n + 1.0) for n, task in enumerate(tasks[:108]))
    begun = time.process_time()
    assert len(drained(costs.make_queue(tasks))) == 10_000
    costs.estimate_remaining(tasks, workers=2)
    assert time.process_time() - begun < 20
