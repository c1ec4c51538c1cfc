"""Expansion of a sweep by differences: Hydra composes each option once, not each run.

A product of axes with 7 and 9 options has 63 runs and 16 compositions; an axis of plain values has
none. Trees are plain, unresolved and immutable: a changed copy shares all unchanged nodes.
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
    """Yield overrides and unresolved tree of every baseline for a product of axes.

    Parameters
    ----------
    product
        The compositions of axes, in order.
    models
        The options of the ``model`` group.

    Raises
    ------
    RetainError
        When a source names a baseline that is not a model.
    """
    kept = [axis for axis in axes if not _of_a_model(axis)]
    named = [_baselines_of(tree, models) for _, tree in product(kept)]
    every = tuple(dict.fromkeys(name for names in named for name in names))
    if not every:
        return
    runs = product([*kept, Axis(tuple(f"model={name}" for name in every))])
    for index, run in enumerate(runs):
        board, model = divmod(index, len(every))
        if every[model] in named[board]:
            yield run


def _of_a_model(axis: Axis) -> bool:
    """Return whether an override sets a model or its preprocessing.

    >>> _of_a_model(Axis(("++model.C=1",))), _of_a_model(Axis(("sampler@x=smote",)))
    (True, True)
    >>> _of_a_model(Axis(("++data.path=features.csv",)))
    False
    """
    key = axis.texts[0].split("=", 1)[0].lstrip("+~")
    return key.replace("@", ".").replace("/", ".").split(".")[0] in OF_A_MODEL


def _baselines_of(tree: Tree, models: Sequence[str]) -> tuple[str, ...]:
    """Return the baselines of a tree's source in order."""
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
"""New values by path; ``DELETED`` for removed nodes."""
DELETED = object()
PER_RUN_KEYS = (("hydra", "overrides"), ("hydra", "job", "override_dirname"))
"""Paths where Hydra repeats the command line, which differ in each run."""
SEARCHPATH = "hydra.searchpath="


def expand_grid(
    axes: Sequence[Axis], compose: Compose, *, independent: bool
) -> Iterator[tuple[tuple[str, ...], Tree]]:
    """Yield overrides and tree of each run in the order of the axes' product.

    Parameters
    ----------
    axes
        All overrides, also those with one value.
    compose
        Hydra's composition of a list of overrides.
    independent
        False if an option's defaults may depend on another axis: then all axes but those of
        plain values are composed together.
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
    """Return whether no other override sets the same node, a child or a parent."""
    others = [other.path for other in axes if other is not axis and other.path]
    return not any(_is_related(axis.path, path) for path in others)


def _is_related(one: Where, other: Where) -> bool:
    """Return whether one path is a prefix of the other.

    >>> _is_related(("model",), ("model", "C")), _is_related(("model", "C"), ("model", "tol"))
    (True, False)
    """
    return all(a == b for a, b in zip(one, other, strict=False))


def _merge_overlapping(
    tables: dict[tuple[Axis, ...], dict[tuple[str, ...], Patch]],
    turns: Callable[[tuple[Axis, ...]], dict[tuple[str, ...], Patch]],
    axes: Sequence[Axis],
) -> dict[tuple[Axis, ...], dict[tuple[str, ...], Patch]]:
    """Return the tables, with axes that change the same nodes merged."""
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
    """Return the difference of ``other`` to ``base``; a node whose keys differ is replaced whole.

    Hydra's own node is compared key by key.

    >>> diff_trees({"model": {"C": 1}, "seed": 0}, {"model": {"depth": 3}, "seed": 0})
    {('model',): {'depth': 3}}
    """
    if base == other or where in PER_RUN_KEYS:
        return {}
    if not (isinstance(base, Mapping) and isinstance(other, Mapping)):
        return {where: other}
    if base.keys() != other.keys() and where[:1] != ("hydra",):
        return {where: other}
    patch: Patch = {(*where, key): DELETED for key in base if key not in other}
    for key, value in other.items():
        patch |= diff_trees(base.get(key, DELETED), value, (*where, key))
    return patch


def apply_patch(tree: Any, patch: Patch) -> Any:
    """Return ``tree`` with a patch applied.

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
    """Return ``tree`` with plain values set; None if a path leads through a leaf."""
    for path in settings:
        node: Any = tree
        for key in path[:-1]:
            node = node.get(key, {})
            if not isinstance(node, Mapping):
                return None
    placed: Tree = apply_patch(tree, settings)
    return placed


def _restore_overrides(tree: Tree, texts: Sequence[str]) -> Tree:
    """Return ``tree`` with the run's own command line in Hydra's node."""
    task = [text for text in texts if not text.lstrip("~+").startswith(("hydra.", "hydra/"))]
    sources = [text for text in tree["hydra"]["overrides"]["hydra"] if text.startswith(SEARCHPATH)]
    hydras = dict.fromkeys([*sources, *(text for text in texts if text not in task)])
    new_values = ({"hydra": list(hydras), "task": task}, ",".join(sorted(task)))
    return dict(apply_patch(tree, dict(zip(PER_RUN_KEYS, new_values, strict=True))))
