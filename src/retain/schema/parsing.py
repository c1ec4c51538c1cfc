"""Parsing of mappings into config types, with the nearest valid name of a wrong key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from retain.errors import RetainError, did_you_mean
from retain.storage.reading import MAX_INTEGER_BITS

Node = dict[str, Any]
"""A node of the config tree in plain values; components and users add keys of their own."""


def deep_merge(tree: Node, typed: Node) -> Node:
    """Return a tree with leaves and branches replaced by those of another.

    >>> deep_merge({"horizon": {"low": 1, "high": 6}, "seed": 0}, {"horizon": {"low": 2}})
    {'horizon': {'low': 2, 'high': 6}, 'seed': 0}
    """
    below = {
        key: deep_merge(tree[key], value)
        if isinstance(value, dict) and isinstance(tree.get(key), dict)
        else value
        for key, value in typed.items()
    }
    return {**tree, **below}


class Config(BaseModel):
    """A node of the config tree: frozen, strict, no unknown key, no infinite number or NaN."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", populate_by_name=True, allow_inf_nan=False
    )


ConfigT = TypeVar("ConfigT", bound=Config)
_SURROGATE = re.compile("[\ud800-\udfff]")
OURS = {
    "value_error": "{error}",
    "tuple_type": "a list",
    "too_short": "{min_length} or more entries",
    "string_pattern_mismatch": "text of the form {pattern}",
    "string_too_short": "text of {min_length} or more characters",
    "string_too_long": "text of at most {max_length} characters",
}
"""Expected values by pydantic's error type, where its own message does not fit a sentence."""


def parse(kind: type[ConfigT], tree: Mapping[str, Any], where: str = "") -> ConfigT:
    """Return ``tree`` as a ``kind``, or raise a ``RetainError`` with every wrong key and value.

    Lists become tuples, which YAML does not have.

    >>> class Rule(Config):
    ...     policy: str
    ...     measure: str
    >>> parse(Rule, {"policy": "drop", "mesure": "revenue"}, "cleaning.newcomers")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: cleaning.newcomers: key 'mesure' is unknown. Did you mean 'measure'?
    cleaning.newcomers: key 'measure' is missing.
    """
    try:
        return kind.model_validate(_to_tuples(tree, where))
    except ValidationError as error:
        raise RetainError("\n".join(problem_messages(kind, error, where))) from None


def problem_messages(kind: type[Config], error: ValidationError, where: str = "") -> list[str]:
    """Return a sentence about each problem of a node, unknown keys first."""
    messages = [_problem_message(kind, problem, where) for problem in error.errors()]
    return sorted(dict.fromkeys(messages), key=lambda line: "is unknown" not in line)


def check_mapping(where: str, node: Any) -> Node:
    """Return a node that is a mapping with text keys.

    Raises
    ------
    RetainError
        When it is not.
    """
    if isinstance(node, Mapping) and all(isinstance(name, str) for name in node):
        return dict(node)
    raise RetainError.at(where, f"it is {node!r}"[:200], "expected a node {NAME: …}")


def _to_tuples(tree: Any, where: str) -> Any:
    """Return a tree with tuples for lists; raise for numbers and texts that no file can hold."""
    if isinstance(tree, dict):
        for key in tree:
            _to_tuples(key, where)
        return {key: _to_tuples(value, f"{where}.{key}") for key, value in tree.items()}
    if isinstance(tree, list):
        return tuple(_to_tuples(value, where) for value in tree)
    if isinstance(tree, int) and tree.bit_length() > MAX_INTEGER_BITS:
        problem = f"a whole number has {tree.bit_length()} bits"
        raise RetainError.at(
            where.lstrip(".") or "config", problem, f"expected at most {MAX_INTEGER_BITS}"
        )
    if isinstance(tree, str) and not tree.isascii() and _SURROGATE.search(tree):
        problem = f"{tree[:200]!r} holds half of a surrogate pair"
        raise RetainError.at(where.lstrip(".") or "config", problem, "expected text in UTF-8")
    return tree


def _problem_message(kind: type[Config], problem: ErrorDetails, where: str) -> str:
    """Return a sentence about one problem of pydantic."""
    path = [str(part) for part in problem["loc"]]
    parent = ".".join(filter(None, [where, *path[:-1]]))
    prefix = f"{parent}: " if parent else ""
    if problem["type"] == "extra_forbidden":
        return f"{prefix}{_unknown_key(path[-1], problem['input'], _keys(kind, path[:-1]))}"
    if problem["type"] == "missing":
        return f"{prefix}key {path[-1]!r} is missing."
    full = ".".join(filter(None, [where, *path]))
    return f"{full} is {problem['input']!r}; expected {_expected(kind, path, problem)}."


def _unknown_key(key: str, value: Any, names: list[str]) -> str:
    """Return the message about an unknown key, with the nearest or all valid ones.

    If the value is a node, one of its own keys may be the one meant.

    >>> _unknown_key("launcher", {"workers": 2}, ["seed", "workers"])
    "key 'launcher' is unknown. Did you mean 'workers'?"
    >>> _unknown_key("depth", 3, ["name", "kind"])
    "key 'depth' is unknown; expected one of name, kind."
    """
    typed = (key, *map(str, value)) if isinstance(value, Mapping) else (key,)
    hint = next(filter(None, (did_you_mean(word, names) for word in typed)), "")
    if hint or not names:
        return f"key {key!r} is unknown.{hint}"
    return f"key {key!r} is unknown; expected one of {', '.join(names)}."


def _expected(kind: type[Config], path: list[str], problem: ErrorDetails) -> str:
    """Return the expected type or range of a value."""
    if problem["type"] == "model_type":
        return f"a node with keys among {', '.join(_keys(kind, path))}"
    plain = problem["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return OURS.get(problem["type"], "{plain}").format(plain=plain, **problem.get("ctx", {}))


def _keys(kind: type[Config], path: list[str]) -> list[str]:
    """Return the field names of the node at ``path``, as far as types define them."""
    node: Any = kind
    for part in path:
        node = _child_type(node, part)
    return list(_fields(node)) if _is_config(node) else []


def _fields(node: type[Config]) -> dict[str, Any]:
    """Return the type of each field by its key."""
    return {field.alias or name: field.annotation for name, field in node.model_fields.items()}


def _child_type(node: Any, part: str) -> Any:
    """Return the type of the value under ``part``, without None."""
    if not _is_config(node):  # a dict with keys of the user, or a list
        return next((kind for kind in get_args(node) if _is_config(kind)), None)
    fields = _fields(node)
    type_ = fields[part] if part in fields else _child_type(_free_key_type(node), part)
    return _child_type(type_, "") if get_origin(type_) is UnionType else type_


def _free_key_type(node: type[Config]) -> Any:
    """Return the type of a node's free keys, if it has any."""
    open_ended = node.model_config.get("extra") == "allow"
    return get_type_hints(node)["__pydantic_extra__"] if open_ended else None


def _is_config(node: Any) -> bool:
    return isinstance(node, type) and issubclass(node, Config)
