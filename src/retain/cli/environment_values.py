"""Values from the environment, recorded as references.

``${oc.env:NAME}`` may be a secret, so records hold this text and not the value. A record's id is
a hash of its content, so references are an error where their value could change a result
without a change of the data.
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
from retain.schema.parsing import Node

ENVIRONMENT = "oc.env"
MARK = "RETAIN_VALUE_FROM_THE_ENVIRONMENT"
"""Marker of values that come from the environment."""
ALLOWED = (
    "study.question",
    "outputs",
    "output_dir",
    "runs",
    "verdict",
    "campaign.dir",
    "outcomes.file",
    "truth",
)
"""Keys whose values may come from the environment, besides those of the data."""
Path = tuple[str | int, ...]
Resolve = Callable[[Mapping[str, Any]], Node]


def with_references(tree: Mapping[str, Any], values: Node, resolve: Resolve) -> Node:
    """Return resolved values, with the reference's text for values from the environment.

    Parameters
    ----------
    tree
        The unresolved config.
    values
        The resolved config.
    resolve
        The function that resolves a tree.

    Raises
    ------
    RetainError
        If a key may not have such a value, or the value is not a text.
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
    """Resolve every value from the environment to a marker."""
    OmegaConf.register_new_resolver(ENVIRONMENT, lambda *_: MARK, replace=True)
    try:
        yield
    finally:
        OmegaConf.register_new_resolver(ENVIRONMENT, oc.env, replace=True)


def _references(tree: Any, marked: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield path and unresolved text of every value with the marker."""
    if isinstance(tree, Mapping) and isinstance(marked, dict):
        for key in marked:
            yield from _references(tree.get(key), marked[key], (*path, key))
    elif isinstance(tree, list) and isinstance(marked, list) and len(tree) == len(marked):
        for index, (one, other) in enumerate(zip(tree, marked, strict=True)):
            yield from _references(one, other, (*path, index))
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
