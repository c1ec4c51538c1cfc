"""The runs of a sweep as jobs of SLURM, or of this machine, through submitit.

Few jobs with many runs each: a study of a thousand short runs is an array of ``jobs`` jobs, not a
thousand entries in the queue. Records are seen as they are written; a job that dies costs the runs
it was doing, and those it had not begun are sent again.
"""

from __future__ import annotations

import math
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from retain.errors import RetainError
from retain.execution.backends.config import Slurm, SubmititLocal
from retain.execution.backends.remote import (
    RemoteBatch,
    RemoteTask,
    record_lost_run,
    round_robin,
    to_remote,
)
from retain.execution.scheduling import Queue
from retain.execution.task import Task
from retain.execution.worker import ignore_sigint
from retain.record import Record, StudyDirectory
from retain.schema import Run

POLL = 0.5
"""Seconds between two looks at jobs and records, for few runs."""
LOOKS = 200
"""Files looked at in a second, at most: a shared file system serves others too."""
ARRAY = 1000
"""Jobs in one array, at most; SLURM's own default limit is 1001."""
PATIENCE = 10.0
"""Seconds that jobs on this machine are given to end once they are cancelled."""


class SubmititPool:
    """Jobs that share a list of tasks. A context manager; leaving it early cancels them."""

    def __init__(
        self,
        engine: SubmititLocal | Slurm,
        first: Run,
        study: StudyDirectory,
        took: Callable[[Task], None],
    ) -> None:
        self._submitit = _installed(engine)
        self._engine = engine
        self._first = first
        self._took = took
        self._study = StudyDirectory(study.path.absolute())
        self._running: dict[Any, RemoteBatch] = {}
        self._left: dict[str, RemoteTask] = {}
        self._begun: set[str] = set()
        self._died = False

    def __enter__(self) -> Self:
        self._study.jobs.mkdir(parents=True, exist_ok=True)
        # A folder of its own: local job ids are process ids, and come again.
        self._folder = Path(tempfile.mkdtemp(prefix="launch-", dir=self._study.jobs))
        python = {f"{self._cluster}_python": f"{shlex.quote(sys.executable)} -P"}
        self._executor = self._submitit.AutoExecutor(self._folder, cluster=self._cluster, **python)
        self._executor.update_parameters(**_asked(self._engine, self._first.threads, self._study))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with ignore_sigint():
            self._cancel()
        if not self._died:  # else the logs are all there is to learn from
            shutil.rmtree(self._folder, ignore_errors=True)
            with suppress(OSError):  # other launches have theirs there
                self._study.jobs.rmdir()

    @property
    def _cluster(self) -> str:
        return "slurm" if isinstance(self._engine, Slurm) else "local"

    def records(self, queue: Queue) -> Iterator[Record]:
        """The record of each task, as they end."""
        tasks = [queue.pop() for _ in range(len(queue))]
        self._left = {task.id: to_remote(task) for task in tasks}
        waiting = self._shared(list(self._left.values()))
        while waiting or self._running:
            room = (ARRAY if self._cluster == "slurm" else self._engine.jobs) - len(self._running)
            self._submit(waiting[:room])
            del waiting[:room]
            ended = [job for job in self._running if job.done()]
            yield from self._arrived()
            for job in ended:
                yield from self._settled(job, waiting)
            time.sleep(max(POLL, len(self._left) / LOOKS) if self._running else 0)

    def _shared(self, runs: Sequence[RemoteTask]) -> list[RemoteBatch]:
        engine = self._engine
        count = math.ceil(len(runs) / engine.runs_per_job) if engine.runs_per_job else engine.jobs
        return [
            RemoteBatch(
                part, engine.workers_per_job, self._first.limits, Path.cwd(), self._study.path
            )
            for part in round_robin(runs, count)
        ]

    def _submit(self, waiting: Sequence[RemoteBatch]) -> None:
        if not waiting:
            return
        errors = self._submitit.core.utils
        try:
            with ignore_sigint():
                jobs = self._executor.submit_array(waiting)
        except (errors.FailedJobError, errors.FailedSubmissionError, OSError) as error:
            raise RetainError(f"{self._cluster} takes no job: {str(error).strip()}") from None
        self._running |= dict(zip(jobs, waiting, strict=True))

    def _arrived(self) -> Iterator[Record]:
        """Records written since the last look; tells of the runs that have begun."""
        for run in list(self._left.values()):
            if run.task.id not in self._begun and run.begun:
                self._begun.add(run.task.id)
                self._took(run.task)
            record = run.ended()
            if record is not None:
                del self._left[run.task.id]
                yield record

    def _settled(self, job: Any, waiting: list[RemoteBatch]) -> Iterator[Record]:
        """Records of a job that is over; what it had not begun goes back to those that wait."""
        share = self._running.pop(job)
        error = job.exception()
        for record in [] if error else job.result():
            if self._left.pop(record.id, None):
                yield record
        yield from self._arrived()
        lost = [run for run in share.runs if run.task.id in self._left]
        begun = [run for run in lost if run.begun]
        again = tuple(run for run in lost if not run.begun)
        if again == share.runs:  # it never came as far as a run, and would not the next time
            begun, again = list(again), ()
        self._died |= bool(lost)
        for run in begun:
            del self._left[run.task.id]
            yield record_lost_run(run.task, _cause(job, error), str(error))
        waiting += [replace(share, runs=again)] if again else []

    def _cancel(self) -> None:
        if self._cluster == "slurm":
            for array in {job.job_id.split("_")[0]: job for job in self._running}.items():
                type(array[1])(self._folder, array[0]).cancel(check=False)
            return
        until = time.monotonic() + PATIENCE
        while (alive := [j for j in self._running if not j.done()]) and time.monotonic() < until:
            for job in alive:
                os.kill(int(job.job_id), signal.SIGTERM)
            time.sleep(0.1)


def _installed(engine: SubmititLocal | Slurm) -> Any:
    """The package, or a sentence that tells how to get it."""
    try:
        import submitit
    except ImportError:
        raise RetainError(
            f"hydra/launcher={engine.engine} needs submitit, which is not installed; "
            "type: pip install 'retain[slurm]'"
        ) from None
    if isinstance(engine, Slurm) and shutil.which("sbatch") is None:
        raise RetainError(
            "there is no SLURM on this machine: sbatch is not found; launch the line on a login "
            "node, or try it here with hydra/launcher=submitit_local."
        )
    return submitit


def _asked(engine: SubmititLocal | Slurm, threads: int, study: StudyDirectory) -> dict[str, Any]:
    """What a job asks of its cluster, in submitit's words."""
    asked: dict[str, Any] = {
        "name": f"retain-{study.path.name}",
        "timeout_min": engine.timeout_min,
        "cpus_per_task": engine.workers_per_job * threads,
    }
    if isinstance(engine, SubmititLocal):
        return asked
    return asked | {
        "mem_gb": engine.mem_gb,
        "slurm_array_parallelism": engine.jobs,
        "slurm_partition": engine.partition,
        "slurm_account": engine.account,
        "slurm_qos": engine.qos,
        "slurm_constraint": engine.constraint,
        "slurm_setup": list(engine.setup),
        "slurm_additional_parameters": dict(engine.parameters),
    }


def _cause(job: Any, error: BaseException | None) -> str:
    """How a job ended, and the last it said."""
    rule = "-" * 22
    said = str(error).split(f"\n{rule}\n")
    text = said[1] if len(said) > 2 else said[0]
    last = (text.strip().splitlines() or [""])[-1]
    return f"its job {job.job_id} died ({job.state}): {last}"
