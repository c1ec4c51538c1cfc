"""Worker processes: warm, one run at a time, each replaced when it dies.

They are forked from a server that has imported everything and computed nothing (multiprocessing's
``forkserver``), so that one starts in milliseconds and shares the memory of what was imported. A
worker is known by its own pipe: when it dies, it is known which run died with it.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Any, Literal

from retain.errors import RetainError
from retain.execution.shortage import find_memory_shortage
from retain.execution.worker_start import SAFE_PATH, THREADS, frugal_environment, limited_start
from retain.execution.worker_stderr import held_errors

IMPORTED = (
    "retain.execution.runner",
    "retain.execution.dataset",
    "retain.workflows.test_set",
    "retain.verdict.racing",
    "imblearn.combine",
    "sklearn.ensemble",
    "sklearn.neural_network",
    "lightgbm",
    "catboost",
)
"""What the server imports before it forks; a model from elsewhere is imported by its worker."""
LONGEST = 70
"""Bytes of a temporary folder's path; sockets in it have 36 more, and the system allows 107."""
GRACE = 10.0
"""Seconds that an idle process has to end by itself."""
ATTEMPTS = 3
"""How often a worker's process is started before the launch gives up."""
Job = Literal[
    "execute",
    "survey",
    "judge",
    "load",
    "carry",
    "look",
    "explain",
    "leave",
    "plan",
    "draw",
    "score",
]
JOBS: dict[Job, tuple[str, str]] = {
    "execute": ("retain.execution.runner", "execute"),
    "survey": ("retain.execution.dataset", "preflight"),
    "judge": ("retain.verdict.racing", "eliminated_runs"),
    "load": ("retain.workflows.training_data", "share_training_data"),
    "carry": ("retain.workflows.test_set", "evaluate_winner"),
    "look": ("retain.workflows.explanation_jobs", "compute_associations"),
    "explain": ("retain.workflows.explanation_jobs", "explain_fold_job"),
    "leave": ("retain.workflows.explanation_jobs", "ablate_group_job"),
    "plan": ("retain.workflows.campaign", "plan_campaign"),
    "draw": ("retain.report.render", "pictures"),
    "score": ("retain.workflows.saved_winner", "score_shared"),
}
"""Where each job is done: imported by the worker that does it."""


def start_forkserver(*more: str) -> None:
    """Start the server that workers are forked from, and return while it imports.

    ``more`` are modules to import beside those that every command needs.
    """
    with ignore_sigint(), frugal_environment(), held_errors():
        _socket_folder()
        forkserver.set_forkserver_preload([*IMPORTED, *more])
        forkserver.ensure_running()


def _socket_folder() -> None:
    """Have multiprocessing put its sockets where their path is short enough for the system."""
    if len(os.fsencode(tempfile.gettempdir())) > LONGEST:
        before, tempfile.tempdir = tempfile.tempdir, "/tmp"  # noqa: S108 - a private folder in it
        try:
            get_temp_dir()  # it stays the same from then on
        finally:
            tempfile.tempdir = before


def ignore_sigint() -> AbstractContextManager[None]:
    """Ctrl-C is neither inherited by what starts meanwhile nor met by half-done tidying."""
    return sigint_handler(signal.SIG_IGN)


@contextmanager
def sigint_handler(answer: Callable[..., object] | signal.Handlers) -> Iterator[None]:
    """Ctrl-C is met by ``answer``; in the main thread, which alone gets it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, answer)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class JobResult:
    """What came of a job: a value, or an error that the launching process is to raise."""

    value: Any = None
    error: Exception | None = None


class WorkerDiedError(Exception):
    """A worker's process ended during its job; says how."""


