"""A sweep's runs on another machine: how tasks are sent there, and what a job does with its share.

The far side may be another process, node or day: a job can be queued again by its cluster, and
goes on then where it stopped. What became of a run is read off its directory, which both sides see.
Imports nothing heavy: its process holds the workers and fits nothing.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from retain.errors import RetainError
from retain.execution.dataset_facts import Preflight
from retain.execution.executor import run_in_subprocess
from retain.execution.pool import RunPool
from retain.execution.scheduling import CostModel
from retain.execution.shared_memory import launch_dir
from retain.execution.task import RunOutcome, SharedInputs, Task, finish
from retain.execution.worker import start_forkserver
from retain.record import Record, RunDirectory
from retain.schema import Limits

FileStamp = tuple[int, int] | None
CLAIM_TIMEOUT_SECONDS = 5.0
"""Seconds that a dead run's lock is waited for."""


@dataclass(frozen=True)
class RemoteTask:
    """A task on its way, without what it shares with others on the machine that planned it.

    Attributes
    ----------
    dataset_index
        The same for runs that learn from the same customers.
    record, log_stamp
        Marks of these files as they were before. The clocks of two machines may differ, so that a
        run has begun or ended is told by its files having changed, not by when.
    """

    task: Task
    dataset_index: int
    record_stamp: FileStamp
    log_stamp: FileStamp

    @property
    def has_started(self) -> bool:
        """Whether some process has started the run since."""
        return _stamp_file(self.task.directory.log) not in (None, self.log_stamp)

    def read_new_record(self) -> Record | None:
        """The record written since, if there is one."""
        if _stamp_file(self.task.directory.record) in (None, self.record_stamp):
            return None
        return self.task.read_newer_record()


def to_remote(task: Task) -> RemoteTask:
    """``task`` ready to leave this machine: its directory is the same from any folder."""
    directory = RunDirectory(task.directory.path.absolute())
    place = 0 if task.shared is None else task.shared.index
    there = replace(task, directory=directory, shared=None)
    return RemoteTask(there, place, _stamp_file(directory.record), _stamp_file(directory.log))


def record_lost_run(task: Task, reason: str, traceback: str) -> Record:
    """The record of a run whose job or node died; the one it had just written, if it had.

    The run's lock may outlive it for a moment: the worker under a process that was killed, or the
    file server of a lost node, needs one to notice. Whoever holds it longer writes after us.
    """
    until = time.monotonic() + CLAIM_TIMEOUT_SECONDS
    while True:
        with task.directory.claimed() as mine:
            if mine or time.monotonic() > until:
                outcome = RunOutcome("failed", reason=reason, traceback=traceback)
                return task.read_newer_record() or finish(task, outcome)
        time.sleep(0.1)


def _stamp_file(path: Path) -> FileStamp:
    """What tells a file from the one that replaces it, without reading it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def enter_launch_dir(working_dir: Path, study: Path) -> None:
    """Stand where the sweep was launched, as relative paths of data expect.

    Raises
    ------
    RetainError
        When this machine does not see the folders the sweep reads and writes.
    """
    for folder in (working_dir, study):
        if not folder.is_dir():
            raise RetainError(
                f"{socket.gethostname()} sees no folder {folder}; "
                "launch the sweep from a folder the cluster's nodes share, and keep outputs there."
            )
    os.chdir(working_dir)


@dataclass(frozen=True)
class RemoteBatch:
    """Runs one job does, ``workers`` at a time, as a sweep of its own; called on the far side."""

    runs: tuple[RemoteTask, ...]
    workers: int
    limits: Limits
    working_dir: Path
    study: Path

    def __call__(self) -> list[Record]:
        """The record of every run; those that had ended before come back as they are."""
        enter_launch_dir(self.working_dir, self.study)
        _exit_on_sigterm()
        start_forkserver()
        with launch_dir() as folder, RunPool(self.workers, self.limits, ignore) as pool:
            return list(pool.records(CostModel().make_queue(_share_inputs(self.runs, folder))))

    def checkpoint(self) -> Any:
        """What submitit queues again when the job's time is over or its node is wanted back."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def ignore(_: Task) -> None:
    """Nobody on the far side is told that a run begins; the parent sees it by the files."""


def _share_inputs(runs: Sequence[RemoteTask], folder: Path) -> list[Task]:
    """The tasks with what they share on this machine: customers read once, prepared rows."""
    sources = {run.dataset_index: run.task.run for run in runs}
    distinct = list(sources.values())
    with run_in_subprocess(
        "preflight", distinct, folder / "customers", description="reads the data"
    ) as surveyed:
        seen: Preflight = surveyed()
    if seen.shared_datasets is None:
        return [run.task for run in runs]
    places = dict(zip(sources, seen.dataset_index, strict=True))
    rows = folder / "rows"
    rows.mkdir()
    return [
        replace(
            run.task, shared=SharedInputs(seen.shared_datasets, places[run.dataset_index], rows)
        )
        for run in runs
    ]


def _exit_on_sigterm() -> None:
    """On this machine, SIGTERM is how the parent cancels; under SLURM it may announce a requeue."""

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the next must not meet half-done tidying
        sys.exit("cancelled")

    if os.environ.get("SUBMITIT_EXECUTOR") == "local":
        signal.signal(signal.SIGTERM, end)


def round_robin(runs: Sequence[RemoteTask], count: int) -> list[tuple[RemoteTask, ...]]:
    """The runs dealt out like cards, so that neighbours, which cost alike, are spread.

    >>> round_robin("abcde", 2)
    [('a', 'c', 'e'), ('b', 'd')]
    """
    return [tuple(runs[i::count]) for i in range(min(count, len(runs)))]
