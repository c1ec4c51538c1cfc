"""The key ``search`` beside a model's parameters: where tuning looks for them.

It is no parameter of the model. Where nothing is tuned it can change no result, and is no part of
what a run is known by. Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retain.errors import RetainError
from retain.schema import SearchRange, parse

KEY = "search"


def parse_search_space(model: Mapping[str, Any]) -> dict[str, SearchRange]:
    """Parameter → where it is looked for, as the node of a model says; empty if it does not.

    Raises
    ------
    RetainError
        When a range has an unknown key or a value of the wrong type.
    """
    found = model.get(KEY) or {}
    for key, node in {"": found, **(found if isinstance(found, Mapping) else {})}.items():
        if not isinstance(node, Mapping):
            path = f"model.{KEY}.{key}".rstrip(".")
            expected = "{low: NUMBER, high: NUMBER} or {choices: [VALUE, VALUE]}"
            expected = expected if key else f"{{PARAMETER: {expected}}}"
            raise RetainError.at(path, f"it is {node!r}", f"expected {expected}")
    return {name: parse(SearchRange, node, f"model.{KEY}.{name}") for name, node in found.items()}


def strip_search_space(node: Any) -> Any:
    """Return the node of a model without its ranges and those of models within it.

    >>> strip_search_space({"name": "blend", "members": {"svc": {"C": 1.0, "search": {}}}})
    {'name': 'blend', 'members': {'svc': {'C': 1.0}}}
    """
    if isinstance(node, Mapping):
        return {key: strip_search_space(value) for key, value in node.items() if key != KEY}
    return node


def identity_config(tree: Mapping[str, Any], *, tuned: bool) -> dict[str, Any]:
    """Return a run's tree with the ranges that can change its result, and no others."""
    model = strip_search_space(tree["model"])
    kept = {KEY: tree["model"][KEY]} if tuned and KEY in tree["model"] else {}
    return {**tree, "model": {**model, **kept}}
