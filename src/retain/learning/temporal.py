"""Validation in time: learn from earlier snapshots, be tested on later ones, by other customers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from retain.customers.customers import Customers, Panel
from retain.errors import RetainError
from retain.learning.splits import TEST_SEED, Fold, Splits, TestPart, assign_folds
from retain.schema import Validation


@dataclass(frozen=True)
class TemporalSplitPlan:
    """The role of each snapshot: training, test, sealed test, or skipped.

    Attributes
    ----------
    trained, test_days
        Days that may be learnt from, and days that are tested, a gap after the first of those; but
        for the last of them, only if there is half as much to learn from as to test.
    sealed_day
        The latest day.
    skipped_days
        Days whose labels were still open at the sealed one: they are neither.
    gap
        Days between what is learnt from and what is tested.
    """

    train_days: tuple[pd.Timestamp, ...]
    test_days: tuple[pd.Timestamp, ...]
    sealed_day: pd.Timestamp
    skipped_days: tuple[pd.Timestamp, ...]
    gap: pd.Timedelta

    @property
    def description(self) -> str:
        """The roles of the snapshots as a sentence."""
        parts = [
            f"learns from {_describe_days(self.train_days)}",
            f"tests on {_describe_days(self.test_days)}, each by rows {self.gap.days} days older",
            f"seals {_describe_days((self.sealed_day,))}",
        ]
        if self.skipped_days:
            parts.append(
                f"sets {_describe_days(self.skipped_days)} aside, whose labels were open then"
            )
        return "validation in time: " + "; ".join(parts)


def plan_snapshots(dated: Panel, gap: int | None) -> TemporalSplitPlan:
    """Assign a role to each snapshot.

    Raises
    ------
    RetainError
        When the gap is shorter than the horizon, or no snapshot is left to be tested.
    """
    horizon = dated.horizon
    if gap is not None and gap < horizon:
        raise RetainError.at(
            "validation.gap",
            f"it is {gap} days, and the labels look {horizon} days ahead",
            f"expected at least {horizon}, or null for just that",
        )
    between = pd.Timedelta(days=horizon if gap is None else gap)
    rows = dated.snapshot.value_counts().sort_index()
    *days, last = rows.index
    before = [day for day in days if day + between <= last]
    testable = [day for day in before if before[0] + between <= day]
    if not testable:
        raise RetainError(_too_few_message([*days, last], between.days, by_horizon=gap is None))
    tested = (
        *(day for day in testable[:-1] if _has_enough_training_rows(rows, day, between)),
        testable[-1],
    )
    return TemporalSplitPlan(
        train_days=tuple(day for day in before if day + between <= tested[-1]),
        test_days=tested,
        sealed_day=last,
        skipped_days=tuple(day for day in days if day not in before),
        gap=between,
    )


def _has_enough_training_rows(rows: pd.Series, day: pd.Timestamp, between: pd.Timedelta) -> bool:
    """Return whether there is at least half as much to learn from as to test.

    Else a fold would tell of a model that nobody would use: one that barely learnt.
    """
    return bool(2 * rows[rows.index <= day - between].sum() >= rows[day])


def split_in_time(customers: Customers, dated: Panel, validation: Validation, seed: int) -> Splits:
    """Folds of customers × tested snapshots, and the latest snapshot sealed.

    Each fold learns from other customers at snapshots at least a gap earlier. The sealed rows are
    scored likewise, in parts, so that all customers of the latest snapshot are tested and each by
    a model that never met them.

    Raises
    ------
    RetainError
        When the snapshots do not suffice, or a fold lacks one of the classes.
    """
    found = plan_snapshots(dated, validation.gap)
    _check_enough_customers(customers, validation.folds)
    snapshot, target = dated.snapshot, customers.y
    development = snapshot[snapshot.isin({*found.train_days, *found.test_days})]
    ids = development.index.sort_values()
    days = development.loc[ids].to_numpy()
    folds = tuple(
        fold
        for repeat in range(validation.repeats)
        for fold in _folds(customers, found, (ids, days), validation, (repeat, seed))
    )
    for fold in folds:
        _check_both_classes(target.loc[ids].to_numpy(), fold, validation.folds)
    sealed = snapshot.index[snapshot == found.sealed_day].sort_values()
    parts = tuple(_sealed(customers.duplicate_groups, ids, sealed, validation.folds))
    return Splits(ids, sealed, folds, parts, found.description, f"{found.sealed_day:%Y-%m-%d}")


def _folds(
    customers: Customers,
    found: TemporalSplitPlan,
    rows: tuple[pd.Index, np.ndarray],
    validation: Validation,
    numbered: tuple[int, int],
) -> list[Fold]:
    """Return the folds of one repeat: snapshot by snapshot, customers by customers."""
    (ids, days), (repeat, seed) = rows, numbered
    target = customers.y.loc[ids]
    part = assign_folds(
        target, customers.duplicate_groups, validation.folds, seed + repeat
    ).to_numpy()
    return [
        Fold(
            repeat,
            place * validation.folds + k,
            np.flatnonzero((part != k) & (days + found.gap <= day)),
            np.flatnonzero((part == k) & (days == day)),
            day.date(),
        )
        for place, day in enumerate(found.test_days)
        for k in range(validation.folds)
    ]


def _sealed(groups: pd.Series, ids: pd.Index, sealed: pd.Index, folds: int) -> list[TestPart]:
    """Sealed rows in parts by customer, by the data alone; each learns from all other customers."""
    every = np.sort(pd.concat([groups.loc[ids], groups.loc[sealed]]).unique())
    place = np.random.default_rng(TEST_SEED).permutation(len(every)) % folds
    of = pd.Series(place, index=every)
    trained, tested = of.loc[groups.loc[ids]].to_numpy(), of.loc[groups.loc[sealed]].to_numpy()
    parts = [TestPart(ids[trained != k], sealed[tested == k]) for k in range(folds)]
    return [part for part in parts if len(part.test)]


def _check_enough_customers(customers: Customers, folds: int) -> None:
    """Refuse more parts than there are customers, each counted once."""
    count = customers.duplicate_groups.nunique()
    if count < 2 * folds:
        raise RetainError(
            f"validation.folds={folds} needs at least {2 * folds} customers, some of each class in "
            f"every part; the snapshots have {count}. Lower validation.folds, or bring a log with "
            "more regular customers."
        )


def _check_both_classes(target: np.ndarray, fold: Fold, folds: int) -> None:
    for what, rows, other in (
        ("learn from", fold.train, "Raise"),
        ("test", fold.test, "Lower"),
    ):
        declined = int(target[rows].sum())
        if not 0 < declined < len(rows):
            raise RetainError(
                f"fold {fold.fold} at {fold.snapshot} has {len(rows)} rows to {what}, of whom "
                f"{declined} declined; expected both classes. {other} validation.folds from "
                f"{folds}, or bring a log with more regular customers."
            )


def _too_few_message(days: list[pd.Timestamp], gap: int, *, by_horizon: bool) -> str:
    """Return the message that no snapshot is left to test, with a remedy."""
    span = (days[-1] - days[0]).days
    steps = [(later - day).days for day, later in pairwise(days)]
    every = min(steps, default=1)
    needed = 2 * -(-gap // every) * every  # a snapshot must stand at least a gap after the first
    counted = "1 snapshot spans" if len(days) == 1 else f"{len(days)} snapshots span"
    fits = (len(days) - 1) // 2 * every
    key = "data.label.horizon" if by_horizon else "validation.gap"
    shorter = f"{key}={fits} or less" if fits else f"less {key}"
    return (
        f"{counted} {span} days; to learn, a gap of {gap} days, to test, the same gap again and a "
        f"sealed snapshot need {needed}: {needed - span} are missing. Type {shorter}; or, where "
        "the log is long enough, more data.snapshots.n or less data.label.lookback."
    )


def _describe_days(days: tuple[pd.Timestamp, ...]) -> str:
    """Days in words: the first and the last of many."""
    messages = [f"{day:%Y-%m-%d}" for day in days]
    return (
        ", ".join(messages)
        if len(messages) < 4
        else f"{messages[0]} … {messages[-1]} ({len(messages)} snapshots)"
    )
