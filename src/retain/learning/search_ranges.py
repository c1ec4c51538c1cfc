"""The key ``search`` of a model: the search space of tuning.

It is not a parameter of the model. Without tuning it does not affect results and is not part of a
run's identity. Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retain.errors import RetainError
from retain.schema.parsing import Node, parse
from retain.schema.run import SearchRange

KEY = "search"


def parse_search_space(model: Mapping[str, Any]) -> dict[str, SearchRange]:
    """Return the search range by parameter of a model's node; empty without ranges.

    Raises
    ------
    RetainError
        A range has an unknown key or a value of the wrong type.
    """
    ranges = model.get(KEY) or {}
    for key, node in {"": ranges, **(ranges if isinstance(ranges, Mapping) else {})}.items():
        if not isinstance(node, Mapping):
            path = f"model.{KEY}.{key}".rstrip(".")
            expected = "{low: NUMBER, high: NUMBER} or {choices: [VALUE, VALUE]}"
            expected = expected if key else f"{{PARAMETER: {expected}}}"
            raise RetainError.at(path, f"it is {node!r}", f"expected {expected}")
    return {name: parse(SearchRange, node, f"model.{KEY}.{name}") for name, node in ranges.items()}


def strip_search_space(node: Any) -> Any:
    """Return the node of a model without search ranges, also in nested models.

    >>> strip_search_space({"name": "blend", "members": {"svc": {"C": 1.0, "search": {}}}})
    {'name': 'blend', 'members': {'svc': {'C': 1.0}}}
    """
    if isinstance(node, Mapping):
        return {key: strip_search_space(value) for key, value in node.items() if key != KEY}
    return node


def identity_config(tree: Mapping[str, Any], *, tuned: bool) -> Node:
    """Return a run's config with only the search ranges that can change its result."""
    model = strip_search_space(tree["model"])
    search = {KEY: tree["model"][KEY]} if tuned and KEY in tree["model"] else {}
    return {**tree, "model": {**model, **search}}
