"""Construction of objects from config nodes.

A config is untrusted input: before anything is called, a ``_target_`` must be registered
(``learning.registry``), be of the right kind, and have the given parameters with plain values
(``learning.parameters``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib import import_module
from typing import Any, cast

from omegaconf import OmegaConf

from retain.customers.customers import Customers
from retain.customers.reading import SourceColumn
from retain.errors import RetainError, nearest
from retain.learning import search_ranges, search_space, tuning
from retain.learning.forbidden_parameters import FIXED
from retain.learning.metric_selection import check_plugin_metrics
from retain.learning.parameters import check_parameter, library_of, parameter_names
from retain.learning.pipeline import PipelineSpec
from retain.learning.registry import find_class, is_estimator
from retain.learning.scoring import TrainingSpec
from retain.plugins.registry import find, find_path, require
from retain.schema.parsing import Node
from retain.schema.run import METHODS, Run, SearchRange
from retain.storage.paths import conf_dir

SOURCES = (
    "retain.customers.contract.reader.read",
    "retain.customers.demo.read",
    "retain.customers.purchases.source.read",
    "retain.customers.table.read",
)
"""The readers of customers."""
SWEEP_ONLY_KEYS = ("baselines",)
"""Keys of a source that are not parameters of its reader but settings of a sweep."""
Kind = Callable[[Any], bool]


def build_training_spec(run: Run) -> TrainingSpec:
    """Return the training spec of a config, with all parameters checked."""
    model = build_component(
        "model", search_ranges.strip_search_space(run.model), _is_classifier, run.threads
    )
    if model is None:
        raise RetainError.at("model._target_", "it is null", "expected a classifier")
    search = search_ranges.parse_search_space(run.model)
    _check_search(search, model, run.threads)
    search_space.check_search_space(search, model, tuned=run.tuning.on)
    if run.tuning.on:
        tuning.import_optuna()
    _check_plugins(run)
    spec = PipelineSpec(
        model=model,
        sampler=build_component("sampler", run.sampler, _has("fit_resample"), run.threads),
        scaling=build_component("scaling", run.scaling, _has("fit", "transform"), run.threads),
        calibration=run.calibration,
        max_categories=run.features.max_categories,
        tuning=run.tuning,
        search=search,
        plugin_features=run.features.plugins,
    )
    return TrainingSpec(spec, run.features, run.metrics, run.seed)


def _check_plugins(run: Run) -> None:
    """Raise for a calibration, feature or metric that is not registered or does not work."""
    method = run.calibration.method
    if method is not None and method not in METHODS and find("calibration", method) is None:
        found = f"calibration.method is {method!r}, which no plug-in registers"
        raise RetainError(f"{found}; expected {', '.join(METHODS)} or null.")
    for name in run.features.plugins:
        require("feature", name, "features.plugins")
    check_plugin_metrics(run.metrics)


def _check_search(search: Mapping[str, SearchRange], model: Any, threads: int) -> None:
    """Check the values of a search space like configured parameters."""
    for name, where in search.items():
        for value in (where.low, where.high, *where.choices):
            if value is not None:
                check_parameter("model.search", type(model), name, value, threads)


def build_component(where: str, node: Mapping[str, Any], kind: Kind, threads: int = 1) -> Any:
    """Return the estimator of a node, or None if its ``_target_`` is null.

    ``threads`` is the number of compute threads it may use.

    Raises
    ------
    RetainError
        The target is not registered or of the wrong kind, or a parameter is unknown or invalid.
    """
    if "_target_" not in node:
        raise RetainError(f"{where}: key '_target_' is missing; name a class, or null for none.")
    return None if node["_target_"] is None else _build(where, node, kind, threads)


def build_source(
    node: Mapping[str, Any],
    known_kinds: Mapping[str, str] | None = None,
    known_sources: Mapping[str, SourceColumn] | None = None,
    named_columns: Mapping[str, Sequence[str]] | None = None,
) -> Callable[[], Customers]:
    """Return a function that reads the customers of a ``data`` node.

    ``known_kinds`` maps features of a model to their kinds, ``known_sources`` to the columns of the
    training file, for customers to be scored: a reader without a contract needs them.
    ``named_columns`` are the columns that other keys name, by key; only a table has such columns.
    """
    reader = _find_reader(node.get("_target_"))
    not_its_own = ("name", "_target_", *SWEEP_ONLY_KEYS)
    parameters = {key: value for key, value in node.items() if key not in not_its_own}
    if named_columns is not None:
        if "named_columns" not in parameter_names(reader):
            problem = f"it is {node.get('name')!r}, which has no columns that keys could name"
            raise RetainError.at("data", problem, "expected data=table data.path=FILE")
        parameters["named_columns"] = named_columns
    _check_names("data", node, reader, parameters)
    if known_kinds is not None and "known_kinds" in parameter_names(reader):
        parameters |= {"known_kinds": known_kinds, "known_sources": known_sources}
    return lambda: cast("Customers", _call("data", reader, parameters))


def _find_reader(target: object) -> Callable[..., Any]:
    if target in SOURCES:
        module, _, name = str(target).rpartition(".")
        return cast("Callable[..., Any]", getattr(import_module(module), name))
    plugin = find_path(str(target))
    if plugin is None or plugin.kind != "source":
        raise RetainError(
            f"data._target_ is {target!r}, which no plug-in registers; expected one of "
            f"{', '.join(SOURCES)}."
        )

    @wraps(plugin.target)
    def read(**parameters: Any) -> Customers:
        customers = plugin.target(**parameters)
        if not isinstance(customers, Customers):
            found = f"the source {plugin.name!r} returns a {type(customers).__name__}"
            raise RetainError(f"{found}; expected Customers, as retain.read_table returns.")
        return customers

    return read


def _build(where: str, node: Mapping[str, Any], kind: Kind, threads: int) -> Any:
    """Return the object of a node, with nested objects built first."""
    target, parameters = _check(where, node, kind)
    for name, value in parameters.items():
        check_parameter(where, target, name, value, threads)
    inner = {
        key: _build_nested(f"{where}.{key}", value, threads) for key, value in parameters.items()
    }
    return _call(where, target, {**inner, **FIXED.get(library_of(target), {})})


def _build_nested(where: str, value: Any, threads: int) -> Any:
    """Return a parameter's value with nested estimators built."""
    if isinstance(value, Mapping):
        if "_target_" in value:
            return _build(where, value, is_estimator, threads)
        return {key: _build_nested(f"{where}.{key}", item, threads) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_build_nested(f"{where}[{i}]", item, threads) for i, item in enumerate(value)]
    return value


