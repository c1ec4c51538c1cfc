"""The type and range of a key of ``conf/``, from the class or function that takes it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import BaseModel, TypeAdapter

from generate.types import Schema, describe, find
from retain.execution.backends.config import BACKENDS
from retain.schema.clean import Clean
from retain.schema.compare import Compare
from retain.schema.contract import Cleaning
from retain.schema.dashboard import Dashboard
from retain.schema.purchases import LabelRule, LogColumns, LogFormat, LogPolicy, SnapshotRule
from retain.schema.readout import Readout
from retain.schema.run import Run
from retain.schema.scoring import Score
from retain.schema.simulate import Simulate
from retain.schema.verify import Verify

COMMANDS: dict[str, type[BaseModel]] = {
    "run": Run,
    "compare": Compare,
    "score": Score,
    "readout": Readout,
    "simulate": Simulate,
    "verify": Verify,
    "clean": Clean,
    "dashboard": Dashboard,
}
"""The class of a primary config, by the name of its file."""
SOURCES: dict[str, type[BaseModel]] = {
    "columns": LogColumns,
    "format": LogFormat,
    "policy": LogPolicy,
    "label": LabelRule,
    "snapshots": SnapshotRule,
    "cleaning": Cleaning,
}
"""The class of a node of ``data``; its other keys are parameters of the function that reads."""


def describe_key(key: str, config: str, target: str = "") -> str:
    """Return the type and range of a key in words; empty where only its component knows them.

    ``config`` is the file's path in ``conf/`` without its ending, ``target`` its ``_target_``.
    """
    path = tuple(key.split("."))
    if config in COMMANDS:
        return _in_class(COMMANDS[config], path)
    if path[:2] == ("hydra", "launcher"):
        return _in_class(BACKENDS[config.rpartition("/")[2]], path[2:])
    if path[0] == "data" and target:
        return _in_source(path[1:], target)
    return _in_class(Run, path) or _in_class(Compare, path)


def _in_class(kind: type[BaseModel], path: tuple[str, ...]) -> str:
    schema = _schema(kind)
    node = find(schema, path)
    return describe(node, schema.get("$defs", {})) if node else ""


@cache
def _schema(kind: type[BaseModel]) -> Schema:
    return kind.model_json_schema(by_alias=True)


def _in_source(path: tuple[str, ...], target: str) -> str:
    name, *below = path or ("",)
    if name in SOURCES:
        return _in_class(SOURCES[name], tuple(below)) if below else "keys below"
    parameter = inspect.signature(_function(target), eval_str=True).parameters.get(name)
    if below or parameter is None or parameter.annotation is inspect.Parameter.empty:
        return ""
    schema = TypeAdapter(parameter.annotation).json_schema()
    return describe(schema, schema.get("$defs", {}))


@cache
def _function(target: str) -> Callable[..., Any]:
    module, _, name = target.rpartition(".")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function
