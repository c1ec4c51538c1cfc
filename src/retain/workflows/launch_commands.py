"""The commands that repeat the compared runs and their comparison, and no other run."""

from __future__ import annotations

import itertools
import math
import os
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from retain.errors import RetainError
from retain.record.directory import RunDirectory
from retain.record.document import Record
from retain.storage.reading import read_text
from retain.workflows.runs import RunSelection

NOT_REPEATED = ("threads", "workers", "max_runs", "dry_run", "hydra/launcher", "hydra.launcher")
"""Keys that change how fast runs are done, and not which ones."""
MOST_BYTES = 200_000
"""Largest ``hydra.yaml``; the one of a run has about five thousand bytes."""

Row = tuple[str, ...]
Product = list[list[str]]
"""The values of each key; the runs are all combinations."""


def format_commands(selection: RunSelection, arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the commands that repeat these runs and this comparison.

    Each launch is a line. Lines are joined where the line joined stands for the same runs.
    """
    launches = (
        shlex.join(words)
        for name in selection.studies
        for words in _iter_launches(
            [(run, r) for run, r in selection.runs if run.path.parent.name == name]
        )
    )
    return (*launches, shlex.join(["retain-compare", *arguments]))


def _iter_launches(runs: Sequence[tuple[RunDirectory, Record]]) -> Iterator[list[str]]:
    """Yield the words of each launch; the runs of one have the same keys and study."""
    launches: dict[tuple[str, ...], dict[Row, RunDirectory]] = {}
    for run, record in runs:
        typed = dict(_split(text) for text in record.overrides)
        values = {key: text for key, text in typed.items() if not key.startswith(NOT_REPEATED)}
        launch = (values.get("study", ""), *values)
        launches.setdefault(launch, {}).setdefault(tuple(values.values()), run)
    read = {launch: _read_hydra(next(iter(rows.values()))) for launch, rows in launches.items()}
    whole = {launch for launch, (swept, _) in read.items() if swept <= _keys(launch)}
    for launch, rows in launches.items():
        study, *keys = launch
        if launch not in whole and any(other[0] == study for other in whole):
            continue  # baselines, which the lines of their study make by themselves
        flags = [word for folder in read[launch][1] for word in ("-cd", folder)]
        for product in _cover(list(rows)):
            multirun = ["-m"] if math.prod(map(len, product)) > 1 else []
            pairs = zip(keys, product, strict=True)
            yield ["retain", *multirun, *(_join(key, texts) for key, texts in pairs), *flags]


def _keys(launch: Sequence[str]) -> set[str]:
    """Return the keys that a launch sets; its first item is the study."""
    return {key.lstrip("+") for key in launch[1:]}


def _split(text: str) -> tuple[str, str]:
    """Return the key and the value of an override; a deleted key is a key without a value."""
    key, equals, value = text.partition("=")
    return (key, value) if equals else (text, "")


def _join(key: str, values: Sequence[str]) -> str:
    return key if key.startswith("~") and values == [""] else f"{key}={','.join(values)}"


def _cover(rows: Sequence[Row]) -> list[Product]:
    """Return products of values that together are the rows, each row once.

    >>> _cover([("svc", "0"), ("svc", "1"), ("knn", "0"), ("knn", "1"), ("tree", "0")])
    [[['svc', 'knn'], ['0', '1']], [['tree'], ['0']]]
    """
    values = [list(dict.fromkeys(column)) for column in zip(*rows, strict=True)]
    if math.prod(map(len, values)) == len(rows):
        return [values]
    groups = (_group_alike(rows, index) for index in range(len(values)))
    fewest = min((alike for alike in groups if len(alike) > 1), key=len)
    return list(itertools.chain.from_iterable(map(_cover, fewest)))


def _group_alike(rows: Sequence[Row], index: int) -> list[list[Row]]:
    """Return the rows in groups: values of a column that go with the same others are together."""
    others: dict[str, list[Row]] = {}
    for row in rows:
        others.setdefault(row[index], []).append((*row[:index], *row[index + 1 :]))
    alike: dict[frozenset[Row], set[str]] = {}
    for value, rest in others.items():
        alike.setdefault(frozenset(rest), set()).add(value)
    return [[row for row in rows if row[index] in values] for values in alike.values()]


def _read_hydra(run: RunDirectory) -> tuple[set[str], list[str]]:
    """Return the keys that the study of a run sweeps, and its folders of configs.

    Both are empty where Hydra's file is missing or unreadable.
    """
    try:
        path = run.hydra / "hydra.yaml"
        tree: Any = yaml.safe_load(read_text(path, max_bytes=MOST_BYTES, within=run.path))
        node = tree["hydra"]
        swept = {text for text in node["sweeper"]["params"] or () if isinstance(text, str)}
        texts = [text for text in node["searchpath"] or () if isinstance(text, str)]
        folders = [text.removeprefix("file://") for text in texts]
    except (RetainError, yaml.YAMLError, RecursionError, LookupError, TypeError):
        return set(), []
    return swept, [os.path.relpath(folder) for folder in folders]
