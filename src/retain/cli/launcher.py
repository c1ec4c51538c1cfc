"""The launcher that a line names: which processes do its runs."""

from __future__ import annotations

import inspect

from retain.cli.compose import resolve
from retain.errors import RetainError
from retain.execution.backends.config import BACKENDS, Backend, PluginLauncher
from retain.execution.plan import RunConfig
from retain.plugins.registry import Plugin, find
from retain.schema.parsing import Node, check_mapping, parse

BASIC_LAUNCHER = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
"""Hydra's ``basic`` launcher; a file of ours with this name would fail Hydra's validation."""


def choose_backend(composed: RunConfig) -> Backend:
    """Return the backend of a line.

    Raises
    ------
    RetainError
        When a key or value of ``hydra.launcher`` is wrong, the launcher is one of Hydra's plugins,
        or early stopping is set with another launcher than ``basic``.
    """
    node = _node(composed)
    name = str(node.get("engine"))
    plugin = None if name in BACKENDS else find("launcher", name)
    if plugin is None and name not in BACKENDS:
        engine = node.get("engine", node.get("_target_"))
        raise RetainError(
            f"hydra.launcher is {engine!r}, which is not a launcher of retain; "
            f"type hydra/launcher= with one of {', '.join(BACKENDS)}."
        )
    if composed.run.validation.early_stopping and name != "basic":
        raise RetainError(
            "validation.early_stopping=true compares all runs after every fold, which is done on "
            f"one machine; got hydra/launcher={name}. Leave one of the two out."
        )
    if plugin is not None:
        parameters = {key: value for key, value in node.items() if key != "engine"}
        _check_parameters(plugin, parameters)
        return PluginLauncher(engine=name, parameters=parameters)
    return parse(BACKENDS[name], node, "hydra.launcher")


def _check_parameters(plugin: Plugin, parameters: Node) -> None:
    """Raise a ``RetainError`` for a key that the launcher does not take."""
    try:
        inspect.signature(plugin.target).bind(**parameters)
    except TypeError as error:
        found = f"{plugin.name} is called with {', '.join(parameters) or 'nothing'}: {error}"
        raise RetainError(f"hydra.launcher: {found}.") from None


def _node(composed: RunConfig) -> Node:
    """Return the launcher's resolved node, with Hydra's default named ``basic``."""
    launcher = composed.hydra["launcher"]
    tree = resolve({**composed.config, "hydra": {"launcher": launcher}})
    node = check_mapping("hydra.launcher", tree["hydra"]["launcher"])
    if node.get("_target_") == BASIC_LAUNCHER:
        node["engine"] = "basic"
        del node["_target_"]
    return node
