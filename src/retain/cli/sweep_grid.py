"""A sweep put together from differences: Hydra composes what an option changes, not each run.

A product of axes with 7 and 9 options has 63 runs and 16 compositions; an axis of plain values has
none. Trees are plain and unresolved here. A tree is never changed: a changed copy shares with it
all that stayed the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from retain.cli.sweep_axes import Axis
from retain.errors import RetainError

OF_A_MODEL = ("model", "sampler", "scaling", "calibration", "tuning", "features")
Tree = Mapping[str, Any]
Composition = tuple[tuple[str, ...], Tree]
Product = Callable[[list[Axis]], Iterator[Composition]]


def baseline_runs(
    axes: Sequence[Axis], product: Product, models: Sequence[str]
) -> Iterator[Composition]:
    """Yield overrides and unresolved tree of every baseline that one product of axes calls for.

    Parameters
    ----------
    product
        The compositions of axes, in order.
    models
        What the ``model`` group has.

    Raises
    ------
    RetainError
        When a source names as baseline what is no model.
    """
    kept = [axis for axis in axes if not _of_a_model(axis)]
    named = [_baselines_of(tree, models) for _, tree in product(kept)]
    every = tuple(dict.fromkeys(name for names in named for name in names))
    if not every:
        return
    runs = product([*kept, Axis(tuple(f"model={name}" for name in every))])
    for place, run in enumerate(runs):
        board, model = divmod(place, len(every))
        if every[model] in named[board]:
            yield run


def _of_a_model(axis: Axis) -> bool:
    """Return whether an override is of a model or of what prepares its rows.

    >>> _of_a_model(Axis(("++model.C=1",))), _of_a_model(Axis(("sampler@x=smote",)))
    (True, True)
    >>> _of_a_model(Axis(("++data.path=features.csv",)))
    False
    """
    key = axis.texts[0].split("=", 1)[0].lstrip("+~")
    return key.replace("@", ".").replace("/", ".").split(".")[0] in OF_A_MODEL


def _baselines_of(tree: Tree, models: Sequence[str]) -> tuple[str, ...]:
    """Return the baselines of a tree's source, in its order."""
    named = tree.get("data", {}).get("baselines") or ()
    if not isinstance(named, list | tuple):
        raise RetainError(
            f"data.baselines is {named!r}; expected a list of models, such as "
            "data.baselines=[recency_rule], or [] for none."
        )
    for name in named:
        if name not in models:
            raise RetainError.unknown("data.baselines: model", str(name), models)
    return tuple(dict.fromkeys(map(str, named)))


Where = tuple[str, ...]
Compose = Callable[[Sequence[str]], Tree]
Patch = dict[Where, Any]
"""New contents by path; ``DELETED`` where there is nothing any more."""
DELETED = object()
PER_RUN_KEYS = (("hydra", "overrides"), ("hydra", "job", "override_dirname"))
"""Where Hydra repeats the command line: no difference of an option, but of each run."""
SOURCES = "hydra.searchpath="


def expand_grid(
    axes: Sequence[Axis], compose: Compose, *, independent: bool
) -> Iterator[tuple[tuple[str, ...], Tree]]:
    """Yield overrides and tree of each run, in the order of the axes' product.

    Parameters
    ----------
    axes
        Every override, those with one value included.
    compose
        The tree of a list of overrides, by Hydra.
    independent
        False when an option's defaults may depend on another axis: then no difference stands for
        itself, and all but plain values are composed together.
    """
    plain = [
        axis for axis in axes if axis.swept_values and axis.plain and _is_independent(axis, axes)
    ]
    others = [axis for axis in axes if axis.swept_values and axis not in plain]
    base = compose([axis.texts[0] for axis in axes])
    groups = [(axis,) for axis in others] if independent or not others else [tuple(others)]

    def turns(group: tuple[Axis, ...]) -> dict[tuple[str, ...], Patch]:
        choices = [axis.texts if axis in group else axis.texts[:1] for axis in axes]
        return {
            tuple(
                text for axis, text in zip(axes, texts, strict=True) if axis in group
            ): diff_trees(base, compose(texts))
            for texts in itertools.product(*choices)
        }

    tables = _merge_overlapping({group: turns(group) for group in groups}, turns, axes)
    for texts in itertools.product(*(axis.texts for axis in axes)):
        typed = dict(zip(axes, texts, strict=True))
        tree = base
        for group, table in tables.items():
            tree = apply_patch(tree, table[tuple(typed[axis] for axis in group)])
        settings = {axis.path: axis.values[axis.texts.index(typed[axis])] for axis in plain}
        yield texts, _restore_overrides(_set_plain_values(tree, settings) or compose(texts), texts)


