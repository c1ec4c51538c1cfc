"""Values from the environment, which are recorded as the reference that was typed.

``${oc.env:NAME}`` may stand for a secret: a record, or anything made of it, holds that text and not
the value. Where a value can change a result without the data telling, the reference is refused,
since a record's id is made of what it holds.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from omegaconf import OmegaConf
from omegaconf.resolvers import oc

from retain.errors import RetainError

ENVIRONMENT = "oc.env"
MARK = "RETAIN_VALUE_FROM_THE_ENVIRONMENT"
"""What resolves in the place of a value while it is found out which values come from there."""
ALLOWED = (
    "study.question",
    "outputs",
    "output_dir",
    "runs",
    "verdict",
    "campaign.dir",
    "outcomes.file",
)
"""Keys whose values may come from the environment, beside those of the data."""
Path = tuple[str | int, ...]
Resolve = Callable[[Mapping[str, Any]], dict[str, Any]]


def with_references(
    tree: Mapping[str, Any], values: dict[str, Any], resolve: Resolve
) -> dict[str, Any]:
    """Return resolved values with the text of its reference wherever the environment gave one.

    Parameters
    ----------
    tree
        The config before references were resolved.
    values
        The same resolved.
    resolve
        What resolves a tree.

    Raises
    ------
    RetainError
        If such a value stands where it may not, or is no text.
    """
    if f"{ENVIRONMENT}:" not in json.dumps(tree):
        return values
    with _marked_environment():
        marked = resolve(tree)
    recorded = copy.deepcopy(values)
    for path, text in _references(tree, marked):
        _check(path, _value_at(values, path))
        _value_at(recorded, path[:-1])[path[-1]] = text
    return recorded


@contextmanager
def _marked_environment() -> Iterator[None]:
    """Have every value from the environment resolve to a mark."""
    OmegaConf.register_new_resolver(ENVIRONMENT, lambda *_: MARK, replace=True)
    try:
        yield
    finally:
        OmegaConf.register_new_resolver(ENVIRONMENT, oc.env, replace=True)


def _references(tree: Any, marked: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield path and unresolved text of every value that bears the mark."""
    if isinstance(tree, Mapping) and isinstance(marked, dict):
        for key in marked:
            yield from _references(tree.get(key), marked[key], (*path, key))
    elif isinstance(tree, list) and isinstance(marked, list) and len(tree) == len(marked):
        for place, (one, other) in enumerate(zip(tree, marked, strict=True)):
            yield from _references(one, other, (*path, place))
    elif MARK in json.dumps(marked, default=str):
        yield path, tree


def _check(path: Path, value: Any) -> None:
    key = ".".join(map(str, path))
    if not (key in ALLOWED or path[0] == "data") or not isinstance(value, str):
        raise RetainError(
            f"{key} takes its value from the environment, and a record would not tell which it "
            "was; type the value. Places of data and outputs may come from there, as texts."
        )


def _value_at(node: Any, path: Path) -> Any:
    for key in path:
        node = node[key]
    return node
