"""What runs share: customers that passed the audit, and their splits. Read once a process."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np

from retain.app.components import source
from retain.app.seen import Seen
from retain.customers.audit import Check, Folding, audit, refuse
from retain.customers.customers import Customers, Dated
from retain.customers.twins import Twins, grouped
from retain.errors import examples
from retain.learning.splits import Splits
from retain.learning.validation import split
from retain.record import (
    CheckFacts,
    DataFacts,
    FunnelStep,
    LabelFacts,
    OtherLabel,
    SnapshotFacts,
    SplitFacts,
)
from retain.schema import Audit, Run, Validation


@dataclass(frozen=True)
class Prepared:
    """Customers, what the audit said of them, who is in which fold, and how they were read.

    ``heard`` is what the readers logged: dialects, types, columns left out.
    """

    customers: Customers
    checks: tuple[Check, ...]
    splits: Splits
    heard: tuple[str, ...]

    @cached_property
    def data(self) -> DataFacts:
        """The customers as a record tells of them."""
        customers = self.customers
        return DataFacts(
            fingerprint=customers.fingerprint,
            rows=len(customers),
            positives=int(customers.labelled.sum()),
            funnel=tuple(
                FunnelStep(name=s.name, before=s.before, after=s.after, reason=s.reason, of=s.of)
                for s in customers.funnel
            ),
            label=None if customers.dated is None else label_facts(customers, customers.dated),
        )

    @cached_property
    def split(self) -> SplitFacts:
        """The splits as a record tells of them."""
        folds = self.splits.folds
        repeats = 1 + max(fold.repeat for fold in folds)
        return SplitFacts(
            fingerprint=self.splits.fingerprint,
            folds=len(folds) // repeats,
            repeats=repeats,
            sealed=len(self.splits.sealed),
            test_to_train=self.splits.test_to_train,
            tested=tuple(str(fold.snapshot) for fold in folds if fold.snapshot is not None),
            sealed_at=self.splits.sealed_at,
        )

    @cached_property
    def told(self) -> tuple[CheckFacts, ...]:
        """The audit as a record tells of it."""
        return tuple(
            CheckFacts(code=c.code, outcome=c.outcome, sentence=c.sentence) for c in self.checks
        )

    @cached_property
    def seen(self) -> Seen:
        """All this without the customers."""
        customers = self.customers
        return Seen(
            data=self.data,
            split=self.split,
            checks=self.told,
            heard=self.heard,
            left_out=tuple(examples(step.dropped) for step in customers.funnel),
        )


def label_facts(customers: Customers, dated: Dated) -> LabelFacts:
    """The target of a dated source as a record tells of it."""
    target = customers.labelled.groupby(dated.snapshot).agg(["size", "sum"])
    others: Any = () if dated.sensitivity is None else dated.sensitivity.itertuples()
    return LabelFacts(
        horizon=dated.horizon,
        snapshots=tuple(
            SnapshotFacts(snapshot=f"{day:%Y-%m-%d}", rows=int(rows), declined=int(declined))
            for day, rows, declined in target.itertuples()
        ),
        sensitivity=tuple(
            OtherLabel(
                parameter=one.parameter,
                value=one.value,
                rows=int(one.rows),
                declined=_share(one.declined),
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


def prepare(run: Run) -> Prepared:
    """Customers and splits of a run's config, from this process's memory where they are there.

    Raises
    ------
    RetainError
        When the data are refused: by their contract, by the audit, or as too few.
    """
    return _prepared(*source_of(run))


def forget() -> None:
    """Drop what was read before: a new command reads the files as they are now."""
    _prepared.cache_clear()
    _customers.cache_clear()


@lru_cache(maxsize=8)
def _prepared(data: str, audited: Audit, validation: Validation, seed: int) -> Prepared:
    customers, copies, heard = _customers(data, audited.copies)
    _ = (
        customers.labelled
    )  # refuses what cannot be learnt from, before the audit finds lesser faults
    checks = audit(customers, Folding(validation.shuffle, copies))
    refuse(checks, audited.allow)
    splits = split(customers, validation, seed)
    told = () if splits.told is None else (splits.told,)
    return Prepared(customers, tuple(checks), splits, (*heard, *told))


@lru_cache(maxsize=4)
def _customers(
    data: str, copies: Literal["group", "drop"]
) -> tuple[Customers, Twins | None, tuple[str, ...]]:
    with listening() as heard:
        customers, found = grouped(source(json.loads(data))(), copies)
    return customers, found, tuple(heard)


@contextmanager
def listening() -> Iterator[list[str]]:
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
