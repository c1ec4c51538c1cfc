"""Worker processes, which do one job at a time and are restarted when they die.

They are forked from a server that has imported the libraries and computed nothing
(multiprocessing's ``forkserver``), so a worker starts in milliseconds and shares the memory of the
imported code. Each worker has its own pipe, so the run that dies with it is known.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal

from retain.errors import RetainError
from retain.execution.process_group import START_METHOD, kill_family, lead_group, start_context
from retain.execution.shortage import find_memory_shortage
from retain.execution.worker_start import (
    SAFE_PATH,
    THREAD_VARIABLES,
    capture_stderr,
    hidden_main,
    shorten_socket_paths,
    single_threaded_env,
    start_timeout,
)

PRELOADED_MODULES = (
    "retain.execution.collection_off",
    "retain.execution.runner",
    "retain.execution.dataset",
    "retain.verdict.elimination",
    "imblearn.combine",
    "sklearn.ensemble",
    "sklearn.neural_network",
    "lightgbm",
    "catboost",
)
"""Modules that the server imports before it forks; workers import any other model themselves."""
SHUTDOWN_TIMEOUT_SECONDS = 10.0
MAX_START_ATTEMPTS = 3
Job = Literal[
    "run", "preflight", "eliminate", "load", "refit", "associate", "explain", "ablate", "plan",
    "render", "score", "compare"
]  # fmt: skip
JOBS: dict[Job, tuple[str, str, str]] = {
    "run": ("retain.execution.runner", "execute", "does the run"),
    "preflight": ("retain.execution.dataset", "preflight", "reads the data"),
    "eliminate": ("retain.verdict.elimination", "eliminated_runs", "compares the runs"),
    "load": ("retain.workflows.training_data", "share_training_data", "reads the customers"),
    "refit": ("retain.workflows.winner_evaluation", "evaluate_winner", "refits the winner"),
    "associate": ("retain.workflows.explanation_jobs", "compute_associations", "looks for reasons"),
    "explain": ("retain.workflows.explanation_jobs", "explain_fold_job", "looks for reasons"),
    "ablate": ("retain.workflows.explanation_jobs", "ablate_group_job", "looks for reasons"),
    "plan": ("retain.workflows.campaign", "plan_campaign", "plans the campaign"),
    "render": ("retain.report.render", "pictures", "draws the charts"),
    "score": ("retain.workflows.saved_winner", "score_with_saved_model", "scores the customers"),
    "compare": ("retain.dashboard.trees", "compare_in_short", "compares the folders"),
}
"""Module and function of each job, imported by the worker that does it, and what the job does."""


def start_forkserver(*extra_modules: str) -> None:
    """Start the server that workers are forked from, and return while it imports its modules.

    Where the system has no such server, each worker imports them itself.
    """
    if START_METHOD != "forkserver":
        return
    from multiprocessing import forkserver

    with ignore_sigint(), single_threaded_env(), capture_stderr():
        shorten_socket_paths()
        forkserver.set_forkserver_preload([*PRELOADED_MODULES, *extra_modules])
        forkserver.ensure_running()


def ignore_sigint() -> AbstractContextManager[None]:
    """Ignore Ctrl-C in the context, and in processes that start in it."""
    return sigint_handler(signal.SIG_IGN)


@contextmanager
def sigint_handler(handler: Callable[..., object] | signal.Handlers) -> Iterator[None]:
    """Handle Ctrl-C by ``handler`` in the context; other threads than the main one never get it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class JobResult:
    """The value of a job, or the error that the launching process raises for it."""

    value: Any = None
    error: Exception | None = None


class WorkerDiedError(RetainError):
    """The end of a worker during its job.

    ``reason`` is for the record of a run, ``traceback`` that of a worker on another machine.
    """

    def __init__(self, message: str, reason: str = "", traceback: str | None = None) -> None:
        super().__init__(message)
        self.reason, self.traceback = reason or message, traceback


