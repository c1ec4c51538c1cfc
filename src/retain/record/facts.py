"""The content of ``record.json``, and the identity of a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from retain.schema import Config

SCHEMA = 1
State = Literal["done", "failed", "not_applicable"]
CANNOT_CHANGE_A_RESULT = (
    "study",
    "outputs",
    "threads",
    "workers",
    "max_runs",
    "limits",
    "dry_run",
    "validation.early_stopping",
    "validation.min_folds",
    "data.engine",
    "data.memory_limit",
    "data.cache",
    "data.baselines",
)
"""Config keys that do not enter a run's identity.

A race changes no fold; every engine of a source gives the same table, from wherever it comes.
"""


class FunnelStep(Config):
    """One cleaning step with its counts."""

    name: str
    before: int
    after: int
    reason: str
    of: str = "customers"


class SnapshotFacts(Config):
    """Number of rows a snapshot has, and how many of them declined."""

    snapshot: str
    rows: int
    declined: int


class LabelVariant(Config):
    """The target under another definition, one parameter changed.

    ``declined`` is a share of its ``rows``; ``agreement`` the share of rows with the same target.
    """

    parameter: str
    value: str
    rows: int
    declined: float | None
    agreement: float | None


class LabelInfo(Config):
    """A target made from a log: how many days it looks ahead, and what it came to."""

    horizon: int
    snapshots: tuple[SnapshotFacts, ...]
    sensitivity: tuple[LabelVariant, ...]


class DataInfo(Config):
    """The customers of a run: fingerprint and counts, never rows.

    ``label`` where the source made the target itself, at several snapshots.
    """

    fingerprint: str
    rows: int
    positives: int
    funnel: tuple[FunnelStep, ...]
    label: LabelInfo | None = None


class SplitInfo(Config):
    """The folds of a run: a fingerprint, and their shape.

    ``tested`` is the day of each fold's test rows, fold by fold and repeat by repeat, and
    ``sealed_at`` that of the sealed test, where rows have days.
    """

    fingerprint: str
    folds: int
    repeats: int
    sealed: int
    test_to_train: float
    tested: tuple[str, ...] = ()
    sealed_at: str | None = None

    @property
    def fits(self) -> int:
        """Folds of all repeats: so often a whole run fits its model."""
        return self.folds * self.repeats


class MetricSummary(Config):
    """A metric's mean over the folds, its 95 % interval and each fold's value."""

    mean: float
    low: float
    high: float
    higher_is_better: bool
    folds: tuple[float, ...]


class CheckResult(Config):
    """One check of the audit."""

    code: str
    outcome: Literal["passed", "handled", "failed", "not_applicable"]
    sentence: str


class TunedFold(Config):
    """The best parameters found on a fold's training rows, and how they were found.

    ``inner`` is their mean ROC-AUC on folds within those rows; ``trials`` counts all that were
    begun, those ended early (``pruned``) or refused by the model (``failed``) included.
    """

    repeat: int
    fold: int
    parameters: dict[str, Any]
    inner: float
    trials: int
    pruned: int
    failed: int
    seconds: float


class NumericAgreement(Config):
    """The least, the middle and the greatest value of a parameter over the folds."""

    low: float
    median: float
    high: float


class CategoricalAgreement(Config):
    """The commonest value of a parameter, and the share of folds that chose it."""

    value: Any
    share: float


class Optimism(Config):
    """Inner minus outer ROC-AUC, with its 95 % interval."""

    mean: float
    low: float
    high: float


class TuningInfo(Config):
    """The result of tuning: choices by fold, agreement by parameter, optimism.

    ``inner`` is the mean of the folds' inner best, ``outer`` that of ROC-AUC on their test rows.
    """

    folds: tuple[TunedFold, ...]
    agreement: dict[str, NumericAgreement | CategoricalAgreement]
    inner: float
    outer: float
    optimism: Optimism


class Environment(Config):
    """Versions of everything that computes; ``code`` hashes the package's own sources."""

    python: str
    platform: str
    packages: dict[str, str]
    code: str


class Git(Config):
    """The commit the run was launched from; None outside a repository."""

    commit: str | None
    dirty: bool


class Record(Config):
    """The content of ``record.json``. ``metrics`` is empty unless ``state`` is done.

    ``stopped`` says what ended a run that is done before its last fold, ``raced``: others were
    better. Its metrics are those of the folds it had, the first ones of its split. ``tuning`` is
    None where nothing was tuned. ``scores_bytes`` is the size of ``scores.parquet``, None where
    there is none, or in records older than the key.
    """

    schema_: int = Field(alias="schema")
    id: str
    study: str
    state: State
    reason: str | None
    traceback: str | None
    config: dict[str, Any]
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
    started: str
    finished: str
    stopped: Literal["raced"] | None = None
    tuning: TuningInfo | None = None
    scores_bytes: int | None = None

    @property
    def folds(self) -> int:
        """Number of folds its metrics are over."""
        return max((len(metric.folds) for metric in self.metrics.values()), default=0)

    def staleness_reason(
        self, data: DataInfo, split: SplitInfo, environment: Environment
    ) -> str | None:
        """Return the reason for which this record is out of date, or None."""
        if self.data.fingerprint != data.fingerprint:
            return f"the data changed ({self.data.fingerprint[:8]} → {data.fingerprint[:8]})"
        if self.split.fingerprint != split.fingerprint:
            return "the splits changed"
        if self.environment.code != environment.code:
            return f"the code changed ({self.environment.code[:8]} → {environment.code[:8]})"
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
    kept = (f"{_written(key)}: {texts[key]}" for key in sorted(texts) if texts[key] is not None)
    return hashlib.sha256(f"{{{', '.join(kept)}}}".encode()).hexdigest()[:8]


def identifying_text(key: str, node: Any) -> str | None:
    """Return a node of a config as identity has it, None where it cannot change a result."""
    if key in CANNOT_CHANGE_A_RESULT:
        return None
    return _written(_identified(node, f"{key}.") if isinstance(node, Mapping) else node)


def slug_of(config: Mapping[str, Any]) -> str:
    """Return the name of a run: its components other than ``none``.

    >>> parts = {"model": {"name": "svc"}, "sampler": {"name": "smote"}, "tuning": {"name": "none"}}
    >>> slug_of({**parts, "features": {"site": False, "derived": True, "max_categories": 30}})
    'svc-smote-no_site'
    """
    optional = ("sampler", "calibration", "tuning")
    named = [config[key]["name"] for key in optional if key in config]
    features = dict(config["features"])
    derived, _ = features.pop("derived"), features.pop("max_categories")
    off = [f"no_{name}" for name, on in {**features, "derived": derived}.items() if not on]
    return "-".join([config["model"]["name"], *(n for n in named if n != "none"), *off])[
        :80
    ].rstrip(" .")


def _written(node: Any) -> str:
    return json.dumps(node, sort_keys=True, ensure_ascii=False, default=str)


def _identified(node: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return a node without what cannot change a result."""
    return {
        key: _identified(value, f"{prefix}{key}.") if isinstance(value, Mapping) else value
        for key, value in node.items()
        if f"{prefix}{key}" not in CANNOT_CHANGE_A_RESULT
    }
