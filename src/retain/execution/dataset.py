"""Datasets: audited customers and their splits, read once per process."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from retain.customers.checks.checks import audit, raise_severe
from retain.customers.checks.data_check import DataCheck, Folding
from retain.customers.checks.duplicates import DuplicateGroups, group_duplicates
from retain.customers.customers import Customers
from retain.customers.panel import summarise_label
from retain.errors import RetainError, examples
from retain.execution.inputs import DatasetFacts, Preflight
from retain.execution.shared_memory import share
from retain.learning.components import build_source, build_training_spec
from retain.learning.features import check_toggles
from retain.learning.splits import Splits
from retain.learning.splitting import make_splits
from retain.record.document import (
    CheckResult,
    ColumnInfo,
    DataInfo,
    FunnelStep,
    SplitInfo,
)
from retain.schema.run import Audit, Run, Validation
from retain.wording import describe_count

MAX_RECORDED_COLUMNS = 200
"""Columns of a file that each record describes; ``describe=true`` prints all of them."""

N_EXAMPLES = 2
"""Values of a feature that are shown."""


@dataclass(frozen=True)
class Dataset:
    """Customers with the results of their audit and their splits.

    ``messages`` are those that the readers logged: dialects, types, dropped columns.
    """

    customers: Customers
    checks: tuple[DataCheck, ...]
    splits: Splits
    messages: tuple[str, ...]

    @cached_property
    def data(self) -> DataInfo:
        """Facts about the customers, for records."""
        customers = self.customers
        return DataInfo(
            fingerprint=customers.fingerprint,
            n_rows=len(customers),
            n_positives=int(customers.y.sum()),
            funnel=summarise_funnel(customers),
            columns=customers.reading.columns[:MAX_RECORDED_COLUMNS],
            label=None
            if customers.panel is None
            else summarise_label(customers.y, customers.panel),
        )

    @cached_property
    def split(self) -> SplitInfo:
        """Facts about the splits, for records."""
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
    def check_results(self) -> tuple[CheckResult, ...]:
        """Results of the audit, for records."""
        return tuple(
            CheckResult(
                code=c.code, outcome=c.outcome, message=c.sentence, values=drop_non_finite(c.values)
            )
            for c in self.checks
        )

    @cached_property
    def facts(self) -> DatasetFacts:
        """All facts, without the customers."""
        customers = self.customers
        return DatasetFacts(
            data=self.data,
            split=self.split,
            checks=self.check_results,
            messages=self.messages,
            dropped_examples=tuple(examples(step.dropped) for step in customers.funnel),
            dropped_rows=customers.reading.dropped_rows,
        )


def drop_non_finite(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values without infinite numbers and NaN, which JSON does not have."""
    return {
        key: value
        for key, value in values.items()
        if not isinstance(value, float) or math.isfinite(value)
    }


def summarise_funnel(customers: Customers) -> tuple[FunnelStep, ...]:
    """Return the funnel for records."""
    return tuple(
        FunnelStep(
            step.name,
            step.n_before,
            step.n_after,
            step.reason,
            step.unit,
            drop_non_finite(step.values),
        )
        for step in customers.funnel
    )


@dataclass(frozen=True, slots=True)
class DatasetDescription:
    """Messages, funnel with dropped examples, and columns of a source."""

    messages: tuple[str, ...]
    funnel: tuple[FunnelStep, ...]
    dropped_examples: tuple[str, ...]
    columns: tuple[ColumnInfo, ...]


DatasetKey = tuple[str, Audit, Validation]


def dataset_key(run: Run) -> DatasetKey:
    """Return a key that is equal for runs on the same customers and folds."""
    data = json.dumps(run.data, sort_keys=True, ensure_ascii=False)
    return data, run.audit, run.validation


def prepare_dataset(run: Run) -> Dataset:
    """Return the dataset of a run's config, cached in this process.

    Raises
    ------
    RetainError
        If the data break their contract, fail the audit, or are too few.
    """
    return _prepare_cached(*dataset_key(run))


def clear_cache() -> None:
    """Clear the cache, so that a new command reads the files as they are now."""
    _prepare_cached.cache_clear()
    _read_cached.cache_clear()


