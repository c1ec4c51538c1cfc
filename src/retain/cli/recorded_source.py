"""A source of customers as it was recorded, with what the line says of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from retain.cli.overrides import Arguments
from retain.schema.parsing import Node

_ABSENT = object()


def typed_keys(line: Arguments, group: str) -> list[tuple[str, ...]]:
    """Return the keys below a group that were typed, as paths."""
    typed = [text.split("=", 1)[0].lstrip("+") for text in line.overrides]
    return [tuple(key.split(".")[1:]) for key in typed if key.startswith(f"{group}.")]


def overlay_typed(line: Arguments, typed: Node, recorded: Mapping[str, Any]) -> Node:
    """Return the recorded source with the keys of ``data`` that were typed.

    Tables are cached nowhere: a record may not choose where. A source of another name than the
    recorded one, or of a plug-in, is taken as it was typed.

    Raises
    ------
    RetainError
        If the recorded part of the source is more than local files.
    """
    from retain.workflows.recorded_data import CHECKS, check_recorded

    is_chosen = any(text.startswith("data=") for text in line.overrides)
    is_plugin = is_chosen and recorded.get("_target_") not in CHECKS
    if is_plugin or typed.get("name", recorded.get("name")) != recorded.get("name"):
        return copy.deepcopy(typed)
    keys = [key for key in typed_keys(line, "data") if _value_at(typed, key) is not _ABSENT]
    check_recorded(recorded, {key[0] for key in keys})
    node = {**copy.deepcopy(dict(recorded)), **({"cache": None} if "cache" in recorded else {})}
    for key in keys:
        _set(node, key, _value_at(typed, key))
    return node


def _value_at(tree: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return _ABSENT
        tree = tree[key]
    return tree


def _set(tree: Node, path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        below = tree.get(key)
        tree[key] = dict(below) if isinstance(below, dict) else {}
        tree = tree[key]
    tree[path[-1]] = value
