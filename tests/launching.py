"""Commands in processes of their own that need not import anything first.

To start Python, import scikit-learn and start the server of the workers, which imports it too,
takes four seconds of CPU. Here the command's process is forked from the server of this one, which
has imported everything, and forks its own server: the same processes, children of one another in
the same way. Tests of how Python itself is started must not use it.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from multiprocessing import get_context, util
from pathlib import Path

ENTRY = "launched command"
"""The name under which this file is run in the new process."""


class Launch:
    """A command under way, with the methods of a ``subprocess.Popen`` that collects text."""

    def __init__(
        self, command: str, words: Sequence[str], environment: Mapping[str, str], logs: Path
    ) -> None:
        self._logs = (logs / "stdout", logs / "stderr")
        started = logs / "started"
        facts = (command, list(words), dict(environment), os.getcwd(), self._logs, started)  # noqa: PTH109
        arguments = (__file__, {"FACTS": facts}, ENTRY)
        self._process = get_context("forkserver").Process(target=runpy.run_path, args=arguments)
        self._process.start()
        until = time.monotonic() + 60
        while not started.exists() and self.poll() is None and time.monotonic() < until:
            time.sleep(0.005)  # it leads its own process group from then on

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("retain", timeout or 0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end, and return what it wrote to standard output and standard error."""
        self.wait(timeout)
        out, err = (path.read_text(encoding="utf-8") for path in self._logs)
        return out, err

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        if self.poll() is None:
            self.send_signal(signal.SIGKILL)


def run_command(
    command: str,
    words: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
    logs: Sequence[Path],
    started: Path,
) -> None:
    """Become the process of a command. Runs in the new process."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, path in zip((1, 2), logs, strict=True):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    sys.argv = ["retain", *words]
    sys.path[:0] = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    util.spawnv_passfds = fork_instead_of_exec
    started.touch()
    import_module(f"retain.cli.{command}").main()


exec_process = util.spawnv_passfds


def fork_instead_of_exec(path: bytes, arguments: Sequence[str], descriptors: Sequence[int]) -> int:
    """Start the server that workers are forked from as a fork of this process."""
    if "multiprocessing.forkserver" not in arguments[-1]:
        return exec_process(path, arguments, descriptors)
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        for number in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
            if number > 2 and number not in descriptors:
                with contextlib.suppress(OSError):
                    os.close(number)
        for signal_ in signal.valid_signals():
            if callable(signal.getsignal(signal_)):
                signal.signal(signal_, signal.SIG_DFL)
        exec(arguments[-1], {})  # noqa: S102 - what Python would be started with
    finally:
        os._exit(0)


if __name__ == ENTRY:
    run_command(*FACTS)  # type: ignore[name-defined]  # noqa: F821
