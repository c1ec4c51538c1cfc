"""The config keys in which runs differ, and the labels of runs made of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from retain.errors import RetainError
from retain.record.document import CANNOT_CHANGE_A_RESULT, Record
from retain.wording import describe_count, format_value

Aspect = Callable[[Record], str]

COMPARED_FIELDS: tuple[tuple[str, Aspect], ...] = (
    ("customers", lambda r: f"{r.data.n_rows} rows, fingerprint {r.data.fingerprint[:12]}"),
    ("target", lambda r: f"{r.data.n_positives} declined"),
    (
        "splits",
        lambda r: f"{r.split.n_folds} folds × {r.split.n_repeats}, {r.split.fingerprint[:12]}",
    ),
    ("metrics", lambda r: ", ".join(r.metrics)),
    ("metric definitions", lambda r: str(get_key(r.config, "metrics.top_shares"))),
)
"""Aspects that must be equal, as texts; a metric's name does not hold its exact top share."""


def check_comparable(records: Sequence[Record]) -> None:
    """Raise a ``RetainError`` naming each aspect in which finished runs differ, with examples."""
    _check_fold_seed(records)
    problems = [
        problem
        for name, aspect in COMPARED_FIELDS
        if (problem := _difference(name, aspect, records)) is not None
    ]
    if problems:
        raise RetainError(
            "these runs cannot be compared in one table, they differ in:\n"
            + "\n".join(problems)
            + "\nKeep them in separate studies (study.name=NAME) and compare each, or launch the "
            "sweep again to redo what is outdated."
        )


def _check_fold_seed(records: Sequence[Record]) -> None:
    """Raise a ``RetainError`` if ``validation.seed`` gave the runs different folds."""
    seeds = {str(get_key(record.config, "validation.seed") or 0) for record in records}
    if len(seeds) > 1:
        listed = ",".join(sorted(seeds))
        raise RetainError(
            f"validation.seed={listed} moves the folds, and runs on other folds cannot be compared "
            "in one table. Keep them in separate studies (study.name=NAME). To see how much the "
            "seed of models and samplers matters, on the same folds: seed=0,1"
        )


def _difference(name: str, aspect: Aspect, records: Sequence[Record]) -> str | None:
    ids: dict[str, list[str]] = {}
    for record in records:
        ids.setdefault(aspect(record), []).append(record.id)
    if len(ids) == 1:
        return None
    parts = [
        f"{description} ({describe_count(len(runs), 'run')}, such as {runs[0]})"
        for description, runs in ids.items()
    ]
    return f"  {name}: " + "; ".join(parts)


COMPONENTS = (
    "model",
    "sampler",
    "scaling",
    "calibration",
    "tuning",
    "data",
    "validation",
    "metrics",
)
"""Config nodes that are a component, in the order of columns."""
SEARCH = "model.search."


def differing_keys(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the config keys in which runs differ, with each run's value.

    A component that differs has its name as value (``model``); its parameters are keys only if two
    runs with the same component differ in them. Components come first.

    >>> svc = {"name": "svc", "_target_": "sklearn.svm.SVC", "C": 1.0}
    >>> tree = {"name": "tree", "_target_": "sklearn.tree.DecisionTreeClassifier", "depth": 3}
    >>> differing_keys([{"model": svc, "seed": 0}, {"model": tree, "seed": 0}])
    {'model': ['svc', 'tree']}
    >>> differing_keys([{"model": svc}, {"model": {**svc, "C": 2.0}}])
    {'model.C': [1.0, 2.0]}
    """
    differing: dict[str, list[Any]] = {}
    for section in dict.fromkeys(key for config in configs for key in config):
        if section not in CANNOT_CHANGE_A_RESULT:
            differing |= _differing_keys_of(section, [config.get(section) for config in configs])
    return dict(sorted(differing.items(), key=lambda item: _sort_key(item[0])))


def _sort_key(key: str) -> int:
    """Return the order of a key: components, top-level keys, nested keys."""
    return COMPONENTS.index(key) if key in COMPONENTS else len(COMPONENTS) + ("." in key)


def _differing_keys_of(section: str, values: Sequence[Any]) -> dict[str, list[Any]]:
    """Return the differing keys of one section, which has few variants."""
    variants, codes = _variants(values)
    if len(variants) == 1:
        return {}
    flat = [_flatten(variant, section) for variant in variants]
    keys = dict.fromkeys(key for one in flat for key in one)
    return {
        _display_key(key): [flat[code].get(key) for code in codes]
        for key in keys
        if key not in CANNOT_CHANGE_A_RESULT and _differs(key, flat)
    }


def _variants(values: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """Return the distinct values, and the code of each value.

    Runs read together share equal nodes, so most are recognised by their address.
    """
    by_text: dict[str, int] = {}
    by_address: dict[int, int] = {}
    variants: list[Any] = []
    codes = []
    for value in values:
        number = by_address.get(id(value))
        if number is None:
            number = by_text.setdefault(json.dumps(value, sort_keys=True), len(variants))
            by_address[id(value)] = number
            if number == len(variants):
                variants.append(value)
        codes.append(number)
    return variants, codes


def _differs(key: str, flat: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether variants with the same component differ in a key."""
    component = key.split(".", maxsplit=1)[0]
    own = f"{component}.name"
    if component not in COMPONENTS or key == own:
        return len({repr(one.get(key)) for one in flat}) > 1
    values: dict[str, set[str]] = {}
    for one in _with_same_component(key, flat):
        values.setdefault(repr(one.get(own)), set()).add(repr(one.get(key)))
    return any(len(distinct) > 1 for distinct in values.values())


def _with_same_component(
    key: str, flat: Sequence[Mapping[str, Any]]
) -> Iterable[Mapping[str, Any]]:
    """Return all variants, for a tuning range only those that are tuned."""
    if not key.startswith(SEARCH):
        return flat
    return [one for one in flat if any(other.startswith(SEARCH) for other in one)]


def _display_key(key: str) -> str:
    component = key.removesuffix(".name")
    return component if component in COMPONENTS else key


def get_key(config: Mapping[str, Any], key: str) -> Any:
    """Return a config's value of a key of ``differing_keys``, None if it has none.

    >>> get_key({"model": {"name": "svc", "C": 1.0}}, "model.C")
    1.0
    """
    node: Any = config
    for part in (*key.split("."), *(("name",) if key in COMPONENTS else ())):
        if not isinstance(node, Mapping) or part not in node:
            return None
        node = node[part]
    return node


def _flatten(tree: Any, path: str) -> dict[str, Any]:
    if not isinstance(tree, Mapping) or not tree:
        return {path: tree}
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        leaves |= _flatten(value, f"{path}.{key}")
    return leaves


def label_run(row: Mapping[Any, Any], keys: Iterable[str], separator: str = " ") -> str:
    """Return the label of a run: components, and other keys as one types them.

    >>> row = {"id": "0123abcd", "model": "svc", "sampler": "none", "features.site": False}
    >>> label_run(row, ["model", "sampler", "features.site"]), label_run(row, ["sampler"])
    ('svc features.site=false', 'sampler=none')
    """
    values = {key: row[key] for key in keys if row.get(key) is not None}
    parts = [
        str(value) if key in COMPONENTS else f"{key}={format_value(value)}"
        for key, value in values.items()
        if value != "none"
    ]
    without = [f"{key}=none" for key, value in values.items() if value == "none"]
    return separator.join(parts or without) or str(row["id"])