class Worker:
    """One process that does one job at a time and is started anew when it dies."""

    def __init__(self) -> None:
        self.process: BaseProcess | None = None
        self.since = 0.0
        self._pipe: Connection | None = None

    @property
    def pipe(self) -> Connection:
        """Readable when the job has ended well."""
        if self._pipe is None:
            raise ValueError("this worker has no job")
        return self._pipe

    @property
    def signs(self) -> tuple[Connection, int]:
        """One of them is ready when the job has ended, well or not.

        A process that died may have forked others that hold its end of the pipe open.
        """
        if self.process is None:
            raise ValueError("this worker has no job")
        return self.pipe, self.process.sentinel

    def begin(self, job: Job, *arguments: Any) -> None:
        """Give the process a job, and a process to the worker where there is none.

        Raises
        ------
        RetainError
            When no process can be started.
        """
        if self.process is not None and not self.process.is_alive():
            self._buried()
        if self.process is None:
            self._start()
        self.since = time.monotonic()
        with suppress(BrokenPipeError):  # a death at this moment shows in ``end``
            self.pipe.send((job, arguments))

    def end(self) -> Any:
        """What the job came to; waits for it.

        Raises
        ------
        Died
            When the process ended before its job did.
        RetainError, OSError
            As the job raised them.
        MemoryError
            Where the job found too little memory.
        RuntimeError
            With the traceback of whatever else the job raised: a bug.
        """
        wait(self.signs)
        if not self.pipe.poll():
            self.kill()  # what it forked, which may hold the pipe open
        try:
            answer: JobResult = self.pipe.recv()
        except (EOFError, OSError):
            raise WorkerDiedError(self._buried()) from None
        if answer.error is not None:
            raise answer.error
        return answer.value

    def kill(self) -> None:
        """End the process and its children, whatever they are doing."""
        if self.process is not None and self.process.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def stop(self, *, at_once: bool = False) -> None:
        """End the process: when it is idle, or whatever it is doing."""
        if self.process is None:
            return
        if at_once:
            self.kill()
        self.pipe.close()
        self.process.join(GRACE)  # it waits for processes that a model left running
        self.kill()
        self.process.join()
        self.process = self._pipe = None

    def _start(self) -> None:
        """Start a process; again where it dies at once, as it may when memory runs out."""
        for _ in range(ATTEMPTS):
            try:
                return self._begun()
            except (EOFError, OSError, RuntimeError) as error:
                cause = self._buried() if self.process is not None else error
        raise RetainError(
            f"worker processes cannot be started (the last: {cause}). "
            "Where memory ran out, have fewer: workers=1, or workers=1 in a comparison."
        )

    def _begun(self) -> None:
        """Have a process that is known to run."""
        context = multiprocessing.get_context("forkserver")
        self._pipe, far = context.Pipe()
        arguments = (far, dict(os.environ), Path.cwd())
        process = context.Process(target=_serve, args=arguments, name="retain-worker")
        with far, ignore_sigint(), limited_start():
            start_forkserver()
            process.start()
        self.process = process
        self.pipe.recv()  # it leads its own process group from now on

    def _buried(self) -> str:
        """How the process ended; the next job gets a new one."""
        process = self.process
        if process is None:
            return "for an unknown cause"
        process.join()
        self.kill()  # what it left running
        self.pipe.close()
        self.process = self._pipe = None
        code = process.exitcode or 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _serve(pipe: Connection, environment: dict[str, str], folder: Path) -> None:
    """Do jobs until the other end of the pipe is closed. Runs in the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the launching process's to answer
    logging.raiseExceptions = False  # a full disk is told of once, not at every line logged
    os.setsid()  # a group of its own, so that stopping it takes its children along
    os.environ.clear()
    os.environ.update(environment | dict.fromkeys(THREADS, "1") | SAFE_PATH)
    os.chdir(folder)
    threading.Thread(target=_die_with_launcher, daemon=True).start()
    with suppress(EOFError, OSError):  # there is nobody at the other end any more
        pipe.send(JobResult())
        while True:
            job, arguments = pipe.recv()
            pipe.send(_answered(job, arguments))
    for child in multiprocessing.active_children():
        child.kill()


def _answered(job: Job, arguments: tuple[Any, ...]) -> JobResult:
    try:
        module, name = JOBS[job]
        return JobResult(getattr(import_module(module), name)(*arguments))
    except RetainError as error:
        return JobResult(error=error)
    except Exception as error:  # noqa: BLE001 - a bug, which the launching process raises
        if (shortage := find_memory_shortage(error)) is not None:
            return JobResult(error=MemoryError(str(shortage)))
        if isinstance(error, OSError):
            return JobResult(error=error)
        return JobResult(error=RuntimeError(traceback.format_exc()))


def _die_with_launcher() -> None:
    """Leave no run behind that nobody waits for, however the launching process ended."""
    launcher = multiprocessing.parent_process()
    if launcher is not None:
        launcher.join()
        os.killpg(os.getpid(), signal.SIGKILL)