@lru_cache(maxsize=8)
def _prepare_cached(data: str, audited: Audit, validation: Validation) -> Dataset:
    return _audit_and_split(*_read_cached(data, audited.duplicates), audited, validation)


def group_and_split(customers: Customers, audited: Audit, validation: Validation) -> Dataset:
    """Return the dataset of customers that were read before.

    Raises
    ------
    RetainError
        If the customers fail the audit, or are too few.
    """
    grouped = group_duplicates(customers, audited.duplicates)
    return _audit_and_split(*grouped, (), audited, validation)


def _audit_and_split(
    customers: Customers,
    duplicates: DuplicateGroups | None,
    messages: tuple[str, ...],
    audited: Audit,
    validation: Validation,
) -> Dataset:
    _ = customers.y  # raises if there is no target, before the audit finds lesser problems
    _check_profit(customers)
    checks = audit(customers, Folding(validation.shuffle, duplicates))
    raise_severe(checks, audited.allow)
    splits = make_splits(customers, validation)
    described = () if splits.description is None else (splits.description,)
    return Dataset(customers, tuple(checks), splits, (*messages, *described))


def _check_profit(customers: Customers) -> None:
    """Raise if no customer brings a profit, of which shares would have no meaning."""
    if customers.profit is not None and not (customers.profit > 0).any():
        known = int(customers.profit.notna().sum())
        found = f"none of {len(customers):,} customers has a profit above 0 ({known:,} have one)"
        expected = "expected the column that holds it, or none: data.profit=null"
        raise RetainError.at("data.profit", found, expected)


@lru_cache(maxsize=4)
def _read_cached(
    data: str, duplicates: Literal["group", "drop"]
) -> tuple[Customers, DuplicateGroups | None, tuple[str, ...]]:
    with capture_log() as messages:
        customers, groups = group_duplicates(build_source(json.loads(data))(), duplicates)
    return customers, groups, tuple(messages)


def describe_source(run: Run) -> DatasetDescription:
    """Return what was read of a run's source, without its audit: it may have no target."""
    customers, _, messages = _read_cached(dataset_key(run)[0], run.audit.duplicates)
    return DatasetDescription(
        messages,
        summarise_funnel(customers),
        tuple(examples(step.dropped) for step in customers.funnel),
        customers.reading.columns or tuple(_describe_features(customers)),
    )


def _describe_features(customers: Customers) -> Iterator[ColumnInfo]:
    """Yield the features of a source whose files say nothing of their columns' types."""
    for name, column in customers.columns.items():
        cells = customers.features[name]
        shown = cells.dropna().drop_duplicates().head(N_EXAMPLES)
        is_category = column.kind == "category"
        yield ColumnInfo(
            name=name,
            type=column.kind,
            detail=describe_count(int(cells.nunique()), "level") if is_category else "",
            missing=float(cells.isna().mean()),
            examples=tuple(str(cell) if is_category else f"{cell:.6g}" for cell in shown),
        )


@contextmanager
def capture_log() -> Iterator[list[str]]:
    """Capture the messages of the readers, for every run on the same customers."""
    messages: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    readers, listener = logging.getLogger("retain.customers"), Listener()
    before = readers.level, readers.propagate
    readers.setLevel(logging.INFO)
    readers.propagate = False
    readers.addHandler(listener)
    try:
        yield messages
    finally:
        readers.removeHandler(listener)
        readers.setLevel(before[0])
        readers.propagate = before[1]


def preflight(runs: Sequence[Run], shared_path: Path | None = None) -> Preflight:
    """Check the parameters and the data of every run, and share the datasets through a file.

    Raises
    ------
    RetainError
        At the first invalid config or dataset.
    """
    datasets: dict[Hashable, Dataset] = {}
    for run in runs:
        build_training_spec(run)
        dataset = datasets.setdefault(dataset_key(run), prepare_dataset(run))
        customers = dataset.customers
        check_toggles(
            run.features,
            {*customers.groups, *(derived.group for derived in customers.derived_features)},
        )
    index = {key: position for position, key in enumerate(datasets)}
    distinct = tuple(datasets.values())
    return Preflight(
        facts=tuple(dataset.facts for dataset in distinct),
        dataset_index=tuple(index[dataset_key(run)] for run in runs),
        shared_datasets=None if shared_path is None else share(distinct, shared_path),
    )
