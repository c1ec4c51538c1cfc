"""From config nodes to objects: the one place that calls what a config names.

A config is untrusted input, one's own or somebody else's: a ``_target_`` must stand in the list
below, be of the right kind, and take the parameters given, before anything of it is called.
``RETAIN_TRUST=package,package`` in the environment adds packages of your own; a config cannot.
"""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, cast

from omegaconf import OmegaConf

from retain.app import search_key
from retain.app.command_line import conf_dir
from retain.customers.customers import Customers
from retain.errors import RetainError, did_you_mean, nearest
from retain.learning import search_space, tuning
from retain.learning.pipeline import Recipe
from retain.learning.scoring import Experiment
from retain.schema import Run

ALLOWED = ("sklearn", "imblearn", "lightgbm", "catboost", "retain")
SOURCES = ("retain.customers.",)
OF_THE_SWEEP = ("baselines",)
"""Keys of a source that no reader takes: they say what a sweep of it runs besides."""
Kind = Callable[[Any], bool]


def experiment(run: Run) -> Experiment:
    """The experiment a config describes, every parameter checked."""
    model = build("model", search_key.without(run.model), _is_classifier)
    search = search_key.ranges(run.model)
    search_space.check(search, model, tuned=run.tuning.on)
    if run.tuning.on:
        tuning.library()
    recipe = Recipe(
        model=model,
        sampler=build("sampler", run.sampler, _has("fit_resample")),
        scaling=build("scaling", run.scaling, _has("fit", "transform")),
        calibration=run.calibration,
        max_categories=run.features.max_categories,
        tuning=run.tuning,
        search=search,
    )
    return Experiment(recipe, run.features, run.metrics, run.seed)


def build(where: str, node: Mapping[str, Any], kind: Kind) -> Any:
    """The estimator a node describes, or None where its ``_target_`` is null.

    Raises
    ------
    RetainError
        When the target is not allowed, is of the wrong kind, or has no such parameter.
    """
    if "_target_" not in node:
        raise RetainError(f"{where}: key '_target_' is missing; name a class, or null for none.")
    return None if node["_target_"] is None else _built(where, node, kind)


def source(
    node: Mapping[str, Any], learnt: Mapping[str, str] | None = None
) -> Callable[[], Customers]:
    """A call that reads the customers a ``data`` node describes.

    With ``learnt``, the kinds of features by name, they are customers to be scored by a model
    that learnt from these: a reader without a contract has to be told.
    """
    target = str(node.get("_target_"))
    if not target.startswith(SOURCES):
        raise RetainError(f"data._target_ is {target!r}; expected a reader in retain.customers.")
    own = {key: value for key, value in node.items() if key not in OF_THE_SWEEP}
    reader, parameters = _checked("data", own, inspect.isfunction)
    if learnt is not None and "learnt" in parameter_names(reader):
        parameters["learnt"] = learnt
    return lambda: cast("Customers", _called("data", reader, parameters))


def _built(where: str, node: Mapping[str, Any], kind: Kind) -> Any:
    """The object, with those within it built before it by the same rules."""
    target, parameters = _checked(where, node, kind)
    inner = {key: _inner(f"{where}.{key}", value) for key, value in parameters.items()}
    return _called(where, target, inner)


