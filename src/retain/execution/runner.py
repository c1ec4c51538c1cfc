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
from retain.execution.limits import measure_peak_memory_mb, reset_peak_memory
from retain.execution.task import RungResult, RunOutcome, Task, finish
from retain.execution.yaml_writer import to_yaml
from retain.learning.components import experiment
from retain.learning.experiment import CrossValidationResult, evaluate
from retain.learning.fold_data import PreparedFoldCache
from retain.record import Record

log = logging.getLogger(__name__)
FOLD_CACHE_BYTES = 2 * 2**30
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
        return task.read_newer_record() or _run_claimed(task.mark_started())


def _run_claimed(task: Task) -> Record | RungResult:
    checkpoint = load_checkpoint(task)
    if checkpoint is not None and _pauses_after(task, len(checkpoint.progress.roc_auc)):
        return checkpoint.progress
    task.directory.reopen(keep_folds=checkpoint is not None)
    for name, node in (
        ("config", task.recorded_config),
        ("hydra", {"hydra": task.hydra}),
        ("overrides", list(task.overrides)),
    ):
        (task.directory.hydra / f"{name}.yaml").write_text(to_yaml(node), encoding="utf-8")
    with (
        _log_to_file(task, anew=checkpoint is None),
        _find_thread_pools(len(sys.modules)).limit(limits=task.config["threads"]),
    ):
        reset_peak_memory()
        outcome = _capture_outcome(task, checkpoint)
        outcome.peak_memory_mb = measure_peak_memory_mb()
        if checkpoint is not None:
            _merge_checkpoint(outcome, checkpoint)
        return _finish_or_pause(
            task, outcome, 0.0 if checkpoint is None else checkpoint.progress.seconds_spent
        )


def _pauses_after(task: Task, folds: int) -> bool:
    """Whether a run with so many folds has what its leg asks for, and is not to end with them."""
    rung = task.rung
    return rung is not None and not rung.is_final and rung.folds <= folds < task.split.fits


def _merge_checkpoint(outcome: RunOutcome, checkpoint: Checkpoint) -> None:
    """Have the ending of a run's last leg tell of the earlier ones too."""
    outcome.warnings = [*checkpoint.warnings, *outcome.warnings]
    outcome.started = checkpoint.started
    peaks = (outcome.peak_memory_mb, checkpoint.peak_memory_mb)
    outcome.peak_memory_mb = max((peak for peak in peaks if peak is not None), default=None)


def _finish_or_pause(task: Task, outcome: RunOutcome, spent: float) -> Record | RungResult:
    """The folds kept where the run goes on later, its record where it has ended."""
    evaluation = outcome.evaluation
    if evaluation is None:
        return finish(task, outcome)
    folds = len(evaluation.metrics["roc_auc"]["folds"])
    if _pauses_after(task, folds):
        log.info("waits for the race with %d of %d folds", folds, task.split.fits)
        return save_checkpoint(task, outcome, evaluation, spent)
    for name, metric in evaluation.metrics.items():
        log.info("%s %.4f [%.4f, %.4f]", name, metric["mean"], metric["low"], metric["high"])
    return finish(task, outcome)


def _capture_outcome(task: Task, checkpoint: Checkpoint | None) -> RunOutcome:
    """The run itself, every way it can end turned into a value."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        outcome = _run_to_outcome(task, checkpoint)
    outcome.warnings = [f"{w.category.__name__}: {w.message}" for w in caught]
    for text in outcome.warnings:
        log.warning(text)
    return outcome


def _run_to_outcome(task: Task, checkpoint: Checkpoint | None) -> RunOutcome:
    try:
        raced = task.rung is not None and task.rung.is_final
        evaluation = _cross_validate(task, checkpoint)
        return RunOutcome("done", evaluation=evaluation, stopped="raced" if raced else None)
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


def _cross_validate(task: Task, checkpoint: Checkpoint | None) -> CrossValidationResult:
    dataset, cache = _load_inputs(task)
    if checkpoint is None:
        for line in dataset.messages:
            log.info(line)
        for check in dataset.checks:
            log.info("%s %s: %s", check.outcome, check.code, check.sentence)
    for facts, seen in ((dataset.data, task.data), (dataset.split, task.split)):
        if facts != seen:
            raise RetainError("the data changed while the sweep ran; launch the line again.")
    return evaluate(
        experiment(task.run),
        dataset.customers,
        dataset.splits,
        cache,
        begun=None if checkpoint is None else checkpoint.evaluation,
        upto=None if task.rung is None else task.rung.folds,
    )


def _load_inputs(task: Task) -> tuple[Dataset, PreparedFoldCache | None]:
    """The run's customers, handed over or read here, and where it may share prepared rows."""
    if task.shared is None:
        return prepare_dataset(task.run), None
    dataset: Dataset = task.shared.datasets.load()[task.shared.index]
    return dataset, _fold_cache(task.shared.fold_cache_dir)


@lru_cache(maxsize=1)
def _find_thread_pools(_: int) -> ThreadpoolController:
    """The thread pools loaded into this process; looked for again when a module was imported."""
    return ThreadpoolController()


@lru_cache(maxsize=1)
def _fold_cache(folder: Path) -> PreparedFoldCache:
    return PreparedFoldCache(folder, FOLD_CACHE_BYTES)


@contextmanager
def _log_to_file(task: Task, *, anew: bool) -> Iterator[None]:
    """Everything logged goes to the run's own file."""
    handler = logging.FileHandler(task.directory.log, mode="w" if anew else "a", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    checkpoint = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.setLevel(checkpoint)
        root.removeHandler(handler)
        handler.close()
