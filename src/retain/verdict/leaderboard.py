"""Every finished run in one table: what differs, what it scored, how it stands to the best.

May import: errors, schema, record, customers, learning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from retain.record import CANNOT_CHANGE_A_RESULT, Record
from retain.verdict.statistics import corrected_resampled_t

ALPHA = 0.05
METRIC = "roc_auc"
COMPONENTS = (
    "data",
    "scaling",
    "model",
    "sampler",
    "calibration",
    "tuning",
    "validation",
    "metrics",
)


def leaderboard(records: Sequence[Record]) -> pd.DataFrame:
    """One row a run, best mean ROC-AUC first; equal ones by their Brier score.

    Returns
    -------
    DataFrame
        ``rank, id``; one column for each config key that differs; ``difference, p, tied`` against
        the best (corrected resampled t-test; tied where p ≥ .05); for every metric ``NAME,
        NAME_low, NAME_high``; ``fit_seconds``.
    """
    ordered = sorted(records, key=_order)
    keys = pd.DataFrame(differing([record.config for record in ordered]))
    best = ordered[0]
    rows = [{**_against(record, best), **_metrics(record)} for record in ordered]
    front = pd.DataFrame(
        {
            "rank": range(1, len(ordered) + 1),
            "id": [record.id for record in ordered],
        }
    )
    return pd.concat([front, keys, pd.DataFrame(rows)], axis=1)


def _order(record: Record) -> tuple[float, float, str]:
    """Recalibration leaves the ranking as it is, up to the last bits, and mends the Brier score."""
    brier = record.metrics.get("brier")
    return -round(record.metrics[METRIC].mean, 9), 0.0 if brier is None else brier.mean, record.id


def _against(record: Record, best: Record) -> dict[str, Any]:
    """How a run stands to the best: folds are the same, so differences are taken fold by fold."""
    mine, top = record.metrics[METRIC], best.metrics[METRIC]
    differences = np.subtract(mine.folds, top.folds)
    _, p = corrected_resampled_t(list(differences), record.split.test_to_train)
    return {"difference": float(differences.mean()), "p": p, "tied": p >= ALPHA}


def _metrics(record: Record) -> dict[str, float]:
    row: dict[str, float] = {}
    for name, metric in record.metrics.items():
        row |= {name: metric.mean, f"{name}_low": metric.low, f"{name}_high": metric.high}
    return {**row, "fit_seconds": record.seconds.get("fit", 0.0)}


def differing(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The config keys in which runs differ, with each run's value; empty when none does.

    A component that differs shows as its name (``model``); its parameters show only where two
    runs with the same component differ in them.

    >>> svc = {"name": "svc", "_target_": "sklearn.svm.SVC", "C": 1.0}
    >>> tree = {"name": "tree", "_target_": "sklearn.tree.DecisionTreeClassifier", "depth": 3}
    >>> differing([{"model": svc, "seed": 0}, {"model": tree, "seed": 0}])
    {'model': ['svc', 'tree']}
    >>> differing([{"model": svc}, {"model": {**svc, "C": 2.0}}])
    {'model.C': [1.0, 2.0]}
    """
    flat = [_flat(config) for config in configs]
    keys = list(dict.fromkeys(key for one in flat for key in one))
    return {_shown(key): [one.get(key) for one in flat] for key in keys if _differs(key, flat)}


def _differs(key: str, flat: Sequence[Mapping[str, Any]]) -> bool:
    """Whether runs disagree on a key, runs with another component aside."""
    component = key.split(".", maxsplit=1)[0]
    own = f"{component}.name"
    if component not in COMPONENTS or key == own:
        return len({repr(one.get(key)) for one in flat}) > 1
    values: dict[str, set[str]] = {}
    for one in flat:
        alike = repr(one.get(own))
        if key.startswith("model.search."):  # which only runs that are tuned have
            alike += repr(one.get("tuning.name"))
        values.setdefault(alike, set()).add(repr(one.get(key)))
    return any(len(found) > 1 for found in values.values())


def _shown(key: str) -> str:
    component = key.removesuffix(".name")
    return component if component in COMPONENTS else key


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if prefix or key not in CANNOT_CHANGE_A_RESULT:
            path = f"{prefix}{key}"
            nested = isinstance(value, Mapping)
            found |= _flat(value, f"{path}.") if nested else {path: value}
    return found
