"""The runs of one or several studies as columns, for the page's script."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from scipy import special

from retain.dashboard.index import StudyIndex
from retain.dashboard.rows import RunRow, rank_runs
from retain.dashboard.settings import find_settings
from retain.report.page.embedded_data import steps
from retain.report.page.leaderboard import levels
from retain.verdict.paired import METRIC
from retain.wording import format_value

MAX_SHOWN = 50_000
"""Runs of a page, the best first."""
MAX_TEXT, MAX_KEYS = 200, 60
"""Characters of a setting or a reason, and settings that are columns."""
BOUNDS = {
    **dict.fromkeys(("roc_auc", "average_precision", "brier", "ece", "captured_profit_"), (0, 1)),
    **dict.fromkeys(("log_loss", "lift_"), (0, None)),
}
"""Least and greatest value by the beginning of a metric's name; others may have any."""
TAGS = {"tied": "1", "winner": "2"}


@dataclass(frozen=True)
class RunsTable:
    """The columns of a page of runs.

    Attributes
    ----------
    rows
        The runs in order: the best first.
    keys
        Values of each setting that differs, by run.
    metrics
        Names of all metrics, ROC-AUC first, and whether higher is better.
    tags
        ``tied``, ``winner`` or empty, by run, as the verdicts of the studies say.
    n_all
        Runs of the studies, those beyond the limit included.
    """

    studies: tuple[str, ...]
    rows: tuple[RunRow, ...]
    keys: dict[str, list[Any]]
    metrics: dict[str, bool]
    tags: tuple[str, ...] = field(repr=False)
    n_all: int = 0

    def choices(self, most: int) -> dict[str, list[str]]:
        """Return the values of each setting that has 2 to ``most`` of them."""
        found = {key: encode(values)["levels"] for key, values in self.keys.items()}
        return {key: texts for key, texts in found.items() if 1 < len(texts) <= most}


def tabulate_runs(studies: Sequence[StudyIndex]) -> RunsTable:
    """Return the runs of studies, the best first; those beyond the limit are counted."""
    every = rank_runs(tuple(row for study in studies for row in study.rows))
    rows = every[:MAX_SHOWN]
    metrics: dict[str, bool] = {}
    for row in rows:
        metrics |= row.metrics
    if METRIC in metrics:
        metrics = {METRIC: True, **metrics}
    return RunsTable(
        studies=tuple(study.name for study in studies),
        rows=tuple(rows),
        keys=_keys(rows),
        metrics=metrics,
        tags=_tags(rows, studies),
        n_all=len(every) + sum(study.n_unread for study in studies),
    )


def _keys(rows: Sequence[RunRow]) -> dict[str, list[Any]]:
    """Return the settings that differ, by run; None where a run has none."""
    known = [at for at, row in enumerate(rows) if row.config]
    found = find_settings([rows[at].config for at in known])
    columns: dict[str, list[Any]] = {}
    for key, values in list(found.items())[:MAX_KEYS]:
        columns[key] = [None] * len(rows)
        for at, value in zip(known, values, strict=True):
            columns[key][at] = value
    return columns


def _tags(rows: Sequence[RunRow], studies: Sequence[StudyIndex]) -> tuple[str, ...]:
    tags = {study.name: study.tags for study in studies}
    return tuple(tags[row.study].get(row.id, "") for row in rows)


