"""A sweep's runs on another machine: how tasks are sent there, and what a job does with its share.

The far side may be another process, node or day: a job can be queued again by its cluster, and
begins then where it stopped. What became of a run is read off its directory, which both sides see.
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

from retain.app.execute import Task
from retain.app.workers import Crew
from retain.errors import RetainError
from retain.record import Record, RunDirectory

Mark = tuple[int, int] | None


@dataclass(frozen=True)
class Sent:
    """A task on its way, with the marks of its files as they were before.

    Clocks of two machines may differ, so that a run has begun or ended is told by its files having
    changed, not by when.
    """

    task: Task
    record: Mark
    log: Mark

    @property
    def begun(self) -> bool:
        """Whether some process has started the run since."""
        return _mark(self.task.directory.log) not in (None, self.log)

    def ended(self) -> Record | None:
        """The record written since, if there is one."""
        if _mark(self.task.directory.record) in (None, self.record):
            return None
        return self.task.directory.read()


def sent(task: Task) -> Sent:
    """``task`` ready to leave this machine: its directory is the same from any folder."""
    directory = RunDirectory(task.directory.path.absolute())
    there = replace(task, directory=directory)
    return Sent(there, _mark(directory.record), _mark(directory.log))


def _mark(path: Path) -> Mark:
    """What tells a file from the one that replaces it, without reading it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def enter(launched: Path, study: Path) -> None:
    """Stand where the sweep was launched, as relative paths of data expect.

    Raises
    ------
    RetainError
        When this machine does not see the folders the sweep reads and writes.
    """
    for folder in (launched, study):
        if not folder.is_dir():
            raise RetainError(
                f"{socket.gethostname()} sees no folder {folder}; "
                "launch the sweep from a folder the cluster's nodes share, and keep outputs there."
            )
    os.chdir(launched)


@dataclass(frozen=True)
class Share:
    """Runs one job does, ``workers`` at a time; called on the far side."""

    runs: tuple[Sent, ...]
    workers: int
    threads: int
    launched: Path
    study: Path

    def __call__(self) -> list[Record]:
        """The record of every run; those that ended before the job was queued again included."""
        enter(self.launched, self.study)
        _end_on_sigterm()
        found = [(run, run.ended()) for run in self.runs]
        left = [run.task for run, record in found if record is None]
        records = [record for _, record in found if record is not None]
        with Crew(min(self.workers, len(left)), self.threads) as crew:
            return [*records, *crew.records(left)]

    def checkpoint(self) -> Any:
        """What submitit queues again when the job's time is over or its node is wanted back."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def _end_on_sigterm() -> None:
    """On this machine, SIGTERM is how the parent cancels; under SLURM it may announce a requeue."""
    if os.environ.get("SUBMITIT_EXECUTOR") == "local":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("cancelled"))


def shares(
    runs: Sequence[Sent], count: int, workers: int, threads: int, study: Path
) -> list[Share]:
    """The runs dealt out like cards, so that neighbours, which cost alike, are spread.

    >>> [share.runs for share in shares("abcde", 2, 1, 1, Path("outputs/models"))]
    [('a', 'c', 'e'), ('b', 'd')]
    """
    dealt = [tuple(runs[i::count]) for i in range(min(count, len(runs)))]
    return [Share(part, workers, threads, Path.cwd(), study) for part in dealt]
