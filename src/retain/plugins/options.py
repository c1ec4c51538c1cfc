"""The options of config groups that plug-ins add, as files of ``conf/`` would hold them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from retain.plugins.decorators import GROUPS
from retain.plugins.registry import Plugin, plugins

FROM_RETAIN = ("known_kinds", "known_sources", "named_columns")
"""Parameters of a source that retain gives, not the config."""
CALIBRATION_FOLDS = 3
MIN_SEGMENT_SIZE = 30
REQUIRED = "???"


def iter_options() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield group, name and node of each plug-in that is an option of a config group."""
    for plugin in plugins():
        if plugin.kind in GROUPS:
            yield GROUPS[plugin.kind], plugin.name, to_node(plugin)


def to_node(plugin: Plugin) -> dict[str, Any]:
    """Return the node of a plug-in, with the defaults of its parameters.

    A parameter without a default has to be typed; one whose default is no plain value is left out.
    """
    name = plugin.name
    if plugin.kind == "calibration":
        return {"name": name, "method": name, "folds": CALIBRATION_FOLDS}
    if plugin.kind == "launcher":
        return {"engine": name, **_parameters(plugin.target)}
    if plugin.kind == "segmentation":
        parameters = dict(list(_parameters(plugin.target).items())[3:])
        node = {"kind": "plugin", "plugin": name, "parameters": parameters}
        return {"name": name, **node, "min_size": MIN_SEGMENT_SIZE}
    return {"name": name, "_target_": plugin.path, **_parameters(plugin.target)}


def _parameters(target: Callable[..., Any]) -> dict[str, Any]:
    """Return the plain defaults of a class or function by parameter."""
    found = inspect.signature(target).parameters.values()
    named = [one for one in found if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
    defaults = {
        one.name: REQUIRED if one.default is inspect.Parameter.empty else one.default
        for one in named
        if one.name not in FROM_RETAIN
    }
    if "random_state" in defaults:
        defaults["random_state"] = "${seed}"
    return {key: value for key, value in defaults.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, (*value, *value.values())))
    return value is None or isinstance(value, str | int | float | bool)
