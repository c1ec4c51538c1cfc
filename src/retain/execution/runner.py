"""One run in any process, from its config to its record.

No error of a model leaves ``execute``: one that cannot be unpickled would end the whole sweep.
"""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import cast

from threadpoolctl import ThreadpoolController

from retain.errors import NotApplicable, RetainError
from retain.execution.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from retain.execution.dataset import Dataset, prepare_dataset
from retain.execution.limits import measure_peak_memory_mb, reset_peak_memory
from retain.execution.task import RungResult, RunOutcome, Task, finish
from retain.execution.yaml_writer import to_yaml
from retain.learning.components import build_training_spec
from retain.learning.cross_validation import CrossValidationResult, cross_validate
from retain.learning.cut_scores import CutScores
from retain.learning.fold_data import PreparedFoldCache
from retain.learning.growing import find_growing
from retain.record.document import Record

log = logging.getLogger(__name__)
FOLD_CACHE_BYTES = 2 * 2**30
"""Size of the prepared folds that a launch may keep in its temporary folder."""


def execute(task: Task) -> Record | RungResult | None:
    """Do a run, or its rung in a race, and write its directory, the record last.

    Return None while another process is doing the run.

    Raises
    ------
    OSError
        If the directory cannot be written.
    """
    with task.directory.hold_lock() as mine:
        if not mine:
            return None
        return task.read_newer_record() or _run_claimed(task.mark_started())


def _run_claimed(task: Task) -> Record | RungResult:
    checkpoint = load_checkpoint(task)
    if checkpoint is not None and _pauses_after(task, len(checkpoint.rung_result.roc_auc)):
        return checkpoint.rung_result
    task.directory.reopen(keep_folds=checkpoint is not None)
    for name, node in (
        ("config", task.recorded_config),
        ("hydra", {"hydra": task.hydra}),
        ("overrides", list(task.overrides)),
    ):
        (task.directory.hydra / f"{name}.yaml").write_text(to_yaml(node), encoding="utf-8")
    with (
        _log_to_file(task, append=checkpoint is not None),
        _find_thread_pools(len(sys.modules)).limit(limits=task.config["threads"]),
    ):
        reset_peak_memory()
        outcome = _capture_outcome(task, checkpoint)
        outcome.peak_memory_mb = measure_peak_memory_mb()
        if checkpoint is not None:
            _merge_checkpoint(outcome, checkpoint)
        earlier = 0.0 if checkpoint is None else checkpoint.rung_result.seconds_spent
        return _finish_or_pause(task, outcome, earlier)


def _pauses_after(task: Task, folds: int) -> bool:
    """Return whether a run with this number of folds has done its rung and goes on later."""
    rung = task.rung
    return rung is not None and not rung.is_final and rung.folds <= folds < task.split.fits


def _merge_checkpoint(outcome: RunOutcome, checkpoint: Checkpoint) -> None:
    """Add warnings, start and peak memory of earlier rungs to the outcome of the last one."""
    outcome.warnings = [*checkpoint.warnings, *outcome.warnings]
    outcome.started = checkpoint.started
    peaks = (outcome.peak_memory_mb, checkpoint.peak_memory_mb)
    outcome.peak_memory_mb = max((peak for peak in peaks if peak is not None), default=None)


def _finish_or_pause(
    task: Task, outcome: RunOutcome, earlier_seconds: float
) -> Record | RungResult:
    """Save a checkpoint if the run goes on later, else write its record."""
    evaluation = outcome.evaluation
    if evaluation is None:
        return finish(task, outcome)
    folds = len(evaluation.metrics["roc_auc"]["fold_values"])
    if _pauses_after(task, folds):
        log.info("waits for the race with %d of %d folds", folds, task.split.fits)
        return save_checkpoint(task, outcome, evaluation, earlier_seconds)
    for name, metric in evaluation.metrics.items():
        log.info("%s %.4f [%.4f, %.4f]", name, metric["value"], metric["low"], metric["high"])
    return finish(task, outcome)


def _capture_outcome(task: Task, checkpoint: Checkpoint | None) -> RunOutcome:
    """Run the task and return its outcome, whatever happens, with all warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        outcome = _run_to_outcome(task, checkpoint)
    outcome.warnings = [f"{w.category.__name__}: {w.message}" for w in caught]
    for text in outcome.warnings:
        log.warning(text)
    return outcome


def _run_to_outcome(task: Task, checkpoint: Checkpoint | None) -> RunOutcome:
    try:
        stopped_early = task.rung is not None and task.rung.is_final
        evaluation = _cross_validate(task, checkpoint)
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


def _cross_validate(task: Task, checkpoint: Checkpoint | None) -> CrossValidationResult:
    dataset, cache = _load_inputs(task)
    if checkpoint is None:
        for line in dataset.messages:
            log.info(line)
        for check in dataset.checks:
            log.info("%s %s: %s", check.outcome, check.code, check.sentence)
    if (dataset.data, dataset.split) != (task.data, task.split):
        raise RetainError("the data changed while the sweep was running; launch it again.")
    return cross_validate(
        build_training_spec(task.run),
        dataset.customers,
        dataset.splits,
        cache,
        cuts=_find_cuts(task),
        begun=None if checkpoint is None else checkpoint.evaluation,
        upto=None if task.rung is None else task.rung.folds,
    )


def _load_inputs(task: Task) -> tuple[Dataset, PreparedFoldCache | None]:
    """Return the run's dataset, shared or read here, and the cache of prepared folds if any."""
    if task.shared is None:
        return prepare_dataset(task.run), None
    dataset: Dataset = task.shared.datasets.load()[task.shared.index]
    return dataset, _fold_cache(task.shared.fold_cache_dir)


def _find_cuts(task: Task) -> CutScores | None:
    """Return where the run takes scores cut from longer fits, or leaves them, if it does."""
    shared, growing = task.shared, find_growing(task.config)
    if shared is None or growing is None or not (shared.cut_from or shared.cut_to):
        return None
    if shared.cut_from is not None:
        log.info("scores are cut from the fits of run %s where they suffice", shared.cut_from)
    return CutScores(shared.fold_cache_dir, growing, shared.cut_to)


@lru_cache(maxsize=1)
def _find_thread_pools(_: int) -> ThreadpoolController:
    """Find the thread pools of this process, again whenever a module was imported."""
    return ThreadpoolController()


@lru_cache(maxsize=1)
def _fold_cache(folder: Path) -> PreparedFoldCache:
    return PreparedFoldCache(folder, FOLD_CACHE_BYTES)


@contextmanager
def _debugging(verbose: object) -> Iterator[None]:
    """Let loggers tell everything: all for ``hydra.verbose=true``, or those that it names."""
    names = [""] if verbose is True else [verbose] if isinstance(verbose, str) else verbose or []
    loggers = [logging.getLogger(str(name)) for name in cast("Sequence[object]", names)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _log_to_file(task: Task, *, append: bool) -> Iterator[None]:
    """Log everything to the run's own file; a full disk is reported by what is written last."""
    handler = logging.FileHandler(task.directory.log, mode="a" if append else "w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    level, raises = root.level, logging.raiseExceptions
    logging.raiseExceptions = False
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        with _debugging(task.hydra.get("verbose")):
            yield
    finally:
        logging.raiseExceptions = raises
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()
