"""The runs of a sweep as jobs of SLURM, or of this machine, through submitit.

Each of few jobs does many runs: a study of a thousand short runs is an array of ``jobs`` jobs, not
a thousand entries in the queue. Records are read as they are written. When a job dies, the runs it
was doing are recorded as failed, and those it had not started are submitted again.
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
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from retain.errors import RetainError
from retain.execution.backends.config import Slurm, SubmititLocal
from retain.execution.backends.remote import RemoteBatch, RemoteTask, round_robin, to_remote
from retain.execution.executor import Executor, Future
from retain.execution.worker import WorkerDiedError, ignore_sigint
from retain.record.study import StudyDirectory
from retain.schema.parsing import Node
from retain.schema.run import Run

POLL_SECONDS = 0.5
"""Shortest time between two checks of jobs and records."""
MAX_CHECKS_PER_SECOND = 200
"""Limit on the files checked, to spare a shared file system."""
MAX_ARRAY_JOBS = 1000
"""Largest array; SLURM's own default limit is 1001."""
CANCEL_TIMEOUT_SECONDS = 10.0
"""Time for cancelled jobs on this machine to end."""


class SubmititExecutor(Executor):
    """Jobs that do some of the runs each."""

    def __init__(
        self, backend: SubmititLocal | Slurm, first_run: Run, study: StudyDirectory
    ) -> None:
        super().__init__()
        self._submitit = _import_submitit(backend)
        self._backend = backend
        self._first_run = first_run
        self._study = StudyDirectory(study.path.absolute())
        self._unsent: list[RemoteTask] = []
        self._waiting: list[RemoteBatch] = []
        self._running: dict[Any, RemoteBatch] = {}
        self._remaining: dict[str, tuple[RemoteTask, Future]] = {}
        self._has_lost_runs = False

    def __enter__(self) -> Self:
        self._study.jobs.mkdir(parents=True, exist_ok=True)
        # A folder of its own, since local job ids are process ids, which are reused.
        self._folder = Path(tempfile.mkdtemp(prefix="launch-", dir=self._study.jobs))
        python = {f"{self._cluster}_python": f"{shlex.quote(sys.executable)} -P"}
        self._executor = self._submitit.AutoExecutor(self._folder, cluster=self._cluster, **python)
        self._executor.update_parameters(
            **_job_parameters(self._backend, self._first_run.threads, self._study)
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            while kind is None and self._alive():
                time.sleep(POLL_SECONDS)  # they have done their runs, and end by themselves
        finally:
            with ignore_sigint():
                self._cancel()
        if not self._has_lost_runs:  # else keep the logs
            shutil.rmtree(self._folder, ignore_errors=True)
            with suppress(OSError):  # folders of other launches
                self._study.jobs.rmdir()

    @property
    def _cluster(self) -> str:
        return "slurm" if isinstance(self._backend, Slurm) else "local"

    def count_free(self, n_tasks: int) -> int:
        """Return ``n_tasks``: the jobs share all runs."""
        return n_tasks

    def _start_jobs(self) -> None:
        """Note queued runs, which are sent together."""
        future = self._queue.popleft()
        run = to_remote(*future.arguments)
        self._remaining[run.task.id] = run, future
        self._unsent.append(run)

    def wait(self, _timeout: float | None = None) -> None:
        """Send the runs, and check jobs and records after a while."""
        self._waiting += self._make_batches(self._unsent)
        self._unsent = []
        max_jobs = MAX_ARRAY_JOBS if self._cluster == "slurm" else self._backend.jobs
        n_free = max_jobs - len(self._running)
        self._submit_jobs(self._waiting[:n_free])
        del self._waiting[:n_free]
        time.sleep(max(POLL_SECONDS, len(self._remaining) / MAX_CHECKS_PER_SECOND))
        ended = [job for job in self._running if job.done()]
        self._read_records()
        for job in ended:
            self._collect_job(job)

    def _make_batches(self, runs: Sequence[RemoteTask]) -> list[RemoteBatch]:
        backend, per_job = self._backend, self._backend.runs_per_job
        count = math.ceil(len(runs) / per_job) if per_job else backend.jobs
        settings = (backend.workers_per_job, self._first_run.limits, Path.cwd(), self._study.path)
        return [RemoteBatch(batch, *settings) for batch in round_robin(runs, count)]

    def _submit_jobs(self, batches: Sequence[RemoteBatch]) -> None:
        if not batches:
            return
        errors = self._submitit.core.utils
        try:
            with ignore_sigint():
                jobs = self._executor.submit_array(batches)
        except (errors.FailedJobError, errors.FailedSubmissionError, OSError) as error:
            raise RetainError(f"{self._cluster} takes no job: {str(error).strip()}") from None
        self._running |= dict(zip(jobs, batches, strict=True))

    def _read_records(self) -> None:
        """Take the records written since the last check, and mark runs that have started."""
        for id_, (run, future) in list(self._remaining.items()):
            if future.state == "queued" and run.has_started:
                future.state = "running"
            if (record := run.read_new_record()) is not None:
                del self._remaining[id_]
                future.set_result(record)

    def _collect_job(self, job: Any) -> None:
        """Take the records of a finished job, and queue the runs again that it had not started."""
        batch = self._running.pop(job)
        error = job.exception()
        for record in [] if error else job.result():
            if record.id in self._remaining:
                self._remaining.pop(record.id)[1].set_result(record)
        self._read_records()
        lost = [run for run in batch.runs if run.task.id in self._remaining]
        failed = [run for run in lost if run.has_started]
        resubmitted = tuple(run for run in lost if not run.has_started)
        if resubmitted == batch.runs:  # no run started, and none would at the next attempt
            failed, resubmitted = list(resubmitted), ()
        self._has_lost_runs |= bool(lost)
        for run in failed:
            death = WorkerDiedError(_death_reason(job, error), traceback=str(error))
            self._remaining.pop(run.task.id)[1].set_exception(death)
        self._waiting += [replace(batch, runs=resubmitted)] if resubmitted else []

    def _alive(self) -> list[Any]:
        return [job for job in self._running if not job.done()]

    def _cancel(self) -> None:
        if self._cluster == "slurm":
            arrays = {job.job_id.split("_")[0]: job for job in self._alive()}
            for array_id, job in arrays.items():
                type(job)(self._folder, array_id).cancel(check=False)
            return
        until = time.monotonic() + CANCEL_TIMEOUT_SECONDS
        while (alive := self._alive()) and time.monotonic() < until:
            for job in alive:
                os.kill(int(job.job_id), signal.SIGTERM)
            time.sleep(0.1)


def _import_submitit(backend: SubmititLocal | Slurm) -> Any:
    """Import submitit.

    Raises
    ------
    RetainError
        If it is not installed, or there is no SLURM.
    """
    try:
        import submitit
    except ImportError:
        raise RetainError(
            f"hydra/launcher={backend.engine} needs submitit, which is not installed; "
            "type: pip install 'retain[slurm]'"
        ) from None
    if isinstance(backend, Slurm) and shutil.which("sbatch") is None:
        raise RetainError(
            "there is no SLURM on this machine: sbatch is not found; launch the line on a login "
            "node, or try it here with hydra/launcher=submitit_local."
        )
    return submitit


def _job_parameters(backend: SubmititLocal | Slurm, threads: int, study: StudyDirectory) -> Node:
    """Return the resources of a job as submitit's parameters."""
    parameters: Node = {
        "name": f"retain-{study.path.name}",
        "timeout_min": backend.timeout_min,
        "cpus_per_task": backend.workers_per_job * threads,
    }
    if isinstance(backend, SubmititLocal):
        return parameters
    return parameters | {
        "mem_gb": backend.mem_gb,
        "slurm_array_parallelism": backend.jobs,
        "slurm_partition": backend.partition,
        "slurm_account": backend.account,
        "slurm_qos": backend.qos,
        "slurm_constraint": backend.constraint,
        "slurm_setup": list(backend.setup),
        "slurm_additional_parameters": dict(backend.parameters),
    }


def _death_reason(job: Any, error: BaseException | None) -> str:
    """Return how a job ended, and the last line of its error."""
    rule = "-" * 22
    parts = str(error).split(f"\n{rule}\n")
    text = parts[1] if len(parts) > 2 else parts[0]
    last = (text.strip().splitlines() or [""])[-1]
    return f"its job {job.job_id} died ({job.state}): {last}"
