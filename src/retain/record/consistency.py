"""Consistency of a record: its id, folder, folds and numbers agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from retain.errors import RetainError
from retain.record.document import Record, identifying_text, identity_of, slug_of
from retain.schema.parsing import Node, parse
from retain.schema.run import Run

THREADS = ("n_jobs", "thread_count", "num_threads", "nthread")
"""Parameters of models that may be set to ``threads``, which does not change results."""
NEEDED_METRICS = ("roc_auc", "brier", "ece")
"""Metrics that a verdict needs: ranking and calibration."""
FEWEST_FOLDS = 2
"""Minimum number of folds for an interval of the mean."""
ROUNDING = 1e-9
"""Difference that another order of sums may make, of a number near 1."""


class RecordChecker:
    """Checks of records that share nodes; the text of a shared node is computed once.

    With ``other_code`` the config may have been written by another version of retain, with keys
    that this one does not know: it is only compared, and nothing is built from it.
    """

    def __init__(self, *, other_code: bool = False) -> None:
        self._other_code = other_code
        self._texts: dict[tuple[str, int], tuple[Any, str | None]] = {}
        self._parsed: dict[str, set[int]] = {}

    def find_problem(self, record: Record, folder: Path) -> str | None:
        """Return the first contradiction in a record, or None."""
        checks: tuple[Callable[[Record, Path], str | None], ...] = (
            _nameless_component if self._other_code else self._wrong_config,
            _differing_study,
            self._differing_id,
            _differing_id_of_folder if self._other_code else _differing_folder,
            _unfinished_metrics,
            _differing_folds,
            _numbers_that_are_none,
            _wrong_ratio,
            _differing_means,
        )
        return next((problem for check in checks if (problem := check(record, folder))), None)

    def _wrong_config(self, record: Record, _: Path) -> str | None:
        """Return an error of the config except data; nodes shared by records are parsed once."""
        config = {**record.config, "data": {}}
        parsed = self._parsed
        new = [key for key, node in record.config.items() if id(node) not in parsed.get(key, ())]
        if not new and config.keys() == parsed.keys():
            return None
        try:
            parse(Run, config, "config")
        except RetainError as error:
            return str(error)
        if (problem := _nameless_component(record, _)) is not None:
            return problem
        for key, node in record.config.items():
            parsed.setdefault(key, set()).add(id(node))
        return None

    def _differing_id(self, record: Record, _: Path) -> str | None:
        computed = self._identity(record.config)
        if computed == record.id or self._identity(_with_one_thread(record.config)) == record.id:
            return None
        return f"its id is {record.id!r}, and its config's is {computed!r}"

    def _identity(self, config: Mapping[str, Any]) -> str:
        return identity_of({key: self._text(key, node) for key, node in config.items()})

    def _text(self, key: str, node: Any) -> str | None:
        address = key, id(node)
        if address not in self._texts:
            # The node is stored too, so that its id is not reused.
            self._texts[address] = node, identifying_text(key, node)
        return self._texts[address][1]


def _named(node: Mapping[str, Any]) -> bool:
    return isinstance(node.get("name"), str)


def _nameless_component(record: Record, _: Path) -> str | None:
    for key in ("data", "model", "sampler", "scaling"):
        node = record.config.get(key)
        if not isinstance(node, dict) or not _named(node):
            return f"config.{key} has no name"
    return None


def _with_one_thread(config: Mapping[str, Any]) -> Node:
    """Return a config with one thread everywhere, since ids ignore threads."""
    count = config.get("threads")

    def alone(node: Any) -> Any:
        if isinstance(node, dict):
            one = {key for key in THREADS if key in node and node[key] == count}
            return {key: 1 if key in one else alone(value) for key, value in node.items()}
        return [alone(value) for value in node] if isinstance(node, list) else node

    return {key: alone(node) if key != "data" else node for key, node in config.items()}


def _differing_study(record: Record, _: Path) -> str | None:
    study = record.config.get("study")
    named = study.get("name") if isinstance(study, dict) else None
    if named == record.study and record.config.get("seed") == record.seed:
        return None
    return f"it names study {record.study!r} and seed {record.seed}, and its config others"


def is_own_folder(record: Record, folder: Path) -> bool:
    """Return whether a folder has the name that retain gives that of a run."""
    return folder.name == _name_of(record)


def _name_of(record: Record) -> str:
    return f"{slug_of(record.config)}-{record.id}"


def _differing_folder(record: Record, folder: Path) -> str | None:
    if is_own_folder(record, folder):
        return None
    return f"its folder should be {_name_of(record)}: it was renamed or copied"


def _differing_id_of_folder(record: Record, folder: Path) -> str | None:
    if folder.name.endswith(f"-{record.id}"):
        return None
    return f"its folder should end in {record.id}: it was renamed or copied"


def _unfinished_metrics(record: Record, _: Path) -> str | None:
    lacking = [name for name in NEEDED_METRICS if name not in record.metrics]
    if record.state != "done" or not lacking:
        return None
    return f"it is done and lacks the metrics {', '.join(lacking)}"


def _differing_folds(record: Record, _: Path) -> str | None:
    """Return the difference between its folds and its split, or None."""
    whole, folds = record.split.fits, record.folds
    fewest = max(FEWEST_FOLDS, whole if not record.stopped_early else 0)
    for name, metric in record.metrics.items():
        if len(metric.fold_values) != folds or not fewest <= folds <= whole:
            return f"its metric {name} has {len(metric.fold_values)} folds, and its split {whole}"
    return None


def _numbers_that_are_none(record: Record, _: Path) -> str | None:
    for name, metric in record.metrics.items():
        if not all(
            map(math.isfinite, (metric.value, metric.low, metric.high, *metric.fold_values))
        ):
            return f"its metric {name} is no finite number"
    timed = (*record.seconds.values(), record.peak_memory_mb or 0.0, record.split.test_to_train)
    return None if all(map(math.isfinite, timed)) else "its seconds or its memory are not finite"


def _wrong_ratio(record: Record, _: Path) -> str | None:
    """Return a ratio of test to training rows that its folds cannot have, or None.

    It widens every interval. Folds of all customers have 1 / (n_folds − 1); those by time at
    least a row of each kind.
    """
    split = record.split
    exact = 1 / (split.n_folds - 1) if split.n_folds > 1 else 0.0
    if split.test_snapshots:
        is_right = split.test_to_train * record.data.n_rows >= 1
    else:
        is_right = abs(split.test_to_train - exact) <= ROUNDING
    return None if is_right else "its split has a test_to_train that its folds cannot have"


def _differing_means(record: Record, _: Path) -> str | None:
    """Return a metric that is not the mean of its folds, or lies outside its interval, or None."""
    for name, metric in record.metrics.items():
        folds, value = metric.fold_values, metric.value
        near = ROUNDING * max(1.0, abs(value))
        if folds and abs(math.fsum(folds) / len(folds) - value) > near:
            return f"its metric {name} is not the mean of its folds"
        if not metric.low - near <= value <= metric.high + near:
            return f"its metric {name} lies outside its interval"
    return None
