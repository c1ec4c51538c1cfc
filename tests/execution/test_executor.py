"""Jobs done by a few worker processes."""

from pathlib import Path

import pytest

from retain.errors import RetainError
from retain.execution.executor import WorkerExecutor


def test_workers_do_more_jobs_than_they_are_and_report_each(fork_server):
    reports = []
    with WorkerExecutor(2, lambda done, of: reports.append((done, of))) as executor:
        scores = {"one": (0.9, 0.8, 0.9), "other": (0.6, 0.5, 0.6)}
        jobs = [executor.submit("eliminate", scores, 3, 0.25) for _ in range(5)]
        assert [job.result() for job in jobs] == [{"other"}] * 5
        assert len(reports) >= 4
    assert reports[-1] == (5, 5)


# A job that nobody waits for is still gone when its process is, and no watcher may go on waiting.
def test_workers_report_at_the_end_that_nothing_is_left(fork_server):
    reports = []
    with WorkerExecutor(1, lambda done, of: reports.append((done, of))) as executor:
        executor.submit("eliminate", {"one": (0.9, 0.8, 0.9)}, 3, 0.25)
    assert reports == [(1, 1)]


def test_workers_raise_what_a_job_refuses_where_it_is_asked_for(fork_server):
    with WorkerExecutor(1) as executor:
        future = executor.submit("preflight", [], Path("nowhere/at/all"))
        with pytest.raises(RetainError, match="nowhere"):
            future.result()
