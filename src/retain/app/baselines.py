"""The simple models that a source has in every leaderboard: ``data.baselines``.

A sweep runs them once for each of its leaderboards, that is for each combination of what was typed
about data, splits, metrics and the like. What prepares rows for a model, or is a model's own, makes
no difference to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from retain.app.axes import Axis
from retain.errors import RetainError

OF_A_MODEL = ("model", "sampler", "scaling", "calibration", "tuning", "features")
Tree = Mapping[str, Any]
Composition = tuple[tuple[str, ...], Tree]
Product = Callable[[list[Axis]], Iterator[Composition]]


def baseline_runs(
    axes: Sequence[Axis], product: Product, models: Sequence[str]
) -> Iterator[Composition]:
    """Overrides and unresolved tree of every baseline that one product of axes calls for.

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
    named = [_named(tree, models) for _, tree in product(kept)]
    every = tuple(dict.fromkeys(name for names in named for name in names))
    if not every:
        return
    runs = product([*kept, Axis(tuple(f"model={name}" for name in every))])
    for place, run in enumerate(runs):
        board, model = divmod(place, len(every))
        if every[model] in named[board]:
            yield run


def _of_a_model(axis: Axis) -> bool:
    """Whether an override is of a model or of what prepares its rows.

    >>> _of_a_model(Axis(("++model.C=1",))), _of_a_model(Axis(("sampler@x=smote",)))
    (True, True)
    >>> _of_a_model(Axis(("++data.path=features.csv",)))
    False
    """
    key = axis.texts[0].split("=", 1)[0].lstrip("+~")
    return key.replace("@", ".").replace("/", ".").split(".")[0] in OF_A_MODEL


def _named(tree: Tree, models: Sequence[str]) -> tuple[str, ...]:
    """The baselines of a tree's source, in its order."""
    named = tree.get("data", {}).get("baselines") or ()
    if not isinstance(named, list | tuple):
        raise RetainError(
            f"data.baselines is {named!r}; expected a list of models, such as "
            "data.baselines=[time_rule], or [] for none."
        )
    for name in named:
        if name not in models:
            raise RetainError.unknown("data.baselines: model", str(name), models)
    return tuple(dict.fromkeys(map(str, named)))
