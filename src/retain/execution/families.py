"""Families of runs that differ in their length alone: the longest is fitted for all.

Length is the number of trees or neighbours (``learning.growing``).

The longest leaves the scores of the others in the launch's folder, fold by fold, and these take
them from there. Each stays a run of its own with its own record, and where it finds nothing,
because the longest failed, was stopped in a race or is done elsewhere, it is fitted by itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

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
    families: dict[Hashable, list[Task]] = {}
    for task in tasks:
        families.setdefault(_family(task) or task.id, []).append(task)
    shared = {task.id: task for members in families.values() for task in _cut(members)}
    return [shared[task.id] for task in tasks]


def _family(task: Task) -> Hashable:
    """Return a key that is equal for tasks with the same fits but for their length, or None.

    A limit is about what a run takes by itself. A run that ends in a race has its folds.
    """
    if task.shared is None or any(limit is not None for limit in task.config["limits"].values()):
        return None
    growing, rung = find_growing(task.config), task.rung
    if growing is None or (rung is not None and rung.is_final):
        return None
    model = dict(task.config["model"])
    is_long = model.pop(growing.length) >= growing.changes_at
    rest = identity({**task.config, "model": model})
    return rest, is_long, None if rung is None else rung.folds


def _cut(members: Sequence[Task]) -> Iterator[Task]:
    """Yield the tasks of a family: the others cut from the longest, or a single one from none."""
    if len(members) == 1:
        yield _mark(members[0])
        return
    *shorter, longest = sorted(members, key=_length)
    yield _mark(longest, cut_to=tuple(map(_length, shorter)))
    for task in shorter:
        yield _mark(task, cut_from=longest.id)


def _length(task: Task) -> int:
    growing = find_growing(task.config)
    return 0 if growing is None else int(task.config["model"][growing.length])


def _mark(task: Task, cut_from: str | None = None, cut_to: tuple[int, ...] = ()) -> Task:
    """Return the task with these cuts and no others; as it is if it shares nothing at all."""
    if task.shared is None:
        return task
    return replace(task, shared=replace(task.shared, cut_from=cut_from, cut_to=cut_to))
