"""What a line asks for, held against what is already there: which runs are to be done, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from retain.app.components import experiment
from retain.app.configs import Composed
from retain.app.environment import environment, git
from retain.app.execute import Task
from retain.app.prepared import Prepared, prepare
from retain.learning.features import check_toggles
from retain.record import Record, StudyDirectory


@dataclass(frozen=True)
class Planned:
    """One run: its task, its record if it ended before, and why it is to be done, if it is."""

    task: Task
    record: Record | None
    why: str | None

    @property
    def state(self) -> str:
        """What a list of runs shows: the final state, or why the run is still to be done."""
        if self.why is not None:
            return self.why
        return self.record.state if self.record is not None else "new"


@dataclass(frozen=True)
class Plan:
    """Every run of a line, each once, and the distinct customers they learn from."""

    study: StudyDirectory
    runs: tuple[Planned, ...]
    sources: tuple[Prepared, ...]

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


def plan(runs: Sequence[Composed]) -> Plan:
    """Check every run down to its parameters and its data, then look at what is there.

    Raises
    ------
    RetainError
        At the first config or data that is refused; nothing has been written by then.
    """
    prepared = [_prepared(run) for run in runs]
    study = StudyDirectory(Path(runs[0].run.outputs) / runs[0].run.study.name)
    found = [_planned(study, run, seen) for run, seen in zip(runs, prepared, strict=True)]
    distinct = {id(seen.customers): seen for seen in prepared}
    return Plan(study, tuple(found), tuple(distinct.values()))


def _prepared(run: Composed) -> Prepared:
    experiment(run.run)
    seen = prepare(run.run)
    groups = {*seen.customers.groups, *(d.group for d in seen.customers.derived)}
    check_toggles(run.run.features, groups)
    return seen


def _planned(study: StudyDirectory, run: Composed, seen: Prepared) -> Planned:
    task = Task(
        id=run.id,
        directory=study.run(run.slug, run.id),
        tree=run.tree,
        overrides=run.overrides,
        hydra=run.hydra,
        data=seen.data,
        split=seen.split,
        checks=seen.told,
        environment=environment(),
        git=git(),
    )
    record = task.directory.read()
    return Planned(task, record, _why(task, record))


def _why(task: Task, record: Record | None) -> str | None:
    """Why a run is to be done, or None when its record still speaks of what would run now."""
    if record is None:
        return "interrupted" if task.directory.path.exists() else "new"
    if record.state == "failed":
        return "failed before"
    outdated = record.outdated(task.data, task.split, task.environment)
    return None if outdated is None else f"again: {outdated}"
