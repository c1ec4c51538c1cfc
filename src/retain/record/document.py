"""The content of ``record.json``, and the identity of a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from retain.record.documents import Sha256
from retain.record.label import LabelQuality
from retain.record.tuning import TuningInfo
from retain.schema.parsing import Config, Node

SCHEMA = 2
State = Literal["done", "failed", "not_applicable"]
CANNOT_CHANGE_A_RESULT = (
    *("study", "outputs", "threads", "workers", "max_runs", "limits", "dry_run"),
    "describe",
    "validation.early_stopping",
    "validation.min_folds",
    "data.engine",
    "data.memory_limit",
    "data.cache",
    "data.baselines",
)
"""Config keys that do not enter a run's identity.

Early stopping changes no fold, and every engine of a source gives the same table.
"""


Plain = bool | int | float | str
Values = dict[str, Plain | tuple[Plain, ...] | dict[str, float]]
"""Names and numbers of a message, for its translation."""


@dataclass(frozen=True)
class FunnelStep:
    """A cleaning step and its effect on a ``unit``, such as customers.

    ``values`` are the names and numbers of the reason, for its translation.
    """

    name: str
    n_before: int
    n_after: int
    reason: str
    unit: str = "customers"
    values: Values = field(default_factory=dict)


class SnapshotFacts(Config):
    """The numbers of rows and of declined ones at a snapshot."""

    snapshot: str
    n_rows: int
    n_declined: int


class VariantCounts(Config):
    """The target under another definition, one parameter changed.

    ``decline_rate`` is a share of its ``n_rows``, ``agreement`` the share of rows with the same
    target.
    """

    parameter: str
    value: str
    n_rows: int
    decline_rate: float | None
    agreement: float | None


class LabelInfo(Config):
    """A target made from a log: its horizon in days, and its counts."""

    horizon_days: int
    snapshots: tuple[SnapshotFacts, ...]
    variants: tuple[VariantCounts, ...]
    quality: LabelQuality | None = None


class ColumnInfo(Config):
    """The type that a column of a file was read as.

    Attributes
    ----------
    type
        ``number``, ``date``, ``category``, a role such as ``id``, or ``left out``.
    detail
        Number of levels of a category, or the reason to leave a column out.
    missing
        Share of the rows without a value, 0 to 1.
    examples
        Up to two cells as in the file.
    n_levels
        Number of levels of a category, else None.
    """

    name: str
    type: str
    detail: str
    missing: float
    examples: tuple[str, ...]
    n_levels: int | None = None


class DataInfo(Config):
    """The customers of a run: fingerprint and counts, never rows.

    ``label`` if the source made the target from a log; ``columns`` of a file without a contract.
    """

    fingerprint: str
    n_rows: int
    n_positives: int
    funnel: tuple[FunnelStep, ...]
    label: LabelInfo | None = None
    columns: tuple[ColumnInfo, ...] = ()


class SplitInfo(Config):
    """The folds of a run: a fingerprint, and their shape.

    ``test_snapshots`` are the days of each fold's test rows, fold by fold and repeat by repeat,
    and ``sealed_snapshot`` is that of the sealed test, where rows have days.
    """

    fingerprint: str
    n_folds: int
    n_repeats: int
    n_sealed_test: int
    test_to_train: float
    test_snapshots: tuple[str, ...] = ()
    sealed_snapshot: str | None = None

    @property
    def fits(self) -> int:
        """The number of folds of all repeats, and so of fits of a whole run."""
        return self.n_folds * self.n_repeats


class MetricSummary(Config):
    """A metric's mean over the folds, its 95 % interval and the value of each fold."""

    value: float
    low: float
    high: float
    higher_is_better: bool
    fold_values: tuple[float, ...]


class CheckResult(Config):
    """One check of the audit; ``values`` are the names and numbers of its message."""

    code: str
    outcome: Literal["passed", "mitigated", "caution", "failed", "not_applicable"]
    message: str
    values: Values = Field(default_factory=dict)


class Environment(Config):
    """Versions of everything that computes; ``code_sha256`` is of its sources."""

    python: str
    platform: str
    packages: dict[str, str]
    code_sha256: str


class Git(Config):
    """The commit the run was launched from; None outside a repository."""

    commit: str | None
    dirty: bool


