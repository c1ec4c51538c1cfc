"""``status.json``: the progress of a sweep, for other programs.

A sweep goes on if its status cannot be written.
"""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from pydantic import Field

from retain.errors import RetainError
from retain.record.documents import parse_document
from retain.record.study import StudyDirectory
from retain.schema.parsing import Config
from retain.storage.reading import MIB, read_bytes
from retain.storage.writing import write_text

SCHEMA = 2
MAX_BYTES = MIB
MIN_INTERVAL_SECONDS = 1.0
"""Shortest time between two writes."""
MAX_INTERVAL_SECONDS = 10.0
"""Longest time between two writes: an older status is of a sweep that died."""

State = Literal["running", "finished", "interrupted"]


class BestRun(Config):
    """The best run so far by a metric, with its 95 % interval."""

    id: str
    name: str
    metric: Literal["roc_auc"]
    value: float
    low: float
    high: float


class Status(Config):
    """The content of ``status.json``.

    ``n_runs`` = ``n_done`` + ``n_failed`` + ``n_not_applicable`` + ``n_skipped`` + ``n_left``,
    where ``n_skipped`` runs ended in an earlier sweep and ``n_left`` includes running ones.
    ``n_stopped_early`` of the done runs ended before their last fold. ``eta_seconds`` is null
    before any cost is known, and when interrupted.
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
    best: BestRun | None


def read_status(study: StudyDirectory) -> Status | None:
    """Return the progress of the study's sweep; None without one that can be read."""
    try:
        text = read_bytes(study.status, max_bytes=MAX_BYTES, within=study.path)
        return parse_document(Status, text, str(study.status))
    except RetainError:
        return None


class StatusWriter:
    """A thread that keeps ``status.json`` up to date while the context is open.

    ``make_status`` is called from the thread; ``warn`` is called once with a message if the file
    cannot be written.
    """

    def __init__(
        self, path: Path, make_status: Callable[[State], Status], warn: Callable[[str], None]
    ) -> None:
        # absolute: a sweep starts Ray from another folder while the thread writes
        self._path, self._make_status, self._warn = path.absolute(), make_status, warn
        self._warned = False
        self._update_requested, self._is_closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="status.json", daemon=True)

    def __enter__(self) -> Self:
        self._write("running")
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._is_closed.set()
        self._update_requested.set()
        try:
            self._thread.join()
        finally:  # a second Ctrl-C may come here
            self._write("finished" if kind is None else "interrupted")

    def request_update(self) -> None:
        """Request a write soon; cheap, however often it is called."""
        self._update_requested.set()

    def _watch(self) -> None:
        while not self._is_closed.wait(MIN_INTERVAL_SECONDS):
            self._update_requested.wait(MAX_INTERVAL_SECONDS - MIN_INTERVAL_SECONDS)
            self._update_requested.clear()
            if not self._is_closed.is_set():
                self._write("running")

    def _write(self, state: State) -> None:
        text = self._make_status(state).model_dump_json(by_alias=True, indent=1) + "\n"
        try:
            write_text(self._path, text, durable=False)
        except OSError as error:
            if not self._warned:
                self._warned = True
                self._warn(f"{self._path} cannot be written: {error}. The runs go on without it.")
