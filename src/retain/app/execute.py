"""One run in whichever process: from its config to its record, whatever happens in between.

No exception leaves ``execute``: one that cannot be unpickled would take the whole sweep along.
"""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from threadpoolctl import ThreadpoolController

from retain.app.components import experiment
from retain.app.memory import forget_peak, peak_memory_mb
from retain.app.prepared import Prepared, prepare
from retain.app.task import Ending, Task, finish
from retain.app.yaml_text import yaml_text
from retain.errors import NotApplicable, RetainError
from retain.learning.experiment import Evaluation, evaluate
from retain.learning.fold_rows import FoldCache
from retain.record import Record

log = logging.getLogger(__name__)
ROWS = 2 * 2**30
"""Bytes of prepared rows that a launch may keep in its temporary folder."""


def execute(task: Task) -> Record | None:
    """Do a run and write its directory, the record last; None while somebody else is at it.

    Raises
    ------
    OSError
        When the directory cannot be written.
    """
    with task.directory.claimed() as mine:
        if not mine:
            return None
        return task.done_elsewhere() or _executed(task.begun())


def _executed(task: Task) -> Record:
    task.directory.reopen()
    for name, node in (
        ("config", task.tree),
        ("hydra", {"hydra": task.hydra}),
        ("overrides", list(task.overrides)),
    ):
        (task.directory.hydra / f"{name}.yaml").write_text(yaml_text(node), encoding="utf-8")
    with _logged(task), _libraries(len(sys.modules)).limit(limits=task.tree["threads"]):
        forget_peak()
        ending = _ended(task)
        ending.peak_memory_mb = peak_memory_mb()
        return finish(task, ending)


def _ended(task: Task) -> Ending:
    """The run itself, every way it can end turned into a value."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        ending = _outcome(task)
    ending.warnings = [f"{w.category.__name__}: {w.message}" for w in caught]
    for text in ending.warnings:
        log.warning(text)
    return ending


def _outcome(task: Task) -> Ending:
    try:
        return Ending("done", evaluation=_evaluated(task))
    except NotApplicable as no:
        log.info("not applicable: %s", no)
        return Ending("not_applicable", reason=str(no))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        log.exception("the run failed")
        reason = (
            str(error) if isinstance(error, RetainError) else f"{type(error).__name__}: {error}"
        )
        return Ending("failed", reason=reason, traceback=traceback.format_exc())


def _evaluated(task: Task) -> Evaluation:
    prepared, cache = _shared(task)
    for line in (
        *prepared.heard,
        *(f"{c.outcome} {c.code}: {c.sentence}" for c in prepared.checks),
    ):
        log.info(line)
    for facts, seen in ((prepared.data, task.data), (prepared.split, task.split)):
        if facts != seen:
            raise RetainError("the data changed while the sweep ran; launch the line again.")
    evaluation = evaluate(experiment(task.run), prepared.customers, prepared.splits, cache)
    for name, metric in evaluation.metrics.items():
        log.info("%s %.4f [%.4f, %.4f]", name, metric["mean"], metric["low"], metric["high"])
    return evaluation


def _shared(task: Task) -> tuple[Prepared, FoldCache | None]:
    """The run's customers, handed over or read here, and where it may share prepared rows."""
    if task.shared is None:
        return prepare(task.run), None
    prepared: Prepared = task.shared.customers.taken()[task.shared.place]
    return prepared, _cache(task.shared.rows)


@lru_cache(maxsize=1)
def _libraries(_: int) -> ThreadpoolController:
    """The thread pools loaded into this process; looked for again when a module was imported."""
    return ThreadpoolController()


@lru_cache(maxsize=1)
def _cache(folder: Path) -> FoldCache:
    return FoldCache(folder, ROWS)


@contextmanager
def _logged(task: Task) -> Iterator[None]:
    """Everything logged goes to the run's own file."""
    handler = logging.FileHandler(task.directory.log, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
        handler.close()
