"""The plan of a sweep: the runs of a command line, those done before, and those to do.

Imports nothing heavy: the customers were read in another process (``execution.dataset``).
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
from retain.execution.inputs import DatasetFacts, Preflight, SharedInputs
from retain.execution.task import Task
from retain.plugins.registry import VARIABLE, used_by
from retain.record.consistency import RecordChecker
from retain.record.directory import RunDirectory
from retain.record.document import Environment, Git, Record, identity, slug_of
from retain.record.reading import check_scores_size
from retain.record.study import StudyDirectory
from retain.schema.parsing import Node
from retain.schema.run import Run
from retain.storage.paths import check_name, is_inside
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
"""Packages whose version may change a score."""


@cache
def collect_environment(*, tuned: bool = False) -> Environment:
    """Return the environment of this process, for tuned runs with the version of Optuna."""
    packages = (*PACKAGES, "optuna") if tuned else PACKAGES
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(terse=True),
        packages={name: metadata.version(name) for name in packages},
        code_sha256=_hash_code(),
    )


def _environment_of(run: RunConfig) -> Environment:
    """Return the environment with the packages of the plug-ins that a run names.

    Raises
    ------
    RetainError
        If worker processes would not find one of them.
    """
    environment = collect_environment(tuned=run.run.tuning.on)
    used = used_by(run.config)
    for plugin in used:
        if not plugin.is_shared:
            raise RetainError(
                f"the {plugin.kind} {plugin.name!r} is registered by {plugin.module}, which worker "
                "processes do not import; install a package with it, or put it into a module on "
                f"PYTHONPATH: export {VARIABLE}=MODULE"
            )
    packages = {**environment.packages, **{one.root: one.version for one in used}}
    return environment.model_copy(update={"packages": packages})


def _hash_code() -> str:
    """Return a hash of every file of the package, without configs, which records hold whole."""
    return hash_folder(Path(__file__).resolve().parents[1], exclude=("conf",))


@cache
def read_git_state() -> Git:
    """Return the commit of the working directory and whether files have changed since."""
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


@dataclass(frozen=True)
class RunConfig:
    """The config of one run, as plain values and as types.

    Attributes
    ----------
    config
        The config as it is run; a model's ``search`` is in it only if it is tuned.
    recorded_config
        The same with references in place of values from the environment.
    identity_config
        The part of it that can change a result, with 1 in place of references to ``threads``.
    hydra
        Hydra's own node.
    """

    overrides: tuple[str, ...]
    config: Node
    run: Run
    recorded_config: Node
    identity_config: Node
    hydra: Node

    @property
    def id(self) -> str:
        """Hash of everything that can change a result (8 hex digits)."""
        return identity(self.identity_config)

    @property
    def slug(self) -> str:
        """Readable name of the run: its components other than ``none``."""
        return check_name("the name of the run", slug_of(self.config))


RERUN_PREFIX = "again: "
"""Prefix of the reason to repeat a run whose record is invalid or outdated."""


@dataclass(frozen=True)
class PlannedRun:
    """A run with its older record, if there is one, and the reason to do it, if it is to do."""

    task: Task
    record: Record | None
    pending_reason: str | None

    @property
    def rerun_reason(self) -> str | None:
        """The reason to repeat a run that ended before; None for other runs."""
        is_rerun = self.record is not None or str(self.pending_reason).startswith(RERUN_PREFIX)
        return self.pending_reason if is_rerun else None

    @property
    def state(self) -> str:
        """The final state of the run, or the reason to do it."""
        if self.pending_reason is not None:
            return self.pending_reason
        if self.record is None:
            return "new"
        return "stopped early" if self.record.stopped_early else self.record.state


@dataclass(frozen=True)
class SweepPlan:
    """The distinct runs of a command line and the distinct customers they learn from."""

    study: StudyDirectory
    runs: tuple[PlannedRun, ...]
    sources: tuple[DatasetFacts, ...]

    def format_name(self, task: Task) -> str:
        """Return the overrides of a run that not all runs share, or else its directory's name."""
        own = [text for text in task.overrides if text not in self._common_overrides]
        return " ".join(own) or task.directory.path.name

    @cached_property
    def _common_overrides(self) -> set[str]:
        """Overrides that all runs share; empty for a single run."""
        overrides = [set(planned.task.overrides) for planned in self.runs]
        return set.intersection(*overrides) if len(overrides) > 1 else set()

    @property
    def pending(self) -> list[Task]:
        """Tasks without a valid record."""
        return [planned.task for planned in self.runs if planned.pending_reason is not None]


def plan_runs(
    runs: Sequence[RunConfig], preflight: Preflight, fold_cache_dir: Path | None = None
) -> SweepPlan:
    """Return the runs with their records; those to do share the datasets of the preflight.

    Raises
    ------
    RetainError
        If a run's folder leads out of the study's.
    """
    study = StudyDirectory(Path(runs[0].run.outputs) / runs[0].run.study.name)
    planned, checker = [], RecordChecker()
    for run, index in zip(runs, preflight.dataset_index, strict=True):
        shared = None
        if preflight.shared_datasets is not None and fold_cache_dir is not None:
            shared = SharedInputs(preflight.shared_datasets, index, fold_cache_dir)
        planned.append(_plan_run(study, run, preflight.facts[index], shared, checker))
    return SweepPlan(study, tuple(planned), _drop_repeated_sources(preflight.facts))


def _drop_repeated_sources(sources: Sequence[DatasetFacts]) -> tuple[DatasetFacts, ...]:
    """Return the first of the datasets that have the same customers, whatever their splits."""
    return tuple({facts.data.fingerprint: facts for facts in reversed(sources)}.values())[::-1]


def _plan_run(
    study: StudyDirectory,
    run: RunConfig,
    facts: DatasetFacts,
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
        data=facts.data,
        split=facts.split,
        checks=facts.checks,
        environment=_environment_of(run),
        git=read_git_state(),
        previous_finished=None if record is None else record.finished_at,
        shared=shared,
    )
    reason = _pending_reason(task, record) if broken is None else f"{RERUN_PREFIX}{broken}"
    return PlannedRun(task, record, reason)


def _read_record(
    study: StudyDirectory, run: RunDirectory, checker: RecordChecker
) -> tuple[Record | None, str | None]:
    """Return the record of a run, and the reason why it is invalid, if it is.

    Raises
    ------
    RetainError
        If the run's folder leads out of the study's, where nothing may be written.
    """
    if not is_inside(run.path, study.path):
        real = run.path.resolve()
        raise RetainError(f"{run.path} leads out of {study.path}, to {real}; delete the link.")
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
    """Return the reason to do a run, None if its record is valid for the current code and data."""
    if record is None:
        if not task.directory.path.exists():
            return "new"
        return "running elsewhere" if task.directory.busy else "interrupted"
    if record.state == "failed":
        return "failed before"
    reason = task.rerun_reason(record)
    return None if reason is None else f"{RERUN_PREFIX}{reason}"