class Worker:
    """A process that does one job at a time and is restarted when it dies."""

    def __init__(self) -> None:
        self.process: BaseProcess | None = None
        self.monotonic_start = 0.0
        self._job: Job = "run"
        self._kill_reason: str | None = None
        self._pipe: Connection | None = None

    @property
    def pipe(self) -> Connection:
        """The connection that becomes readable when the job has returned."""
        if self._pipe is None:
            raise ValueError("this worker has no job")
        return self._pipe

    @property
    def waitables(self) -> tuple[Connection, int]:
        """Objects for ``multiprocessing.connection.wait``, one of them ready when the job ended.

        The pipe alone is not enough: children of a dead process may hold its end open.
        """
        if self.process is None:
            raise ValueError("this worker has no job")
        return self.pipe, self.process.sentinel

    def start_job(self, job: Job, *arguments: Any) -> None:
        """Send a job to the process, which is started if there is none.

        Raises
        ------
        RetainError
            If no process can be started.
        """
        if self.process is not None and not self.process.is_alive():
            self._reap()
        if self.process is None:
            self._start()
        self._job, self._kill_reason, self.monotonic_start = job, None, time.monotonic()
        with suppress(BrokenPipeError):  # ``result`` reports a death at this moment
            self.pipe.send((job, arguments))

    def result(self) -> Any:
        """Wait for the job and return its value.

        Raises
        ------
        WorkerDiedError
            If the process ended before its job did.
        RetainError, OSError
            As the job raised them.
        MemoryError
            If the job found too little memory.
        RuntimeError
            With the traceback of any other error of the job: a bug.
        """
        wait(self.waitables)
        if not self.pipe.poll():
            self.kill()  # children may hold the pipe open
        try:
            job_result: JobResult = self.pipe.recv()
        except (EOFError, OSError):
            cause = self._reap()
            raise WorkerDiedError(
                f"the process that {JOBS[self._job][-1]} died: {cause}. Where memory ran out, "
                "allow this command more, or have fewer customers or workers.",
                self._kill_reason or f"the worker process died: {cause}",
            ) from None
        if job_result.error is not None:
            raise job_result.error
        return job_result.value

    def kill(self, reason: str | None = None) -> None:
        """Kill the process and its children, for a reason that ``WorkerDiedError`` then has."""
        self._kill_reason = self._kill_reason or reason
        if self.process is not None and self.process.pid is not None:
            kill_family(self.process.pid)

    def stop(self, *, immediately: bool = False) -> None:
        """End the process when it is idle, or ``immediately``."""
        if self.process is None:
            return
        if immediately:
            self.kill()
        self.pipe.close()
        # it waits for processes that a model left running
        self.process.join(SHUTDOWN_TIMEOUT_SECONDS)
        self.kill()
        self.process.join()
        self.process = self._pipe = None

    def _start(self) -> None:
        """Start a process, and retry if it dies at once, as it may when memory runs out."""
        for _ in range(MAX_START_ATTEMPTS):
            try:
                return self._start_process()
            except (EOFError, OSError, RuntimeError) as error:
                cause = self._reap() if self.process is not None else error
        raise RetainError(
            f"worker processes cannot be started (the last: {cause}). "
            "Where memory ran out, have fewer: workers=1, or workers=1 in a comparison."
        )

    def _start_process(self) -> None:
        """Start a process and wait until it runs."""
        context = start_context()
        self._pipe, worker_end = context.Pipe()
        arguments = (worker_end, dict(os.environ), Path.cwd())
        process = context.Process(target=_worker_loop, args=arguments, name="retain-worker")
        with worker_end, ignore_sigint(), start_timeout(), hidden_main():
            start_forkserver()
            with single_threaded_env(), capture_stderr():
                process.start()
        self.process = process
        self.pipe.recv()  # it leads its own process group from now on

    def _reap(self) -> str:
        """Clean up after a process that ended, and return its signal or exit code."""
        process = self.process
        if process is None:
            return "for an unknown cause"
        process.join()
        self.kill()  # its children
        self.pipe.close()
        self.process = self._pipe = None
        code = process.exitcode or 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _worker_loop(pipe: Connection, environment: dict[str, str], folder: Path) -> None:
    """Do jobs until the other end of the pipe is closed. Runs in the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the launching process handles Ctrl-C
    lead_group()
    os.environ.clear()
    os.environ.update(environment | dict.fromkeys(THREAD_VARIABLES, "1") | SAFE_PATH)
    os.chdir(folder)
    gc.freeze()  # collecting what the server imported would copy its memory
    gc.enable()
    threading.Thread(target=_die_with_launcher, daemon=True).start()
    with suppress(EOFError, OSError):  # the other end is closed
        pipe.send(JobResult())
        while True:
            job, arguments = pipe.recv()
            pipe.send(_run_job(job, arguments))
    for child in multiprocessing.active_children():
        child.kill()


def _run_job(job: Job, arguments: tuple[Any, ...]) -> JobResult:
    try:
        return JobResult(call_job(job, arguments))
    except RetainError as error:
        return JobResult(error=error)
    except Exception as error:  # noqa: BLE001 - the launching process raises it
        if (shortage := find_memory_shortage(error)) is not None:
            return JobResult(error=MemoryError(str(shortage)))
        if isinstance(error, OSError):
            return JobResult(error=error)
        return JobResult(error=RuntimeError(traceback.format_exc()))


def call_job(job: Job, arguments: tuple[Any, ...]) -> Any:
    """Do a job in this process and return its value."""
    module, name, _ = JOBS[job]
    return getattr(import_module(module), name)(*arguments)


def _die_with_launcher() -> None:
    """Kill this process group when the launching process ends, however it ends."""
    launcher = multiprocessing.parent_process()
    if launcher is not None:
        launcher.join()
        kill_family(os.getpid())