def _is_independent(axis: Axis, axes: Sequence[Axis]) -> bool:
    """Return whether no other override speaks of the same node, of one within it or around it."""
    others = [other.path for other in axes if other is not axis and other.path]
    return not any(_is_related(axis.path, path) for path in others)


def _is_related(one: Where, other: Where) -> bool:
    """Return whether one path leads through the other.

    >>> _is_related(("model",), ("model", "C")), _is_related(("model", "C"), ("model", "tol"))
    (True, False)
    """
    return all(a == b for a, b in zip(one, other, strict=False))


def _merge_overlapping(
    tables: dict[tuple[Axis, ...], dict[tuple[str, ...], Patch]],
    turns: Callable[[tuple[Axis, ...]], dict[tuple[str, ...], Patch]],
    axes: Sequence[Axis],
) -> dict[tuple[Axis, ...], dict[tuple[str, ...], Patch]]:
    """Return the tables, with axes that change the same nodes composed together, until none do."""
    touched = {
        group: {path for patch in table.values() for path in patch}
        for group, table in tables.items()
    }
    for one, other in itertools.combinations(tables, 2):
        if any(_is_related(a, b) for a in touched[one] for b in touched[other]):
            joint = tuple(axis for axis in axes if axis in one or axis in other)
            rest = {group: table for group, table in tables.items() if group not in (one, other)}
            return _merge_overlapping({**rest, joint: turns(joint)}, turns, axes)
    return tables


def diff_trees(base: Any, other: Any, where: Where = ()) -> Patch:
    """Return the difference of ``other`` to ``base``; a node with other keys as a whole.

    Hydra's own node is a list of choices, which grows and shrinks key by key.

    >>> diff_trees({"model": {"C": 1}, "seed": 0}, {"model": {"depth": 3}, "seed": 0})
    {('model',): {'depth': 3}}
    """
    if base == other or where in PER_RUN_KEYS:
        return {}
    if not (isinstance(base, Mapping) and isinstance(other, Mapping)):
        return {where: other}
    if base.keys() != other.keys() and where[:1] != ("hydra",):
        return {where: other}
    found: Patch = {(*where, key): DELETED for key in base if key not in other}
    for key, value in other.items():
        found |= diff_trees(base.get(key, DELETED), value, (*where, key))
    return found


def apply_patch(tree: Any, patch: Patch) -> Any:
    """``tree`` with a patch applied.

    >>> tree = {"model": {"C": 1, "tol": 0}, "seed": 0}
    >>> apply_patch(tree, {("model", "C"): 2, ("seed",): DELETED})
    {'model': {'C': 2, 'tol': 0}}
    """
    for path, value in patch.items():
        tree = value if not path else _set(tree, path, value)
    return tree


def _set(tree: Tree, path: Where, value: Any) -> Tree:
    key, *deeper = path
    copy = dict(tree)
    if deeper:
        copy[key] = _set(tree.get(key, {}), tuple(deeper), value)
    elif value is DELETED:
        copy.pop(key, None)
    else:
        copy[key] = value
    return copy


def _set_plain_values(tree: Tree, settings: Patch) -> Tree | None:
    """``tree`` with values typed for it; None where a path leads through what is no mapping."""
    for path in settings:
        node: Any = tree
        for key in path[:-1]:
            node = node.get(key, {})
            if not isinstance(node, Mapping):
                return None
    placed: Tree = apply_patch(tree, settings)
    return placed


def _restore_overrides(tree: Tree, texts: Sequence[str]) -> Tree:
    """``tree`` with the run's own command line in Hydra's node, as Hydra words it."""
    task = [text for text in texts if not text.lstrip("~+").startswith(("hydra.", "hydra/"))]
    sources = [text for text in tree["hydra"]["overrides"]["hydra"] if text.startswith(SOURCES)]
    hydras = dict.fromkeys([*sources, *(text for text in texts if text not in task)])
    told = ({"hydra": list(hydras), "task": task}, ",".join(sorted(task)))
    return dict(apply_patch(tree, dict(zip(PER_RUN_KEYS, told, strict=True))))
