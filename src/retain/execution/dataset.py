"""What runs share: customers that passed the audit, and their splits. Read once a process."""

from __future__ import annotations

import json
import logging
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from retain.customers.checks.checks import DataCheck, Folding, audit, raise_severe
from retain.customers.checks.duplicates import DuplicateGroups, group_duplicates
from retain.customers.customers import Customers, Panel
from retain.errors import examples
from retain.execution.dataset_facts import DatasetFacts, Preflight
from retain.execution.shared_memory import share
from retain.learning.components import build_source, build_training_spec
from retain.learning.features import check_toggles
from retain.learning.splits import Splits
from retain.learning.validation import make_splits
from retain.record import (
    CheckResult,
    DataInfo,
    FunnelStep,
    LabelInfo,
    LabelVariant,
    SnapshotFacts,
    SplitInfo,
)
from retain.schema import Audit, Run, Validation


@dataclass(frozen=True)
class Dataset:
    """Customers, what the audit said of them, who is in which fold, and how they were read.

    ``heard`` is what the readers logged: dialects, types, columns left out.
    """

    customers: Customers
    checks: tuple[DataCheck, ...]
    splits: Splits
    heard: tuple[str, ...]

    @cached_property
    def data(self) -> DataInfo:
        """The customers as a record tells of them."""
        customers = self.customers
        return DataInfo(
            fingerprint=customers.fingerprint,
            n_rows=len(customers),
            n_positives=int(customers.y.sum()),
            funnel=tuple(
                FunnelStep(
                    name=step.name,
                    n_before=step.before,
                    n_after=step.after,
                    reason=step.reason,
                    unit=step.unit,
                )
                for step in customers.funnel
            ),
            label=None if customers.panel is None else label_facts(customers, customers.panel),
        )

    @cached_property
    def split(self) -> SplitInfo:
        """The splits as a record tells of them."""
        folds = self.splits.folds
        repeats = 1 + max(fold.repeat for fold in folds)
        return SplitInfo(
            fingerprint=self.splits.fingerprint,
            n_folds=len(folds) // repeats,
            n_repeats=repeats,
            n_sealed_test=len(self.splits.test_ids),
            test_to_train=self.splits.test_to_train,
            test_snapshots=tuple(str(fold.snapshot) for fold in folds if fold.snapshot is not None),
            sealed_snapshot=self.splits.test_snapshot,
        )

    @cached_property
    def told(self) -> tuple[CheckResult, ...]:
        """The audit as a record tells of it."""
        return tuple(
            CheckResult(code=c.code, outcome=c.outcome, message=c.sentence) for c in self.checks
        )

    @cached_property
    def seen(self) -> DatasetFacts:
        """All this without the customers."""
        customers = self.customers
        return DatasetFacts(
            data=self.data,
            split=self.split,
            checks=self.told,
            heard=self.heard,
            left_out=tuple(examples(step.dropped) for step in customers.funnel),
        )


def label_facts(customers: Customers, dated: Panel) -> LabelInfo:
    """The target of a dated source as a record tells of it."""
    target = customers.y.groupby(dated.snapshot).agg(["size", "sum"])
    others: Any = () if dated.sensitivity is None else dated.sensitivity.itertuples()
    return LabelInfo(
        horizon_days=dated.horizon,
        snapshots=tuple(
            SnapshotFacts(snapshot=f"{day:%Y-%m-%d}", n_rows=int(rows), n_declined=int(declined))
            for day, rows, declined in target.itertuples()
        ),
        variants=tuple(
            LabelVariant(
                parameter=one.parameter,
                value=one.value,
                n_rows=int(one.rows),
                decline_rate=_share(one.declined),
                agreement=_share(one.agreement),
            )
            for one in others
        ),
    )


def _share(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


Source = tuple[str, Audit, Validation, int]


def source_of(run: Run) -> Source:
    """What two runs share if they learn from the same customers in the same folds."""
    data = json.dumps(run.data, sort_keys=True, ensure_ascii=False)
    return data, run.audit, run.validation, run.seed


def prepare_dataset(run: Run) -> Dataset:
    """Customers and splits of a run's config, from this process's memory where they are there.

    Raises
    ------
    RetainError
        When the data are refused: by their contract, by the audit, or as too few.
    """
    return _prepared(*source_of(run))


def clear_cache() -> None:
    """Drop what was read before: a new command reads the files as they are now."""
    _prepared.cache_clear()
    _customers.cache_clear()


@lru_cache(maxsize=8)
def _prepared(data: str, audited: Audit, validation: Validation, seed: int) -> Dataset:
    customers, copies, heard = _customers(data, audited.duplicates)
    _ = customers.y  # refuses what cannot be learnt from, before the audit finds lesser faults
    checks = audit(customers, Folding(validation.shuffle, copies))
    raise_severe(checks, audited.allow)
    splits = make_splits(customers, validation, seed)
    told = () if splits.description is None else (splits.description,)
    return Dataset(customers, tuple(checks), splits, (*heard, *told))


@lru_cache(maxsize=4)
def _customers(
    data: str, copies: Literal["group", "drop"]
) -> tuple[Customers, DuplicateGroups | None, tuple[str, ...]]:
    with capture_log() as heard:
        customers, found = group_duplicates(build_source(json.loads(data))(), copies)
    return customers, found, tuple(heard)


@contextmanager
def capture_log() -> Iterator[list[str]]:
    """What the readers log, kept for every run that shares the customers, not the first alone."""
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    readers, listener = logging.getLogger("retain.customers"), Listener()
    before = readers.level, readers.propagate
    readers.setLevel(logging.INFO)
    readers.propagate = False
    readers.addHandler(listener)
    try:
        yield heard
    finally:
        readers.removeHandler(listener)
        readers.setLevel(before[0])
        readers.propagate = before[1]


def preflight(runs: Sequence[Run], file: Path | None = None) -> Preflight:
    """Check every run down to its parameters and its data.

    Raises
    ------
    RetainError
        At the first config or data that is refused.
    """
    found: dict[Hashable, Dataset] = {}
    for run in runs:
        build_training_spec(run)
        prepared = found.setdefault(source_of(run), prepare_dataset(run))
        customers = prepared.customers
        check_toggles(
            run.features,
            {*customers.groups, *(derived.group for derived in customers.derived_features)},
        )
    places = {source: place for place, source in enumerate(found)}
    distinct = tuple(found.values())
    return Preflight(
        seen=tuple(prepared.seen for prepared in distinct),
        which=tuple(places[source_of(run)] for run in runs),
        handed=None if file is None else share(distinct, file),
    )