def table_data(table: RunsTable, fold_bytes: int, *, reasons: bool = True) -> dict[str, Any]:
    """Return the columns in JSON's types.

    Numbers are whole millionths, texts are codes among their levels. Fold values are there for as
    many metrics as fit into ``fold_bytes``, ROC-AUC first: groups of runs have intervals by them.
    """
    rows = table.rows
    ratios = {row.split: row.test_to_train for row in rows}
    split = encode([row.split for row in rows])
    finished = [_to_minutes(row.finished_at) for row in rows]
    began = min((minutes for minutes in finished if minutes is not None), default=0)
    n_folds = max((row.numbers.shape[1] - 3 for row in rows), default=0)
    return {
        "id": [row.id for row in rows],
        "study": encode([row.study for row in rows]),
        "state": encode([row.state for row in rows]),
        "reason": encode([row.reason if reasons else "" for row in rows]),
        "commit": encode([row.commit for row in rows]),
        "tags": "".join(TAGS.get(tag, "0") for tag in table.tags),
        "stopped": [at for at, row in enumerate(rows) if row.stopped_early],
        "keys": [{"name": key, **encode(values)} for key, values in table.keys.items()],
        "metrics": [
            {"name": name, "falling": higher, "bounds": _bounds(name)}
            for name, higher in table.metrics.items()
        ],
        "numbers": {name: steps(_means(rows, name)) for name in table.metrics},
        "ends": [steps(_ends(rows, at)) for at in (1, 2)],
        "began": began,
        "finished": [None if minutes is None else minutes - began for minutes in finished],
        "seconds": [_tenths(row.fit_seconds) for row in rows],
        "split": split["at"],
        "ratios": [ratios[name] for name in split["levels"]],
        "n_folds": n_folds,
        "folds": _folds(table, n_folds, fold_bytes),
        "t": [float(special.stdtrit(free, 0.975)) for free in range(1, max(n_folds, 2))],
    }


def _bounds(metric: str) -> tuple[int | None, int | None]:
    found = (bounds for begin, bounds in BOUNDS.items() if metric.startswith(begin))
    return next(found, (None, None))


def encode(values: Sequence[Any]) -> dict[str, Any]:
    """Return values as codes among the sorted texts of all, −1 for None; no codes for one text.

    >>> encode([10, 9, None, "svc", 9])
    {'levels': ['9', '10', 'svc'], 'at': [1, 0, -1, 2, 0]}
    >>> encode(["knn", "knn"])
    {'levels': ['knn'], 'at': None}
    """
    texts = [None if value is None else format_value(value)[:MAX_TEXT] for value in values]
    distinct = {text: value for text, value in zip(texts, values, strict=True) if text is not None}
    names = list(dict.fromkeys(text[:MAX_TEXT] for text in levels(list(distinct.values()))))
    if len(names) == 1 and None not in texts:
        return {"levels": names, "at": None}
    codes = {text: at for at, text in enumerate(names)}
    return {"levels": names, "at": [-1 if text is None else codes[text] for text in texts]}


def _means(rows: Sequence[RunRow], metric: str) -> list[float | None]:
    found = [row.estimate(metric) for row in rows]
    return [None if one is None else one[0] for one in found]


def _ends(rows: Sequence[RunRow], at: int) -> list[float | None]:
    found = [row.estimate(METRIC) for row in rows]
    return [None if one is None else one[at] for one in found]


def _folds(table: RunsTable, n_folds: int, most: int) -> dict[str, str]:
    """Return the fold values of metrics as base64 of 32-bit floats, NaN for missing folds."""
    texts: dict[str, str] = {}
    size = 4 * ((len(table.rows) * n_folds * 4 + 2) // 3)
    for name in table.metrics:
        if size * (len(texts) + 1) > most:
            break
        values = np.full((len(table.rows), n_folds), np.nan, dtype="<f4")
        for at, row in enumerate(table.rows):
            found = row.fold_values(name)
            if found is not None:
                values[at, : len(found)] = found
        texts[name] = base64.b64encode(values.tobytes()).decode("ascii")
    return texts


def _tenths(seconds: float | None) -> int | None:
    return None if seconds is None else round(10 * seconds)


def _to_minutes(moment: str) -> int | None:
    """Return minutes since 1970; None for what is no time."""
    try:
        return int(datetime.fromisoformat(moment).timestamp() // 60)
    except (ValueError, OverflowError, OSError):
        return None
