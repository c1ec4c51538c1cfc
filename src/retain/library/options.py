"""Objects of registered classes as options of ``conf/``, which workers and a shell can read."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from retain.errors import RetainError
from retain.execution.yaml_writer import to_yaml
from retain.learning.registry import CLASSES, find_class
from retain.storage.writing import write_text

CONF = "conf"
"""Folder in a study of the options that were made of objects; a shell reads it by ``-cd``."""
PLAIN = (str, int, float, bool, type(None))
GROUPS = ("model", "sampler", "scaling")


def write_options(axes: Mapping[str, object], study: Path) -> tuple[dict[str, object], list[Path]]:
    """Return the axes with names in place of objects, and the folders of the options so named.

    Raises
    ------
    RetainError
        The class of an object is not registered, or a parameter is no plain value.
    """
    folder = study / CONF
    if folder.is_symlink() or any((folder / group).is_symlink() for group in GROUPS):
        found = "it is a link, or holds one, which may lead anywhere"
        raise RetainError.at(str(folder), found, "expected a folder of the study itself")
    named = {
        key: _name_objects(key, value, folder) if key in GROUPS else value
        for key, value in axes.items()
    }
    return named, [folder.resolve()] if named != dict(axes) else []


def _name_objects(group: str, value: object, folder: Path) -> object:
    if isinstance(value, list):
        return [_name_objects(group, item, folder) for item in value]
    if value is None or isinstance(value, str):
        return "none" if value is None else value
    node = _to_node(group, value)
    name = type(value).__name__.lower()
    if chosen := {key: node[key] for key in node if key not in ("_target_", "random_state")}:
        name += "_" + hashlib.sha256(repr(sorted(chosen.items())).encode()).hexdigest()[:6]
    try:
        write_text(folder / group / f"{name}.yaml", to_yaml({"name": name, **node}))
    except OSError as error:
        raise RetainError.unwritable(folder, error, "study=FOLDER") from None
    return name


def _to_node(where: str, value: object) -> dict[str, Any]:
    """Return the config node of an object: its class, and what differs from its defaults."""
    if isinstance(value, type) or not hasattr(value, "get_params"):
        found = f"it is {value!r}"
        raise RetainError.at(where, found, f"expected a name of conf/{where}, or an object")
    path = _public_path(type(value))
    find_class(where, path)
    given = value.get_params(deep=False)
    known = inspect.signature(type(value)).parameters
    node: dict[str, Any] = {"_target_": path}
    for key, one in given.items():
        if key not in known or not _is_same(known[key].default, one):
            node[key] = _to_plain(f"{where}.{key}", one)
    if "random_state" in given:
        node.setdefault("random_state", "${seed}")
    return node


def _to_plain(where: str, value: object) -> Any:
    """Return a parameter as a config holds it, estimators as nodes.

    Raises
    ------
    RetainError
        It is nothing of the kind, such as a function.
    """
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if hasattr(value, "get_params"):
        return _to_node(where, value)
    if isinstance(value, list | tuple):
        return [_to_plain(where, item) for item in value]
    if isinstance(value, Mapping):
        return {_to_plain(where, key): _to_plain(where, item) for key, item in value.items()}
    found = f"it is a {type(value).__name__}, which no config can hold"
    raise RetainError.at(where, found, "expected numbers, texts, lists of them, or estimators")


def _is_same(default: object, value: object) -> bool:
    return type(default) is type(value) and isinstance(value, PLAIN) and default == value


def _public_path(kind: type) -> str:
    """Return the dotted path under which a class is documented.

    >>> from sklearn.linear_model import LogisticRegression
    >>> _public_path(LogisticRegression)
    'sklearn.linear_model.LogisticRegression'
    """
    path = f"{kind.__module__}.{kind.__qualname__}"
    package = kind.__module__.partition(".")[0]
    for one in CLASSES:
        if one.partition(".")[0] == package and one.endswith(f".{kind.__name__}"):
            return one
    parts = path.split(".")
    private = next((at for at, part in enumerate(parts[:-1]) if part.startswith("_")), None)
    return path if private is None else ".".join([*parts[:private], parts[-1]])