def _inner(where: str, value: Any) -> Any:
    """A parameter's value; estimators within it are held to the same rules."""
    if isinstance(value, Mapping):
        if "_target_" in value:
            return _built(where, value, _is_estimator)
        return {key: _inner(f"{where}.{key}", item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_inner(f"{where}[{i}]", item) for i, item in enumerate(value)]
    return value


def _called(where: str, target: Any, parameters: Mapping[str, Any]) -> Any:
    try:
        return target(**parameters)
    except (TypeError, ValueError) as error:
        raise RetainError(f"{where} cannot be built: {error}.") from None


def _checked(where: str, node: Mapping[str, Any], kind: Kind) -> tuple[Any, dict[str, Any]]:
    """What a node names and the parameters it gives, none of them called or looked into yet."""
    forbidden = {"_args_", "_partial_", "_recursive_", "_convert_"} & set(node)
    if forbidden:
        raise RetainError(f"{where}: key {min(forbidden)!r} is not allowed in a component.")
    target = _located(where, str(node["_target_"]))
    if not kind(target):
        raise RetainError(f"{where}._target_ is {node['_target_']!r}, which is no {where}.")
    parameters = {key: value for key, value in node.items() if key not in ("name", "_target_")}
    _check_parameters(where, node, target, parameters)
    return target, parameters


def _located(where: str, path: str) -> Any:
    """The object at a dotted path, which must be defined in an allowed package itself."""
    trusted = (*ALLOWED, *filter(None, os.environ.get("RETAIN_TRUST", "").split(",")))
    module, _, name = path.rpartition(".")
    if path.split(".", maxsplit=1)[0] not in trusted:
        raise RetainError(
            f"{where}._target_ is {path!r}; only {', '.join(trusted)} may be built. "
            "To allow a package of yours: export RETAIN_TRUST=PACKAGE"
        )
    try:
        found = getattr(importlib.import_module(module), name)
    except ImportError:
        raise RetainError(f"{where}._target_ is {path!r}: there is no module {module!r}.") from None
    except OSError as error:
        lacking = f"{module} cannot be loaded: {error}"
        raise RetainError(f"{lacking}. Debian: apt-get install libgomp1.") from None
    except AttributeError:
        known = dir(importlib.import_module(module))
        hint = did_you_mean(name, known)
        raise RetainError(
            f"{where}._target_ is {path!r}: {module} has no {name!r}.{hint}"
        ) from None
    if str(getattr(found, "__module__", "")).split(".")[0] not in trusted:
        raise RetainError(f"{where}._target_ is {path!r}, which {module} only borrows.")
    return found


def _check_parameters(
    where: str, node: Mapping[str, Any], target: Any, parameters: Mapping[str, Any]
) -> None:
    known = parameter_names(target)
    called = node.get("name", target.__name__)
    for key in parameters:
        if key not in known:
            hint = _hint(where, key, [name for name in parameters if name in known], known)
            raise RetainError(f"{where}.{key}: {called} has no parameter {key!r}.{hint}")


def _hint(where: str, key: str, configured: Sequence[str], known: Sequence[str]) -> str:
    """The nearest parameter: one the config lists, any other, or one of another option's."""
    near = nearest(key, configured) or nearest(key, known)
    if near is not None:
        return f" Did you mean {where}.{near}?"
    others = _other_options(where)
    if (near := nearest(key, others)) is not None:
        return f" {near!r} is a parameter of {' and '.join(others[near])}."
    return f" It has {', '.join(known)}."


def _other_options(group: str) -> dict[str, list[str]]:
    """Every key in the options of a config group, with the options that have it."""
    found: dict[str, list[str]] = {}
    for path in sorted((conf_dir() / group).glob("*.yaml")):
        for key in OmegaConf.load(path):
            found.setdefault(str(key), []).append(f"{group}={path.stem}")
    none = ("name", "_target_", search_key.KEY)
    return {key: options for key, options in found.items() if key not in none}


@cache
def parameter_names(target: Any) -> list[str]:
    """The parameters a class or function takes.

    LightGBM takes many more than its constructor lists; its own table of names tells them.
    """
    if hasattr(target, "_get_param_names"):
        names = set(target._get_param_names())  # noqa: SLF001 - scikit-learn's own protocol
        return sorted(names | _lightgbm_names(target))
    parameters = inspect.signature(target).parameters.values()
    return sorted(p.name for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD)


def _lightgbm_names(target: Any) -> set[str]:
    if not target.__module__.startswith("lightgbm."):
        return set()
    from lightgbm.basic import _ConfigAliases

    table = _ConfigAliases._get_all_param_aliases()  # noqa: SLF001 - there is no public list
    return set(table) | {alias for aliases in table.values() for alias in aliases}


def _is_estimator(found: Any) -> bool:
    return inspect.isclass(found) and hasattr(found, "fit")


def _is_classifier(found: Any) -> bool:
    return _is_estimator(found) and bool({"predict_proba", "decision_function"} & set(dir(found)))


def _has(*methods: str) -> Kind:
    return lambda found: inspect.isclass(found) and all(hasattr(found, m) for m in methods)
