"""The candidates of a comparison: configurations, each with its runs by seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retain.learning.metrics import corrected_interval
from retain.record.document import MetricSummary, Record, identifying_text
from retain.verdict.paired import METRIC

SEED_KEYS = ("random_state", "random_seed")
"""Parameters of a component that the run's seed sets."""


@dataclass(frozen=True)
class Candidate:
    """A configuration, with the mean of its runs that differ only in ``seed``.

    Attributes
    ----------
    record
        The record of the run with the lowest seed, whose scores represent the configuration; its
        metrics are means over the seeds, fold by fold.
    runs
        The records of all its runs, by seed.
    """

    record: Record
    runs: tuple[Record, ...]

    @property
    def seed_sd(self) -> float | None:
        """Standard deviation of mean ROC-AUC between seeds; None for one seed."""
        if len(self.runs) < 2:
            return None
        return float(np.std([run.metrics[METRIC].value for run in self.runs], ddof=1))


def group_by_seed(records: Sequence[Record]) -> list[Candidate]:
    """Return the configurations of finished runs, in the order of their first run.

    Of a configuration with runs that a race stopped, only the others count, if there are any.
    """
    if len({record.seed for record in records}) < 2:
        return [Candidate(record, (record,)) for record in records]
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(describe_configuration(record.config), []).append(record)
    return [_average(group) for group in groups.values()]


def describe_configuration(config: Mapping[str, Any]) -> str:
    """Return the text of a config without its seed."""
    seed = config.get("seed")
    rest = {key: without_seed(node, seed) for key, node in config.items() if key != "seed"}
    return json.dumps({key: identifying_text(key, node) for key, node in sorted(rest.items())})


def without_seed(node: Any, seed: Any) -> Any:
    """Return a config node with the values that come from the seed replaced.

    >>> without_seed({"name": "svc", "random_state": 3, "C": 3}, 3)
    {'name': 'svc', 'random_state': '${seed}', 'C': 3}
    """
    if not isinstance(node, Mapping):
        return node
    return {
        key: "${seed}" if key in SEED_KEYS and value == seed else without_seed(value, seed)
        for key, value in node.items()
    }


def _average(group: Sequence[Record]) -> Candidate:
    whole = [record for record in group if not record.stopped_early] or group
    runs = tuple(sorted(whole, key=lambda record: record.seed))
    if len(runs) == 1:
        return Candidate(runs[0], runs)
    metrics = {
        name: _average_metric([run.metrics[name] for run in runs], runs[0].split.test_to_train)
        for name in runs[0].metrics
    }
    return Candidate(runs[0].model_copy(update={"metrics": metrics}), runs)


def _average_metric(summaries: Sequence[MetricSummary], test_to_train: float) -> MetricSummary:
    """Return the mean of a metric over seeds, fold by fold, with its interval.

    The interval stays within 0 and 1 where those of all seeds do.
    """
    n_folds = min(len(one.fold_values) for one in summaries)
    values = np.mean([one.fold_values[:n_folds] for one in summaries], axis=0)
    low, high = corrected_interval(values.tolist(), test_to_train)
    if np.ptp(values) == 0:  # as every seed says
        low, high = min(one.low for one in summaries), max(one.high for one in summaries)
    if min(one.low for one in summaries) >= 0:
        low = max(low, 0.0)
    if max(one.high for one in summaries) <= 1:
        high = min(high, 1.0)
    update = {
        "value": float(values.mean()),
        "low": low,
        "high": high,
        "fold_values": tuple(values.tolist()),
    }
    return summaries[0].model_copy(update=update)