class Record(Config):
    """The content of ``record.json``. ``metrics`` is empty unless ``state`` is done.

    ``stopped_early`` is true of a run that ended before its last fold because others were better.
    Its metrics are those of the folds it had, the first ones of its split. ``tuning`` is None where
    nothing was tuned. ``scores_bytes`` and ``scores_sha256`` are of ``scores.parquet``, None where
    there is none; a record of an earlier version has no hash.
    """

    schema_: int = Field(alias="schema")
    id: str
    study: str
    state: State
    reason: str | None
    traceback: str | None
    config: Node
    overrides: tuple[str, ...]
    seed: int
    data: DataInfo
    split: SplitInfo
    metrics: dict[str, MetricSummary]
    checks: tuple[CheckResult, ...]
    seconds: dict[str, float]
    peak_memory_mb: float | None
    environment: Environment
    git: Git
    warnings: tuple[str, ...]
    started_at: str
    finished_at: str
    stopped_early: bool = False
    tuning: TuningInfo | None = None
    scores_bytes: int | None = None
    scores_sha256: Sha256 | None = None

    @property
    def folds(self) -> int:
        """The number of folds of its metrics."""
        return max((len(metric.fold_values) for metric in self.metrics.values()), default=0)

    @property
    def is_cut(self) -> bool:
        """True if all scores were cut from the fits of a longer run."""
        return "cut" in self.seconds and "fit" not in self.seconds

    def staleness_reason(
        self, data: DataInfo, split: SplitInfo, environment: Environment
    ) -> str | None:
        """Return the reason why this record is out of date, or None."""
        if self.data.fingerprint != data.fingerprint:
            return f"the data changed ({self.data.fingerprint[:8]} → {data.fingerprint[:8]})"
        if self.split.fingerprint != split.fingerprint:
            return "the splits changed"
        before, after = self.environment.code_sha256, environment.code_sha256
        if before != after:
            return f"the code changed ({before[:8]} → {after[:8]})"
        was, now = self.environment.packages, environment.packages
        moved = [f"{n} {was.get(n, '-')} → {now[n]}" for n in now if was.get(n) != now[n]]
        return f"packages changed ({', '.join(moved)})" if moved else None


def identity(config: Mapping[str, Any]) -> str:
    """First 8 hex digits of a SHA-256 over what can change a result.

    >>> one, two = {"seed": 1, "threads": 1}, {"threads": 8, "seed": 1}
    >>> identity(one) == identity(two) != identity({"seed": 2})
    True
    """
    return identity_of({key: identifying_text(key, node) for key, node in config.items()})


def identity_of(texts: Mapping[str, str | None]) -> str:
    """Return the identity of a config whose nodes were written by ``identifying_text``."""
    kept = (f"{_to_text(key)}: {texts[key]}" for key in sorted(texts) if texts[key] is not None)
    return hashlib.sha256(f"{{{', '.join(kept)}}}".encode()).hexdigest()[:8]


def identifying_text(key: str, node: Any) -> str | None:
    """Return a config node's text for the identity, None if it cannot change a result."""
    if key in CANNOT_CHANGE_A_RESULT:
        return None
    return _to_text(_drop_irrelevant(node, f"{key}.") if isinstance(node, Mapping) else node)


def slug_of(config: Mapping[str, Any]) -> str:
    """Return the name of a run by its components other than ``none``.

    >>> parts = {"model": {"name": "svc"}, "sampler": {"name": "smote"}, "tuning": {"name": "none"}}
    >>> slug_of({**parts, "features": {"site": False, "derived": True, "max_categories": 30}})
    'svc-smote-no_site'
    """
    optional = ("sampler", "calibration", "tuning")
    named = [config[key]["name"] for key in optional if key in config]
    features = dict(config["features"])
    derived, _ = features.pop("derived"), features.pop("max_categories")
    features.pop("plugins", None)  # names, no group on or off
    off = [f"no_{name}" for name, on in {**features, "derived": derived}.items() if not on]
    return "-".join([config["model"]["name"], *(n for n in named if n != "none"), *off])[
        :80
    ].rstrip(" .")


def _to_text(node: Any) -> str:
    return json.dumps(node, sort_keys=True, ensure_ascii=False, default=str)


def _drop_irrelevant(node: Mapping[str, Any], prefix: str) -> Node:
    """Return a node without keys that cannot change a result."""
    return {
        key: _drop_irrelevant(value, f"{prefix}{key}.") if isinstance(value, Mapping) else value
        for key, value in node.items()
        if f"{prefix}{key}" not in CANNOT_CHANGE_A_RESULT
    }
