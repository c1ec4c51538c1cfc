"""Validation splits: the sealed test, then folds of the other customers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedShuffleSplit

from retain.customers.customers import Customers
from retain.customers.panel import Panel
from retain.errors import RetainError
from retain.learning.splits import TEST_SEED, Fold, SealedPart, Splits, assign_folds, group_labels
from retain.schema.run import Validation


@dataclass(frozen=True)
class TemporalSplitPlan:
    """The role of each snapshot: training, test, sealed test, or skipped.

    Attributes
    ----------
    train_days, test_days
        Days for training, and days for testing, at least a gap after the first training day. Test
        days but the last need half as many training rows as test rows.
    sealed_day
        The latest day.
    skipped_days
        Days whose labels overlap the sealed day: not used.
    gap
        Days between training and test snapshots.
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
        The gap is shorter than the horizon, or no snapshot is left to test.
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
    """Return whether there are at least half as many training rows as test rows."""
    return bool(2 * rows[rows.index <= day - between].sum() >= rows[day])


def split_in_time(customers: Customers, dated: Panel, validation: Validation) -> Splits:
    """Return folds of customers × test snapshots, with the latest snapshot as the sealed test.

    Each fold trains on other customers at snapshots at least a gap earlier. The sealed test has
    parts by customer, so that each customer is scored by a model fitted on other customers.

    Raises
    ------
    RetainError
        There are too few snapshots or customers, or a fold lacks one of the classes.
    """
    plan = plan_snapshots(dated, validation.gap)
    _check_enough_at_all_snapshots(customers, validation.folds)
    snapshot, target = dated.snapshot, customers.y
    development = snapshot[snapshot.isin({*plan.train_days, *plan.test_days})]
    ids = development.index.sort_values()
    days = development.loc[ids].to_numpy()
    folds = tuple(
        fold
        for repeat in range(validation.repeats)
        for fold in _folds(customers, plan, (ids, days), validation, repeat)
    )
    for fold in folds:
        _check_both_classes(target.loc[ids].to_numpy(), fold, validation.folds)
    sealed = snapshot.index[snapshot == plan.sealed_day].sort_values()
    parts = tuple(_sealed(customers.duplicate_groups, ids, sealed, validation.folds))
    return Splits(ids, sealed, folds, parts, plan.description, f"{plan.sealed_day:%Y-%m-%d}")


def _folds(
    customers: Customers,
    plan: TemporalSplitPlan,
    rows: tuple[pd.Index, np.ndarray],
    validation: Validation,
    repeat: int,
) -> list[Fold]:
    """Return the folds of one repeat, by snapshot and customers."""
    ids, days = rows
    target = customers.y.loc[ids]
    part = assign_folds(
        target, customers.duplicate_groups, validation.folds, validation.seed + repeat
    ).to_numpy()
    return [
        Fold(
            repeat,
            index * validation.folds + k,
            np.flatnonzero((part != k) & (days + plan.gap <= day)),
            np.flatnonzero((part == k) & (days == day)),
            day.date(),
        )
        for index, day in enumerate(plan.test_days)
        for k in range(validation.folds)
    ]


def _sealed(groups: pd.Series, ids: pd.Index, sealed: pd.Index, folds: int) -> list[SealedPart]:
    """Return the sealed test in parts by customer, independent of the seed."""
    every = np.sort(pd.concat([groups.loc[ids], groups.loc[sealed]]).unique())
    parts_of = np.random.default_rng(TEST_SEED).permutation(len(every)) % folds
    of = pd.Series(parts_of, index=every)
    trained, tested = of.loc[groups.loc[ids]].to_numpy(), of.loc[groups.loc[sealed]].to_numpy()
    test_parts = [SealedPart(ids[trained != k], sealed[tested == k]) for k in range(folds)]
    return [part for part in test_parts if len(part.test)]


def _check_enough_at_all_snapshots(customers: Customers, folds: int) -> None:
    """Raise if there are fewer distinct customers than folds."""
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
    """Return the message that no snapshot is left to test, with a solution."""
    span = (days[-1] - days[0]).days
    steps = [(later - day).days for day, later in pairwise(days)]
    every = min(steps, default=1)
    needed = 2 * -(-gap // every) * every  # a snapshot must be at least a gap after the first
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
    """Return the days as text: only the first and last of many."""
    messages = [f"{day:%Y-%m-%d}" for day in days]
    return (
        ", ".join(messages)
        if len(messages) < 4
        else f"{messages[0]} … {messages[-1]} ({len(messages)} snapshots)"
    )


def make_splits(customers: Customers, validation: Validation) -> Splits:
    """Return the splits of customers, independent of the order of rows.

    The sealed test does not depend on ``validation.seed``. Copies of a customer
    (``duplicate_groups``) are never split. For rows with days see ``split_in_time``.

    Raises
    ------
    RetainError
        There are too few customers, or the validation does not fit them.
    """
    target, groups = customers.y, customers.duplicate_groups
    if customers.panel is not None:
        if not validation.temporal:
            raise RetainError(
                "these customers have several snapshots each, and validation="
                f"{validation.name} would train on later days than it tests on; type "
                "validation=temporal."
            )
        return split_in_time(customers, customers.panel, validation)
    if validation.sealed_size is None:
        raise RetainError(
            "validation=temporal needs several snapshots of each customer, as data=purchases has "
            "them; these customers have one row each. Type validation=repeated."
        )
    _check_enough_customers(target, groups, validation.folds)
    sealed = _select_test_ids(target.sort_index(), groups, validation.sealed_size)
    rest = target.loc[~target.index.isin(sealed)]
    ids = rest.index.sort_values()
    folds = []
    for repeat in range(validation.repeats):
        seed = validation.seed + repeat if validation.shuffle else None
        numbers = assign_folds(rest, groups, validation.folds, seed)
        aligned = numbers.loc[ids].to_numpy()
        for k in range(validation.folds):
            train, test = np.flatnonzero(aligned != k), np.flatnonzero(aligned == k)
            folds.append(Fold(repeat, k, train, test))
    return Splits(ids, sealed, tuple(folds), (SealedPart(ids, sealed),))


def _select_test_ids(target: pd.Series, groups: pd.Series, share: float) -> pd.Index:
    labels = group_labels(target, groups)
    splitter = StratifiedShuffleSplit(n_splits=1, test_size=share, random_state=TEST_SEED)
    _, test = next(splitter.split(labels, labels))
    chosen = groups.loc[target.index].isin(labels.index[test]).to_numpy()
    return target.index[chosen]


def _check_enough_customers(target: pd.Series, groups: pd.Series, folds: int) -> None:
    counts = group_labels(target, groups).value_counts().reindex([0, 1], fill_value=0)
    needed = 2 * folds
    if counts.min() < needed:
        raise RetainError(
            f"{folds} folds and a sealed test need at least {needed} customers of each class; "
            f"found {counts[1]} declined and {counts[0]} at the previous level (copies counted "
            "once). Lower validation.folds or bring more data."
        )
