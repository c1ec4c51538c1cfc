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

from retain.errors import NotApplicable, RetainError
from retain.execution.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from retain.execution.dataset import Dataset, prepare_dataset
from retain.execution.limits import peak_memory_mb, reset_peak_memory
from retain.execution.task import RungResult, RunOutcome, Task, finish
from retain.execution.yaml_writer import yaml_text
from retain.learning.components import build_training_spec
from retain.learning.experiment import CrossValidationResult, cross_validate
from retain.learning.fold_data import PreparedFoldCache
from retain.record import Record

log = logging.getLogger(__name__)
ROWS = 2 * 2**30
"""Bytes of prepared rows that a launch may keep in its temporary folder."""


def execute(task: Task) -> Record | RungResult | None:
    """Do a run and write its directory, the record last; None while somebody else is at it.

    Of a run in a race a leg is done: it ends with a record only if that is the last one.

    Raises
    ------
    OSError
        When the directory cannot be written.
    """
    with task.directory.claimed() as mine:
        if not mine:
            return None
        return task.done_elsewhere() or _executed(task.begun())


def _executed(task: Task) -> Record | RungResult:
    before = load_checkpoint(task)
    if before is not None and _waits(task, len(before.progress.roc_auc)):
        return before.progress
    task.directory.reopen(keep_folds=before is not None)
    for name, node in (
        ("config", task.recorded),
        ("hydra", {"hydra": task.hydra}),
        ("overrides", list(task.overrides)),
    ):
        (task.directory.hydra / f"{name}.yaml").write_text(yaml_text(node), encoding="utf-8")
    with (
        _logged(task, anew=before is None),
        _libraries(len(sys.modules)).limit(limits=task.tree["threads"]),
    ):
        reset_peak_memory()
        ending = _ended(task, before)
        ending.peak_memory_mb = peak_memory_mb()
        if before is not None:
            _added(ending, before)
        return _settled(task, ending, 0.0 if before is None else before.progress.spent)


def _waits(task: Task, folds: int) -> bool:
    """Whether a run with so many folds has what its leg asks for, and is not to end with them."""
    leg = task.leg
    return leg is not None and not leg.final and leg.folds <= folds < task.split.fits


def _added(ending: RunOutcome, before: Checkpoint) -> None:
    """Have the ending of a run's last leg tell of the earlier ones too."""
    ending.warnings = [*before.warnings, *ending.warnings]
    ending.started = before.started
    peaks = (ending.peak_memory_mb, before.peak_memory_mb)
    ending.peak_memory_mb = max((peak for peak in peaks if peak is not None), default=None)


def _settled(task: Task, ending: RunOutcome, spent: float) -> Record | RungResult:
    """The folds kept where the run goes on later, its record where it has ended."""
    evaluation = ending.evaluation
    if evaluation is None:
        return finish(task, ending)
    folds = len(evaluation.metrics["roc_auc"]["fold_values"])
    if _waits(task, folds):
        log.info("waits for the race with %d of %d folds", folds, task.split.fits)
        return save_checkpoint(task, ending, evaluation, spent)
    for name, metric in evaluation.metrics.items():
        log.info("%s %.4f [%.4f, %.4f]", name, metric["value"], metric["low"], metric["high"])
    return finish(task, ending)


def _ended(task: Task, before: Checkpoint | None) -> RunOutcome:
    """The run itself, every way it can end turned into a value."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        ending = _outcome(task, before)
    ending.warnings = [f"{w.category.__name__}: {w.message}" for w in caught]
    for text in ending.warnings:
        log.warning(text)
    return ending


def _outcome(task: Task, before: Checkpoint | None) -> RunOutcome:
    try:
        stopped_early = task.leg is not None and task.leg.final
        evaluation = _evaluated(task, before)
        return RunOutcome("done", evaluation=evaluation, stopped_early=stopped_early)
    except NotApplicable as no:
        log.info("not applicable: %s", no)
        return RunOutcome("not_applicable", reason=str(no))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        log.exception("the run failed")
        reason = (
            str(error) if isinstance(error, RetainError) else f"{type(error).__name__}: {error}"
        )
        return RunOutcome("failed", reason=reason, traceback=traceback.format_exc())


def _evaluated(task: Task, before: Checkpoint | None) -> CrossValidationResult:
    prepared, cache = _shared(task)
    if before is None:
        for line in prepared.heard:
            log.info(line)
        for check in prepared.checks:
            log.info("%s %s: %s", check.outcome, check.code, check.sentence)
    for facts, seen in ((prepared.data, task.data), (prepared.split, task.split)):
        if facts != seen:
            raise RetainError("the data changed while the sweep ran; launch the line again.")
    return cross_validate(
        build_training_spec(task.run),
        prepared.customers,
        prepared.splits,
        cache,
        begun=None if before is None else before.evaluation,
        upto=None if task.leg is None else task.leg.folds,
    )


def _shared(task: Task) -> tuple[Dataset, PreparedFoldCache | None]:
    """The run's customers, handed over or read here, and where it may share prepared rows."""
    if task.shared is None:
        return prepare_dataset(task.run), None
    prepared: Dataset = task.shared.customers.load()[task.shared.place]
    return prepared, _cache(task.shared.rows)


@lru_cache(maxsize=1)
def _libraries(_: int) -> ThreadpoolController:
    """The thread pools loaded into this process; looked for again when a module was imported."""
    return ThreadpoolController()


@lru_cache(maxsize=1)
def _cache(folder: Path) -> PreparedFoldCache:
    return PreparedFoldCache(folder, ROWS)


@contextmanager
def _logged(task: Task, *, anew: bool) -> Iterator[None]:
    """Everything logged goes to the run's own file."""
    handler = logging.FileHandler(task.directory.log, mode="w" if anew else "a", encoding="utf-8")
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
