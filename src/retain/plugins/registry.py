"""The registered components, by kind and name, and the packages that they come from."""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import Distribution, entry_points
from pathlib import Path
from typing import Any, Literal

from retain.errors import RetainError, did_you_mean, examples
from retain.storage.writing import hash_file, hash_folder

Kind = Literal[
    "model",
    "sampler",
    "scaling",
    "calibration",
    "metric",
    "feature",
    "source",
    "offer rule",
    "segmentation",
    "launcher",
]
ENTRY_POINT = "retain.plugins"
VARIABLE = "RETAIN_PLUGINS"
"""Environment variable with modules that are imported too, separated by commas."""


@dataclass(frozen=True)
class Plugin:
    """A registered component.

    Attributes
    ----------
    target
        The class or function.
    keywords
        Arguments of the decorator, such as the bounds of a metric.
    types
        Classes besides ``target`` that a fitted one may hold, as they stand in a model file.
    """

    kind: Kind
    name: str
    target: Callable[..., Any]
    keywords: Mapping[str, Any] = field(default_factory=dict)
    types: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The dotted path of the class or function."""
        return f"{self.module}.{self.target.__qualname__}"

    @property
    def module(self) -> str:
        """The module that defines it."""
        return str(self.target.__module__)

    @property
    def root(self) -> str:
        """The first part of the module's name."""
        return _root(self.module)

    @property
    def package(self) -> str:
        """Name and version of the installed package, or else the module."""
        found = _distributions().get(self.root)
        return self.module if found is None else f"{found.name} {found.version}"

    @property
    def version(self) -> str:
        """Hash of the module, or of the whole package that it is in (12 hex digits)."""
        root = sys.modules[self.root]
        if not hasattr(root, "__path__"):
            return hash_file(Path(str(root.__file__)))[:12]
        hashes = "".join(hash_folder(Path(folder)) for folder in root.__path__)
        return hashlib.sha256(hashes.encode()).hexdigest()[:12]

    @property
    def is_shared(self) -> bool:
        """True if worker processes find it too."""
        return self.root in _distributions() or self.root in {_root(name) for name in _named()}


_REGISTERED: dict[tuple[Kind, str], Plugin] = {}
_BROKEN: dict[str, str] = {}


def register(plugin: Plugin) -> None:
    """Add a plug-in; one that was registered by the same path before is replaced.

    Raises
    ------
    RetainError
        Another plug-in of the kind has the name.
    """
    other = _REGISTERED.get((plugin.kind, plugin.name))
    if other is not None and other.path != plugin.path:
        raise RetainError(
            f"the {plugin.kind} {plugin.name!r} of {plugin.package} is also one of "
            f"{other.package}; expected another name, or one of the packages."
        )
    _REGISTERED[plugin.kind, plugin.name] = plugin


def plugins(kind: Kind | None = None) -> list[Plugin]:
    """Return what is registered, in order of kind and name."""
    _load()
    found = [one for one in _REGISTERED.values() if kind in (None, one.kind)]
    return sorted(found, key=lambda one: (one.kind, one.name))


def find(kind: Kind, name: str) -> Plugin | None:
    """Return the plug-in of a name, or None."""
    if (kind, name) not in _REGISTERED:
        _load()
    return _REGISTERED.get((kind, name))


def require(kind: Kind, name: str, where: str) -> Plugin:
    """Return the plug-in that the config key ``where`` names.

    Raises
    ------
    RetainError
        Nothing of the name is registered.
    """
    found = find(kind, name)
    if found is None:
        raise not_registered(kind, name, where)
    return found


def not_registered(kind: Kind, name: str, where: str) -> RetainError:
    """Return the error of a name that nothing registers, at a config key."""
    names = [one.name for one in plugins(kind)]
    known = f"registered are {examples(names)}" if names else "none is"
    return RetainError(
        f"{where}: no {kind} {name!r} is registered; {known}.{did_you_mean(name, names)} Install "
        f"the package that has it, or name its module: export {VARIABLE}=MODULE.{broken_text()}"
    )


def find_path(path: str) -> Plugin | None:
    """Return the plug-in of a dotted path, or None."""
    found = (one for one in [*_REGISTERED.values()] if one.path == path)
    return next(found, None) or next((one for one in plugins() if one.path == path), None)


def registered_types() -> list[str]:
    """Return the dotted paths of the classes that a fitted plug-in may consist of."""
    classes = [one for one in plugins() if inspect.isclass(one.target)]
    return [path for one in classes for path in (one.path, *one.types)]


def broken() -> dict[str, str]:
    """Return why a package or module could not be imported, by its name."""
    _load()
    return dict(_BROKEN)


def broken_text() -> str:
    """Return a sentence for each package or module that could not be imported."""
    return "".join(f" {name} could not be imported: {why}." for name, why in broken().items())


def _root(module: str) -> str:
    return module.partition(".")[0]


def _named() -> list[str]:
    return [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]


@cache
def _distributions() -> dict[str, Distribution]:
    """Return the installed package by the first part of its modules' names."""
    return {
        _root(point.value.partition(":")[0].strip()): point.dist
        for point in entry_points(group=ENTRY_POINT)
        if point.dist is not None
    }


def _load() -> None:
    """Import the modules of installed packages and those that the variable names, once each."""
    _load_entry_points()
    for name in _named():
        _import(name, name)


@cache
def _load_entry_points() -> None:
    for point in entry_points(group=ENTRY_POINT):
        _import(point.dist.name if point.dist else point.name, point.value.partition(":")[0])


@cache
def _import(called: str, module: str) -> None:
    """Import a module; an error is kept for those who need what it would have registered."""
    try:
        import_module(module)
    except RetainError as error:
        _BROKEN[called] = str(error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's module raises anything
        frames = traceback.extract_tb(error.__traceback__)
        named = [
            f" ({one.filename}:{one.lineno})" for one in frames if "importlib" not in one.filename
        ]
        where = named[-1] if len(named) > 1 else ""  # the first is this file
        _BROKEN[called] = f"{type(error).__name__}: {error}{where}"


def used_by(config: Mapping[str, Any]) -> list[Plugin]:
    """Return the plug-ins that a run's config names."""
    found = {one.path: one for one in _iter_used(config)}
    return [found[path] for path in sorted(found)]


def _iter_used(config: Mapping[str, Any]) -> Iterator[Plugin]:
    named: list[tuple[Kind, object]] = [("calibration", config["calibration"].get("method"))]
    named += [("metric", name) for name in config["metrics"].get("plugins", ())]
    named += [("feature", name) for name in config["features"].get("plugins", ())]
    for kind, name in named:
        if isinstance(name, str) and (plugin := find(kind, name)) is not None:
            yield plugin
    for path in _targets(config):
        if not path.startswith(_OWN) and (plugin := find_path(path)) is not None:
            yield plugin


_OWN = ("retain.", "sklearn.", "imblearn.", "lightgbm.", "catboost.")


def _targets(node: Any) -> Iterator[str]:
    """Yield every ``_target_`` in a config."""
    if isinstance(node, Mapping):
        if isinstance(node.get("_target_"), str):
            yield node["_target_"]
        for value in node.values():
            yield from _targets(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _targets(value)