def _call(where: str, target: Any, parameters: Mapping[str, Any]) -> Any:
    try:
        return target(**parameters)
    except (TypeError, ValueError, OverflowError) as error:
        raise RetainError(f"{where} cannot be built: {error}.") from None


def _check(where: str, node: Mapping[str, Any], kind: Kind) -> tuple[Any, Node]:
    """Return the target of a node and its parameters as configured."""
    forbidden = {"_args_", "_partial_", "_recursive_", "_convert_"} & set(node)
    if forbidden:
        raise RetainError(f"{where}: key {min(forbidden)!r} is not allowed in a component.")
    target = find_class(where, str(node["_target_"]))
    if not kind(target):
        raise RetainError(f"{where}._target_ is {node['_target_']!r}, which is no {where}.")
    parameters = {key: value for key, value in node.items() if key not in ("name", "_target_")}
    _check_names(where, node, target, parameters)
    return target, parameters


def _check_names(
    where: str, node: Mapping[str, Any], target: Any, parameters: Mapping[str, Any]
) -> None:
    allowed = parameter_names(target)
    called = node.get("name", target.__name__)
    for key in parameters:
        if key not in allowed:
            hint = _hint(where, str(key), [one for one in parameters if one in allowed], allowed)
            raise RetainError(f"{where}.{key}: {called} has no parameter {key!r}.{hint}")


def _hint(where: str, key: str, configured: Sequence[str], allowed: Sequence[str]) -> str:
    """Return a hint with the nearest parameter of the config, the class or another option."""
    near = nearest(key, configured) or nearest(key, allowed)
    if near is not None:
        return f" Did you mean {where}.{near}?"
    others = _other_options(where)
    if (near := nearest(key, others)) is not None:
        return f" {near!r} is a parameter of {' and '.join(others[near])}."
    return f" It has {', '.join(allowed)}."


def _other_options(group: str) -> dict[str, list[str]]:
    """Return the options of a config group by key."""
    by_key: dict[str, list[str]] = {}
    for path in sorted((conf_dir() / group).glob("*.yaml")):
        for key in OmegaConf.load(path):
            by_key.setdefault(str(key), []).append(f"{group}={path.stem}")
    none = ("name", "_target_", search_ranges.KEY)
    return {key: options for key, options in by_key.items() if key not in none}


def _is_classifier(target: Any) -> bool:
    return is_estimator(target) and bool({"predict_proba", "decision_function"} & set(dir(target)))


def _has(*methods: str) -> Kind:
    return lambda found: inspect.isclass(found) and all(hasattr(found, m) for m in methods)
