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
def environment(*, tuned: bool = False) -> Environment:
    """The environment of this process; Optuna is in it for runs that are ``tuned``."""
    packages = (*PACKAGES, "optuna") if tuned else PACKAGES
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(terse=True),
        packages={name: metadata.version(name) for name in packages},
        code_sha256=_code(),
    )


def _code() -> str:
    """Return a hash of every file of the package.

    Configs are left out: they are no part of it in a checkout, and a record holds its own whole.
    """
    return hash_folder(Path(__file__).resolve().parents[1], without=("conf",))


@cache
def git() -> Git:
    """The commit of the working directory, and whether it was changed since."""
    commit = _git("rev-parse", "HEAD")
    return Git(commit=commit or None, dirty=bool(commit and _git("status", "--porcelain")))


def _git(*arguments: str) -> str:
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


AGAIN = "again: "
"""How it begins why a run whose record cannot be believed, or is outdated, is to be done."""


@dataclass(frozen=True)
class PlannedRun:
    """One run: its task, its record if it ended before, and why it is to be done, if it is."""

    task: Task
    record: Record | None
    why: str | None

    @property
    def told(self) -> str | None:
        """Why a run that ended before is to be done again, None where it did not or is not."""
        again = self.record is not None or str(self.why).startswith(AGAIN)
        return self.why if again else None

    @property
    def state(self) -> str:
        """What a list of runs shows: the final state, or why the run is still to be done."""
        if self.why is not None:
            return self.why
        if self.record is None:
            return "new"
        return "stopped early" if self.record.stopped_early else self.record.state


@dataclass(frozen=True)
class Plan:
    """Every run of a line, each once, and the distinct customers they learn from."""

    study: StudyDirectory
    runs: tuple[PlannedRun, ...]
    sources: tuple[DatasetFacts, ...]

    def name(self, task: Task) -> str:
        """What was typed for a run and not for all of them, which tells it from the others."""
        own = [text for text in task.overrides if text not in self._shared]
        return " ".join(own) or task.directory.path.name

    @cached_property
    def _shared(self) -> set[str]:
        """What was typed for all runs; nothing where there is one run only."""
        typed = [set(planned.task.overrides) for planned in self.runs]
        return set.intersection(*typed) if len(typed) > 1 else set()

    @property
    def to_do(self) -> list[Task]:
        """Tasks that have no final state that still holds."""
        return [planned.task for planned in self.runs if planned.why is not None]


def plan_runs(runs: Sequence[RunConfig], surveyed: Preflight, rows: Path | None = None) -> Plan:
    """The runs with their records; those to be done share what the survey handed over.

    Raises
    ------
    RetainError
        When a run's folder leads out of the study's.
    """
    study = StudyDirectory(Path(runs[0].run.outputs) / runs[0].run.study.name)
    planned, checker = [], RecordChecker()
    for run, place in zip(runs, surveyed.which, strict=True):
        shared = None
        if surveyed.handed is not None and rows is not None:
            shared = SharedInputs(surveyed.handed, place, rows)
        planned.append(_planned(study, run, surveyed.seen[place], shared, checker))
    return Plan(study, tuple(planned), _distinct(surveyed.seen))


def _distinct(seen: Sequence[DatasetFacts]) -> tuple[DatasetFacts, ...]:
    """One of those that see the same customers: folds drawn otherwise are not told of."""
    return tuple({one.data.fingerprint: one for one in reversed(seen)}.values())[::-1]


def _planned(
    study: StudyDirectory,
    run: RunConfig,
    seen: DatasetFacts,
    shared: SharedInputs | None,
    checker: RecordChecker,
) -> PlannedRun:
    directory = study.run(run.slug, run.id)
    record, broken = _recorded(study, directory, checker)
    task = Task(
        id=run.id,
        directory=directory,
        tree=run.tree,
        recorded=run.recorded,
        overrides=run.overrides,
        hydra=run.hydra,
        data=seen.data,
        split=seen.split,
        checks=seen.checks,
        environment=environment(tuned=run.run.tuning.on),
        git=git(),
        before=None if record is None else record.finished_at,
        shared=shared,
    )
    return PlannedRun(task, record, _why(task, record) if broken is None else f"{AGAIN}{broken}")


def _recorded(
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


def _why(task: Task, record: Record | None) -> str | None:
    """Why a run is to be done, or None when its record still speaks of what would run now."""
    if record is None:
        if not task.directory.path.exists():
            return "new"
        return "running elsewhere" if task.directory.busy else "interrupted"
    if record.state == "failed":
        return "failed before"
    again = task.why_again(record)
    return None if again is None else f"{AGAIN}{again}"
