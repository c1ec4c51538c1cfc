"""Families of runs that differ in their length alone: the longest is fitted for all.

Length is the number of trees or neighbours (``learning.growing``). The longest leaves the scores of
the others in the launch's folder, fold by fold, and these take them from there. Each stays a run of
its own with its own record, and where it finds nothing, because the longest failed, was stopped in
a race or is done elsewhere, it is fitted by itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from operator import itemgetter

from retain.execution.plan import SweepPlan
from retain.execution.task import Task
from retain.learning.growing import find_growing
from retain.record.document import identity


def with_shared_fits(plan: SweepPlan) -> SweepPlan:
    """Return the plan with the pending runs of each family cut from its longest one."""
    shared = {task.id: task for task in share_fits(plan.pending)}
    runs = (replace(run, task=shared.get(run.task.id, run.task)) for run in plan.runs)
    return replace(plan, runs=tuple(runs))


def share_fits(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks in the same order, with what each is cut from or to among them."""
    families: dict[Hashable, list[tuple[int, Task]]] = {}
    for task in tasks:
        family, length = _place(task)
        families.setdefault(family, []).append((length, task))
    shared = {task.id: task for members in families.values() for task in _cut(members)}
    return [shared[task.id] for task in tasks]


def _place(task: Task) -> tuple[Hashable, int]:
    """Return a key that is equal for tasks with the same fits but for their length, and that.

    A limit is about what a run takes by itself. A run that ends in a race has its folds.
    """
    alone, rung = (task.id, 0), task.rung
    if task.shared is None or any(limit is not None for limit in task.config["limits"].values()):
        return alone
    growing = find_growing(task.config)
    if growing is None or (rung is not None and rung.is_final):
        return alone
    model = dict(task.config["model"])
    length = model.pop(growing.length)
    rest = identity({**task.config, "model": model})
    return (rest, length >= growing.changes_at, rung and rung.folds), length


def _cut(members: Sequence[tuple[int, Task]]) -> Iterator[Task]:
    """Yield the tasks of a family: the longest, and the others cut from it."""
    *shorter, (_, longest) = sorted(members, key=itemgetter(0))
    yield _mark(longest, cut_to=tuple(length for length, _ in shorter))
    for _, task in shorter:
        yield _mark(task, cut_from=longest.id)


def _mark(task: Task, cut_from: str | None = None, cut_to: tuple[int, ...] = ()) -> Task:
    """Return the task with these cuts and no others; as it is if it shares nothing at all."""
    if task.shared is None:
        return task
    return replace(task, shared=replace(task.shared, cut_from=cut_from, cut_to=cut_to))
