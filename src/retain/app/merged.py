"""What was recorded, with what is typed about it now."""

from __future__ import annotations

from typing import Any


def merged(tree: dict[str, Any], typed: dict[str, Any]) -> dict[str, Any]:
    """A tree with some of its leaves, or whole new branches, from another.

    >>> merged({"horizon": {"low": 1, "high": 6}, "draws": 100}, {"horizon": {"low": 2}})
    {'horizon': {'low': 2, 'high': 6}, 'draws': 100}
    """
    below = {
        key: merged(tree[key], value)
        if isinstance(value, dict) and isinstance(tree.get(key), dict)
        else value
        for key, value in typed.items()
    }
    return {**tree, **below}
