"""``status.json``: how far a sweep is, for others to watch.

A convenience: a sweep whose status cannot be written goes on.
"""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pydantic import Field

from retain.schema import Config
from retain.storage.writing import write_text

SCHEMA = 2
PAUSE = 1.0
"""Seconds between two writes at least."""
BEAT = 10.0
"""Seconds between two writes at most: an older status is of a sweep that died."""

State = Literal["running", "finished", "interrupted"]


class Best(Config):
    """The best run so far by a metric's mean, with its 95 % interval."""

    id: str
    name: str
    metric: Literal["roc_auc"]
    value: float
    low: float
    high: float


class Status(Config):
    """What ``status.json`` holds.

    ``n_runs`` = ``n_done`` + ``n_failed`` + ``n_not_applicable`` + ``n_skipped`` + ``n_left``,
    where ``n_skipped`` ended in an earlier sweep, ``n_left`` includes what is running, and
    ``n_stopped_early`` of those done ended before their last fold.
    ``eta_seconds`` is null before any cost is known, and when interrupted.
    """

    schema_: int = Field(default=SCHEMA, alias="schema")
    study: str
    state: State
    pid: int = Field(default_factory=os.getpid)
    host: str = Field(default_factory=platform.node)
    started_at: str
    updated_at: str
    n_runs: int
    n_done: int
    n_stopped_early: int = 0
    n_failed: int
    n_not_applicable: int
    n_skipped: int
    n_left: int
    running: tuple[str, ...]
    eta_seconds: float | None
    best: Best | None


class StatusWriter:
    """Keeps ``status.json`` up to date from a thread of its own, while the context is open.

    Parameters
    ----------
    path
        Where to write; replaced whole, so that nobody reads half of it.
    status
        What to write, asked from the thread.
    warn
        Told once, and what to say, when the file cannot be written.
    """

    def __init__(
        self, path: Path, status: Callable[[State], Status], warn: Callable[[str], None]
    ) -> None:
        self._path, self._status, self._warn = path, status, warn
        self._warned = False
        self._changed, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="status.json", daemon=True)

    def __enter__(self) -> Self:
        self._write("running")
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._changed.set()
        try:
            self._thread.join()
        finally:  # a second Ctrl-C may come here
            self._write("finished" if kind is None else "interrupted")

    def changed(self) -> None:
        """Have the file written soon; costs nothing, however often it is called."""
        self._changed.set()

    def _watch(self) -> None:
        while not self._over.wait(PAUSE):
            self._changed.wait(BEAT - PAUSE)
            self._changed.clear()
            if not self._over.is_set():
                self._write("running")

    def _write(self, state: State) -> None:
        text = self._status(state).model_dump_json(by_alias=True, indent=1) + "\n"
        try:
            write_text(self._path, text, durable=False)
        except OSError as error:
            if not self._warned:
                self._warned = True
                self._warn(f"{self._path} cannot be written: {error}. The runs go on without it.")
