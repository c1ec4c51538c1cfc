"""What a line asks for, held against what is already there: which runs are to be done, and why.

Imports nothing heavy: customers were seen elsewhere (``execution.dataset``), and are told of here.
"""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path

from retain.errors import RetainError
from retain.execution.dataset_facts import DatasetFacts, Preflight
from retain.execution.run_config import RunConfig
from retain.execution.task import SharedInputs, Task
from retain.record import (
    Environment,
    Git,
    Record,
    RecordChecker,
    RunDirectory,
    StudyDirectory,
    check_scores_size,
)
from retain.storage.paths import is_inside
from retain.storage.writing import hash_folder

PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "imbalanced-learn",
    "lightgbm",
    "catboost",
)
"""Packages whose version can change a score."""


@cache
def collect_environment(*, tuned: bool = False) -> Environment:
    """The environment of this process; Optuna is in it for runs that are ``tuned``."""
    packages = (*PACKAGES, "optuna") if tuned else PACKAGES
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(terse=True),
        packages={name: metadata.version(name) for name in packages},
        code=_hash_code(),
    )


def _hash_code() -> str:
    """Return a hash of every file of the package.

    Configs are left out: they are no part of it in a checkout, and a record holds its own whole.
    """
    return hash_folder(Path(__file__).resolve().parents[1], exclude=("conf",))


@cache
def read_git_state() -> Git:
    """The commit of the working directory, and whether it was changed since."""
    commit = _run_git("rev-parse", "HEAD")
    return Git(commit=commit or None, dirty=bool(commit and _run_git("status", "--porcelain")))


def _run_git(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", "-c", "core.fsmonitor=false", *arguments],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


RERUN_PREFIX = "again: "
"""How it begins why a run whose record cannot be believed, or is outdated, is to be done."""


@dataclass(frozen=True)
class PlannedRun:
    """One run: its task, its record if it ended before, and why it is to be done, if it is."""

    task: Task
    record: Record | None
    pending_reason: str | None

    @property
    def rerun_reason(self) -> str | None:
        """Why a run that ended before is to be done again, None where it did not or is not."""
        again = self.record is not None or str(self.pending_reason).startswith(RERUN_PREFIX)
        return self.pending_reason if again else None

    @property
    def state(self) -> str:
        """What a list of runs shows: the final state, or why the run is still to be done."""
        if self.pending_reason is not None:
            return self.pending_reason
        if self.record is None:
            return "new"
        return self.record.stopped or self.record.state


@dataclass(frozen=True)
class SweepPlan:
    """Every run of a line, each once, and the distinct customers they learn from."""

    study: StudyDirectory
    runs: tuple[PlannedRun, ...]
    sources: tuple[DatasetFacts, ...]

    def format_name(self, task: Task) -> str:
        """What was typed for a run and not for all of them, which tells it from the others."""
        own = [text for text in task.overrides if text not in self._common_overrides]
        return " ".join(own) or task.directory.path.name

    @cached_property
    def _common_overrides(self) -> set[str]:
        """What was typed for all runs; nothing where there is one run only."""
        typed = [set(planned.task.overrides) for planned in self.runs]
        return set.intersection(*typed) if len(typed) > 1 else set()

    @property
    def pending(self) -> list[Task]:
        """Tasks that have no final state that still holds."""
        return [planned.task for planned in self.runs if planned.pending_reason is not None]


def plan_runs(
    runs: Sequence[RunConfig], preflight: Preflight, fold_cache_dir: Path | None = None
) -> SweepPlan:
    """The runs with their records; those to be done share what the survey handed over.

    Raises
    ------
    RetainError
        When a run's folder leads out of the study's.
    """
    study = StudyDirectory(Path(runs[0].run.outputs) / runs[0].run.study.name)
    planned, checker = [], RecordChecker()
    for run, place in zip(runs, preflight.dataset_index, strict=True):
        shared = None
        if preflight.shared_datasets is not None and fold_cache_dir is not None:
            shared = SharedInputs(preflight.shared_datasets, place, fold_cache_dir)
        planned.append(_plan_run(study, run, preflight.facts[place], shared, checker))
    return SweepPlan(study, tuple(planned), _drop_repeated_sources(preflight.facts))


def _drop_repeated_sources(seen: Sequence[DatasetFacts]) -> tuple[DatasetFacts, ...]:
    """One of those that see the same customers: folds drawn otherwise are not told of."""
    return tuple({one.data.fingerprint: one for one in reversed(seen)}.values())[::-1]


def _plan_run(
    study: StudyDirectory,
    run: RunConfig,
    seen: DatasetFacts,
    shared: SharedInputs | None,
    checker: RecordChecker,
) -> PlannedRun:
    directory = study.run(run.slug, run.id)
    record, broken = _read_record(study, directory, checker)
    task = Task(
        id=run.id,
        directory=directory,
        config=run.config,
        recorded_config=run.recorded_config,
        overrides=run.overrides,
        hydra=run.hydra,
        data=seen.data,
        split=seen.split,
        checks=seen.checks,
        environment=collect_environment(tuned=run.run.tuning.on),
        git=read_git_state(),
        previous_finished=None if record is None else record.finished,
        shared=shared,
    )
    return PlannedRun(
        task, record, _pending_reason(task, record) if broken is None else f"{RERUN_PREFIX}{broken}"
    )


def _read_record(
    study: StudyDirectory, run: RunDirectory, checker: RecordChecker
) -> tuple[Record | None, str | None]:
    """The record of a run, and why it cannot be believed where it cannot.

    Raises
    ------
    RetainError
        When the run's folder leads out of the study's, where nothing may be written.
    """
    if not is_inside(run.path, study.path):
        where = run.path.resolve()
        raise RetainError(f"{run.path} leads out of {study.path}, to {where}; delete the link.")
    record = None
    try:
        record = run.read()
        if record is not None and record.state == "done":
            check_scores_size(run.scores, record.scores_bytes, within=run.path)
    except RetainError as error:
        return record, _first_line(error)
    return record, None if record is None else checker.find_problem(record, run.path)


def _first_line(error: RetainError) -> str:
    return str(error).splitlines()[0].removesuffix(".")


def _pending_reason(task: Task, record: Record | None) -> str | None:
    """Why a run is to be done, or None when its record still speaks of what would run now."""
    if record is None:
        if not task.directory.path.exists():
            return "new"
        return "running elsewhere" if task.directory.busy else "interrupted"
    if record.state == "failed":
        return "failed before"
    again = task.rerun_reason(record)
    return None if again is None else f"{RERUN_PREFIX}{again}"
