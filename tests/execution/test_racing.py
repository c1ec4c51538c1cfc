"""How a race goes on, run by run, without doing any; and what is told of it meanwhile."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from retain.errors import RetainError
from retain.execution.dispatcher import Dispatcher
from retain.execution.executor import WorkerExecutor
from retain.execution.progress import SweepProgress
from retain.execution.racing import Race
from retain.execution.scheduling import CostModel
from retain.execution.task import RungResult
from retain.execution.worker import Worker
from retain.schema.run import Limits
from retain.verdict.elimination import eliminated_runs


class Track:
    """A crew whose runs have their scores beforehand; notes what it was asked for."""

    def __init__(self, scores, record_of, *, fails=()):
        self.scores, self.record_of, self.fails = scores, record_of, fails
        self.n_cancelled, self.passes = 0, []

    def results(self, queue):
        tasks = [queue.pop() for _ in range(len(queue))]
        self.passes.append({task.id: (task.rung.folds, task.rung.is_final) for task in tasks})
        for task in tasks:
            auc = self.scores[task.id][: task.rung.folds]
            if (task.id, task.rung.folds) in self.fails:
                yield self.record_of(task, "failed")
            elif task.rung.is_final or task.rung.folds == task.split.fits:
                yield self.record_of(task, auc=auc)
            else:
                yield RungResult(task.id, auc, seconds=1.0, seconds_spent=task.seconds_spent + 1.0)

    def run_job(self, job, *arguments):
        assert job == "eliminate"
        return eliminated_runs(*arguments)


@pytest.fixture
def race(make_plan, make_task, record_of):
    """A race of runs with the scores given; those ``before`` were done earlier."""

    def held(scores, before=(), **how):
        tasks = {id_: make_task(id_) for id_ in scores}
        done = [record_of(tasks[id_], auc=scores[id_]) for id_ in before]
        track = Track(scores, record_of, **how)
        planned = make_plan(list(tasks.values()), done)
        ended = list(Race(planned, 3, CostModel(), lambda _: None).records(track))
        return track.passes, {record.id: record.folds for record in ended}

    return held


BEST = (0.91, 0.90, 0.92, 0.91, 0.90, 0.92)
LATE = (0.91, 0.90, 0.91, 0.80, 0.80, 0.80)
WORST = (0.70, 0.69, 0.72, 0.70, 0.70, 0.70)


def test_all_have_the_same_folds_before_any_is_stopped(race):
    passes, ended = race({"aa": BEST, "bb": LATE, "cc": WORST})
    assert passes[0] == {"aa": (3, False), "bb": (3, False), "cc": (3, False)}
    assert passes[1] == {"aa": (4, False), "bb": (4, False), "cc": (3, True)}
    assert ended["aa"] == 6
    assert ended["cc"] == 3


def test_a_run_done_before_may_lead_and_is_not_begun_again(race):
    passes, ended = race({"aa": BEST, "cc": WORST}, before=["aa"])
    assert passes[:2] == [{"cc": (3, False)}, {"cc": (3, True)}]
    assert ended == {"cc": 3}


def test_a_run_that_failed_leads_no_more(race):
    passes, ended = race({"aa": BEST, "cc": WORST}, fails=[("aa", 3)])
    assert ended == {"aa": 0, "cc": 6}
    assert len(passes) == 4


def test_a_comparison_that_dies_each_time_ends_the_launch_with_a_sentence(fork_server, monkeypatch):
    starts = []

    def start_and_kill(worker, *job):
        starts.append(job)
        start_job(worker, *job)
        worker.kill()

    start_job = Worker.start_job
    monkeypatch.setattr(Worker, "start_job", start_and_kill)
    pairs = {f"{run:04}": (0.9, 0.8, 0.9) for run in range(5000)}  # no answer before the kill
    with WorkerExecutor(1) as executor:
        dispatcher = Dispatcher(executor, Limits(seconds=None, memory_mb=None))
        with pytest.raises(RetainError, match="process that compares the runs died: SIGKILL"):
            dispatcher.run_job("eliminate", pairs, 3, 0.25)
    assert len(starts) == 3


def test_a_run_that_waits_does_not_run_and_has_not_ended(make_plan, make_task, record_of):
    task = make_task()
    costs = CostModel([record_of(task, seconds=6.0)])
    tally = SweepProgress(make_plan([task]), costs, 1)
    tally.record_start(task)
    tally.record_pause(RungResult(task.id, (0.9, 0.9, 0.9), seconds=3.0, seconds_spent=3.0))
    status = tally.status("running")
    assert (status.running, status.n_left, status.n_done) == ((), 1, 0)
    assert status.eta_seconds == pytest.approx(3.0, abs=0.1)
    assert tally.n_ended == pytest.approx(0.5)
    tally.record_end(record_of(task))
    assert tally.n_ended == 1


# On its few folds it may look better than any that was not stopped.
def test_a_raced_run_is_not_the_best_so_far(make_plan, make_task, record_of):
    one, two = make_task("0123abcd"), make_task("4567abcd", "tree")
    tally = SweepProgress(make_plan([one, two]), CostModel(), 1)
    assert not tally.record_end(record_of(one, auc=(0.99, 0.99, 0.99), stopped_early=True))
    assert tally.record_end(record_of(two))
    assert tally.status("running").n_stopped_early == 1


def test_what_a_raced_run_cost_stands_for_all_its_folds(make_task, record_of):
    task = make_task()
    raced = record_of(task, seconds=3.0, auc=(0.9, 0.9, 0.9), stopped_early=True)
    assert CostModel([raced]).own_cost(task) == pytest.approx(6.0)


def test_a_clock_set_back_between_two_legs_lets_no_run_end_before_it_began(make_task, here):
    from retain.execution.task import RunOutcome, finish

    task = make_task()
    task = replace(
        task,
        config={**task.config, "seed": 0},
        started="2026-01-01T00:00:00+00:00",
        monotonic_start=time.monotonic(),
    )
    task.directory.reopen()
    record = finish(task, RunOutcome("failed", "because", started="2027-01-01T00:00:00+00:00"))
    assert record.started_at <= record.finished_at
