"""The table of customers that all later packages receive."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import groupby
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from retain.customers.panel import Panel
from retain.customers.reading import Reading, SourceColumn
from retain.errors import RetainError
from retain.record.document import FunnelStep
from retain.record.estimates import DisplayName

_TENS = 10 ** np.arange(19)  # all powers of ten within int64

Kind = Literal["number", "category"]
Operation = Literal["ratio", "difference", "slope", "mean", "plugin"]


@dataclass(frozen=True, slots=True)
class Column:
    """The group, the kind and the display names of one feature.

    ``levels`` names the values of a category; a value without a name is displayed itself.
    ``is_ageing`` says that it grows with the age of the log, whatever the customer does.
    ``source`` is the column of a table that it was read from.
    """

    name: str
    group: str
    kind: Kind
    en: str = ""
    ru: str = ""
    levels: Mapping[str, DisplayName] = field(default_factory=dict)
    is_ageing: bool = False
    source: SourceColumn | None = None

    @property
    def label(self) -> DisplayName:
        """The display name of the feature."""
        return DisplayName(self.en or self.name, self.ru or self.name)

    def level(self, value: str) -> DisplayName:
        """Return the display name of a level.

        >>> named = {"yes": DisplayName("Agreed", "Согласен")}
        >>> consent = Column("consent", "communication", "category", levels=named)
        >>> consent.level("yes").ru, consent.level("maybe").ru
        ('Согласен', 'maybe')
        """
        return self.levels.get(value, DisplayName(value, value))


@dataclass(frozen=True, slots=True)
class DerivedFeature:
    """A feature computed from a customer's own row only, so it leaks nothing.

    ``inputs`` names number features. ``ratio`` and ``difference`` take two (first over, or minus,
    second), ``slope`` the values of equally spaced periods, earliest first, ``mean`` any number,
    ``plugin`` what the registered feature of the name asks for.
    """

    name: str
    group: str
    operation: Operation
    inputs: tuple[str, ...]
    en: str = ""
    ru: str = ""

    @property
    def column(self) -> Column:
        """The description of the feature as a column."""
        return Column(self.name, self.group, "number", self.en, self.ru)


@dataclass(frozen=True)
class CleaningStep(FunnelStep):
    """A step of the funnel with the customers that it dropped, whom records never name."""

    dropped: tuple[object, ...] = ()


@dataclass(frozen=True)
class Customers:
    """A table with one row per customer, or per customer and snapshot.

    Attributes
    ----------
    features
        Indexed by customer id (unique, named ``customer_id``), in the order of the source; with
        several snapshots by ``<id>@<day>`` (see ``panel``).
        Columns are canonical snake_case names: floats for numbers (NaN where missing), the
        pandas ``str`` type for categories (NaN where missing).
    columns
        A ``Column`` for each feature, in the same order.
    target
        1 where activity declined, 0 otherwise; None for customers to be scored.
    target_label
        Display name of target 1; None without a target.
    profit
        Profit of each customer in ``profit_unit``; None when the source has none.
    profit_is_turnover
        True if it is what the customer pays, which only a margin turns into profit.
    contactable
        True where the customer agreed to be contacted; None when the source does not say.
    duplicate_groups
        Group label shared by copies of a customer.
    derived_features
        Features that can be computed from a row.
    funnel
        Steps from the raw rows to these customers.
    reading
        What was read of the file; empty under a contract.
    snapshot
        Day of the features, if there are dates and a single snapshot.
    panel
        Customer and day of each row, if there are several snapshots; then the rows of a customer
        form a duplicate group.
    overrides
        The words by which a command reads the same customers; none if they were made by hand.
    """

    features: pd.DataFrame
    columns: Mapping[str, Column]
    target: pd.Series | None = None
    target_label: DisplayName | None = None
    profit: pd.Series | None = None
    profit_unit: str | DisplayName | None = None
    profit_is_turnover: bool = False
    contactable: pd.Series | None = None
    duplicate_groups: pd.Series = field(default_factory=lambda: pd.Series(dtype="int64"))
    derived_features: tuple[DerivedFeature, ...] = ()
    funnel: tuple[CleaningStep, ...] = ()
    reading: Reading = field(default_factory=Reading)
    snapshot: date | None = None
    panel: Panel | None = None
    overrides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise for an inconsistent table."""
        ids = self.features.index
        if len(ids) == 0:
            raise RetainError("no customers are left; the funnel: " + self.describe_funnel())
        if not ids.is_unique:
            raise RetainError(f"customer ids are not unique ({ids.duplicated().sum()} repeat).")
        if list(self.features.columns) != list(self.columns):
            raise ValueError("features and their columns differ")
        if self.duplicate_groups.empty:
            alone = pd.Series(self._ordinal_codes(), index=ids, name="duplicate_groups")
            object.__setattr__(self, "duplicate_groups", alone)

    def _ordinal_codes(self) -> np.ndarray:
        """Return a number for each customer that does not depend on the order of rows."""
        if self.panel is not None:
            return np.asarray(pd.factorize(self.panel.customer.astype(str), sort=True)[0])
        order = natural_sort_order(self.features.index)
        codes = np.empty_like(order)
        codes[order] = np.arange(len(order))
        return codes

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.features)

    @property
    def groups(self) -> dict[str, list[str]]:
        """Feature names by group, groups in order of first appearance."""
        by_group: dict[str, list[str]] = {}
        for column in self.columns.values():
            by_group.setdefault(column.group, []).append(column.name)
        return by_group

    def column_info(self, features: Iterable[str]) -> dict[str, Column]:
        """Return the ``Column`` of each of these features, derived ones included.

        >>> table = pd.DataFrame({"may": [1.0], "june": [2.0]}, index=[7])
        >>> months = {name: Column(name, "purchase", "number") for name in table}
        >>> trend = DerivedFeature("trend", "purchase", "slope", ("may", "june"), en="Trend")
        >>> customers = Customers(table, months, derived_features=(trend,))
        >>> info = customers.column_info(["trend", "june"])
        >>> {name: (column.label.en, column.kind) for name, column in info.items()}
        {'trend': ('Trend', 'number'), 'june': ('june', 'number')}
        """
        columns = {**{one.name: one.column for one in self.derived_features}, **self.columns}
        return {name: columns[name] for name in features}

    @property
    def y(self) -> pd.Series:
        """The target; raises if the source has none."""
        if self.target is None:
            remedy = "name it with data.target=COLUMN"
            if self.snapshot is not None:
                remedy = "they are read to be scored; type data.has_target=true to learn from them"
            raise RetainError(f"these customers have no target; {remedy}.")
        return self.target

    def describe_funnel(self) -> str:
        """Return the funnel in one line.

        >>> table = pd.DataFrame({"pages": [1.0]}, index=pd.Index([7], name="customer_id"))
        >>> step = CleaningStep("newcomers", 3, 1, "no revenue before")
        >>> pages = Column("pages", "site", "number")
        >>> Customers(table, {"pages": pages}, funnel=(step,)).describe_funnel()
        '3 → 1 (newcomers)'
        """
        if not self.funnel:
            return f"{len(self.features)}"
        return "; ".join(
            _describe_steps(list(steps)) for _, steps in groupby(self.funnel, lambda s: s.unit)
        )

    def filter(self, keep: pd.Series | Iterable[bool], name: str, reason: str) -> Customers:
        """Return the customers where ``keep`` is True, with a funnel step for the others."""
        mask = np.asarray(keep, dtype=bool)
        gone = tuple(self.features.index[~mask].tolist())
        step = CleaningStep(name, len(mask), int(mask.sum()), reason, dropped=gone)
        return replace(self.rows(mask), funnel=(*self.funnel, step))

    def rows(self, mask: np.ndarray) -> Customers:
        """Return the customers where ``mask`` is True, without a funnel step."""
        index = self.features.index[mask]
        columns = {name: values.array[mask] for name, values in self.features.items()}

        def cut(series: pd.Series) -> pd.Series:
            return pd.Series(series.array[mask], index=index, name=series.name)

        return replace(
            self,
            features=pd.DataFrame(columns, index=index, copy=False),
            target=None if self.target is None else cut(self.target),
            profit=None if self.profit is None else cut(self.profit),
            contactable=None if self.contactable is None else cut(self.contactable),
            duplicate_groups=cut(self.duplicate_groups),
            panel=None if self.panel is None else self.panel.rows(mask),
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content (64 hex digits), independent of the order of rows."""
        order = natural_sort_order(self.features.index)
        digest = hashlib.sha256()
        for name, values in self._contents():
            digest.update(name.encode() + b"\0")
            hashed = pd.util.hash_pandas_object(values, index=False).to_numpy()
            digest.update(hashed[order].tobytes())
        return digest.hexdigest()

    def _contents(self) -> Iterable[tuple[str, pd.Series]]:
        yield "customer_id", self.features.index.to_series().astype(str)
        for name in self.features.columns:
            yield name, self.features[name]
        for name in ("target", "profit", "contactable", "duplicate_groups"):
            values = getattr(self, name)
            if values is not None:
                yield name, values


def _describe_steps(steps: Sequence[CleaningStep]) -> str:
    """Return the text of steps with the same unit, which is named unless it is customers."""
    tail = " → ".join(f"{step.n_after} ({step.name})" for step in steps)
    of = "" if steps[0].unit == "customers" else f" {steps[0].unit}"
    return f"{steps[0].n_before}{of} → {tail}"


def natural_sort_order(ids: pd.Index) -> np.ndarray:
    """Return the positions that sort ids by their texts.

    >>> natural_sort_order(pd.Index([9, 10, 100])).tolist()
    [1, 2, 0]
    """
    if ids.dtype == "int64" and ids.min() >= 0 and ids.max() < _TENS[-1]:
        return _by_digits(ids.to_numpy())
    return np.asarray(pc.array_sort_indices(pa.array(ids.astype(str)))).astype(np.int64)


def _by_digits(numbers: np.ndarray) -> np.ndarray:
    """Return the positions that sort non-negative whole numbers by their texts.

    Numbers padded with zeros on the right to the same length are in that order; the shorter of two
    equal ones comes first.
    """
    zeros = len(_TENS) - 2 - np.searchsorted(_TENS[1:], numbers, side="right")
    ascending = np.argsort(numbers, kind="stable")
    filled = (numbers * _TENS[zeros])[ascending]
    positions: np.ndarray = ascending[np.argsort(filled, kind="stable")]
    return positions
