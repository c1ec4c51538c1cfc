"""The runs of a sweep on another machine: how tasks are sent, and how a job does its batch.

A cluster may requeue a job, which then continues where it stopped. The outcome of a run is read
from its directory, which both machines see.
Imports nothing heavy: the process of a job starts workers and fits nothing.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from retain.errors import RetainError
from retain.execution.dispatcher import Dispatcher
from retain.execution.executor import WorkerExecutor
from retain.execution.inputs import Preflight, SharedInputs
from retain.execution.scheduling import CostModel
from retain.execution.shared_memory import launch_dir
from retain.execution.task import Task
from retain.execution.worker import start_forkserver
from retain.record.directory import RunDirectory
from retain.record.document import Record
from retain.schema.run import Limits

FileStamp = tuple[int, int] | None


@dataclass(frozen=True)
class RemoteTask:
    """A task without the shared inputs of the machine that planned it.

    Attributes
    ----------
    dataset_index
        Equal for runs on the same customers and splits.
    record_stamp, log_stamp
        Stamps of these files before the launch. A run has started or ended when its file differs;
        times are not compared, since the clocks of two machines may differ.
    """

    task: Task
    dataset_index: int
    record_stamp: FileStamp
    log_stamp: FileStamp

    @property
    def has_started(self) -> bool:
        """True if a process has started the run since."""
        return _stamp_file(self.task.directory.log) not in (None, self.log_stamp)

    def read_new_record(self) -> Record | None:
        """Return the record written since, if there is one."""
        if _stamp_file(self.task.directory.record) in (None, self.record_stamp):
            return None
        return self.task.read_newer_record()


def to_remote(task: Task) -> RemoteTask:
    """Return ``task`` ready for another machine, with an absolute directory."""
    directory = RunDirectory(task.directory.path.absolute())
    index = 0 if task.shared is None else task.shared.index
    remote = replace(task, directory=directory, shared=None)
    return RemoteTask(remote, index, _stamp_file(directory.record), _stamp_file(directory.log))


def _stamp_file(path: Path) -> FileStamp:
    """Return inode and modification time of a file, which differ from those of a newer one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def enter_launch_dir(working_dir: Path, study: Path) -> None:
    """Change to the folder where the sweep was launched, which data paths are relative to.

    Raises
    ------
    RetainError
        If this machine does not see the folders that the sweep reads and writes.
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
    """The runs of one job, done ``workers`` at a time when it is called on the other machine."""

    runs: tuple[RemoteTask, ...]
    workers: int
    limits: Limits
    working_dir: Path
    study: Path

    def __call__(self) -> list[Record]:
        """Do the runs and return all records, also of runs that had ended before."""
        enter_launch_dir(self.working_dir, self.study)
        _exit_on_sigterm()
        start_forkserver()
        with launch_dir() as folder, WorkerExecutor(self.workers) as executor:
            queue = CostModel().make_queue(_share_inputs(self.runs, folder))
            return list(Dispatcher(executor, self.limits).records(queue))

    def checkpoint(self) -> Any:
        """Return what submitit queues again when the job times out or is preempted."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def _share_inputs(runs: Sequence[RemoteTask], folder: Path) -> list[Task]:
    """Return the tasks with datasets and a fold cache that they share on this machine."""
    sources = {run.dataset_index: run.task.run for run in runs}
    distinct = list(sources.values())
    with WorkerExecutor(1) as executor:
        preflight: Preflight = executor.submit("preflight", distinct, folder / "customers").result()
    datasets, cache_dir = preflight.shared_datasets, folder / "rows"
    if datasets is None:
        return [run.task for run in runs]
    index = dict(zip(sources, preflight.dataset_index, strict=True))
    cache_dir.mkdir()
    inputs = [SharedInputs(datasets, index[run.dataset_index], cache_dir) for run in runs]
    return [replace(run.task, shared=shared) for run, shared in zip(runs, inputs, strict=True)]


def _exit_on_sigterm() -> None:
    """Exit on SIGTERM in a local job; under SLURM the signal may announce a requeue."""

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not stop the clean-up
        sys.exit("cancelled")

    if os.environ.get("SUBMITIT_EXECUTOR") == "local":
        signal.signal(signal.SIGTERM, end)


def round_robin(runs: Sequence[RemoteTask], count: int) -> list[tuple[RemoteTask, ...]]:
    """Distribute runs over ``count`` batches, so that neighbours of similar cost are spread.

    >>> round_robin("abcde", 2)
    [('a', 'c', 'e'), ('b', 'd')]
    """
    return [tuple(runs[i::count]) for i in range(min(count, len(runs)))]
