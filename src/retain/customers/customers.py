"""The noun every later room receives: one honest table of customers."""

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

from retain.customers.text_order import natural_sort_order
from retain.errors import RetainError

Kind = Literal["number", "category"]
Operation = Literal["ratio", "difference", "slope", "mean"]


@dataclass(frozen=True, slots=True)
class Label:
    """What something is called for people, in the two languages of the report."""

    en: str
    ru: str


@dataclass(frozen=True, slots=True)
class Column:
    """What is known about one feature: its group, its kind and its names for people.

    ``levels`` names the values of a category; one without a name there goes by itself.
    """

    name: str
    group: str
    kind: Kind
    en: str = ""
    ru: str = ""
    levels: Mapping[str, Label] = field(default_factory=dict)

    @property
    def label(self) -> Label:
        """What the feature is called."""
        return Label(self.en or self.name, self.ru or self.name)

    def level(self, value: str) -> Label:
        """What a value of the category is called.

        >>> named = {"yes": Label("Agreed", "Согласен")}
        >>> consent = Column("consent", "communication", "category", levels=named)
        >>> consent.level("yes").ru, consent.level("maybe").ru
        ('Согласен', 'maybe')
        """
        return self.levels.get(value, Label(value, value))


@dataclass(frozen=True, slots=True)
class DerivedFeature:
    """A feature computed from a customer's own row alone, so it can leak nothing.

    ``of`` names number features. ``ratio`` and ``difference`` take two (first over, or minus,
    second), ``slope`` the values of equally spaced periods, earliest first, ``mean`` any number.
    """

    name: str
    group: str
    operation: Operation
    of: tuple[str, ...]
    en: str = ""
    ru: str = ""

    @property
    def column(self) -> Column:
        """What is known about it once it stands in a table."""
        return Column(self.name, self.group, "number", self.en, self.ru)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the funnel: what a cleaning step did to which customers.

    ``of`` is what it counts: ``customers``, or rows of a log before there are any.
    """

    name: str
    before: int
    after: int
    reason: str
    dropped: tuple[object, ...] = ()
    of: str = "customers"


@dataclass(frozen=True)
class Panel:
    """Whose row each is and of which day, where a source has several snapshots of a customer.

    Attributes
    ----------
    customer
        The customer's own id, indexed by row.
    snapshot
        The day its features were taken, ``datetime64``, indexed by row.
    horizon
        Days after the snapshot that the target looks ahead.
    sensitivity
        What other definitions of the target would have made of these rows: ``parameter, value,
        rows, declined`` (a share), ``agreement`` (share of rows with the same target).
    """

    customer: pd.Series
    snapshot: pd.Series
    horizon: int
    sensitivity: pd.DataFrame | None = None

    def rows(self, mask: np.ndarray) -> Panel:
        """The rows where ``mask`` is True."""
        return replace(self, customer=self.customer[mask], snapshot=self.snapshot[mask])


@dataclass(frozen=True)
class Customers:
    """One row a customer, or a customer and snapshot, everything later rooms may know about them.

    Attributes
    ----------
    features
        Indexed by customer id (unique, named ``customer_id``), in the order of the source; with
        several snapshots by ``<id>@<day>``, which ``dated`` tells apart.
        Columns are canonical snake_case names: floats for numbers (NaN where missing), the
        pandas ``str`` type for categories (NaN where missing).
    columns
        A ``Column`` for each feature, in the same order. This is the whitelist.
    target
        1 where activity declined, 0 otherwise; None when customers are only to be scored.
    activity
        What a target of 1 means, for people; None without a target.
    profit
        Money a customer brings, in ``profit_unit``; None when the source has none.
    contactable
        Whether the customer agreed to be contacted; None when the source does not say.
    twins
        A label shared by copies of the same customer, distinct for all others.
    derived
        Features that can be computed from the row alone.
    funnel
        Every step from the raw rows to these, with its counts.
    snapshot
        The day the features were taken, when the source has dates and one snapshot alone.
    dated
        Customer and day of each row, where there are several snapshots; then rows of a customer
        are ``twins``.
    """

    features: pd.DataFrame
    columns: Mapping[str, Column]
    target: pd.Series | None = None
    activity: Label | None = None
    profit: pd.Series | None = None
    profit_unit: str | None = None
    contactable: pd.Series | None = None
    twins: pd.Series = field(default_factory=lambda: pd.Series(dtype="int64"))
    derived: tuple[DerivedFeature, ...] = ()
    funnel: tuple[Step, ...] = ()
    snapshot: date | None = None
    dated: Panel | None = None

    def __post_init__(self) -> None:
        """Refuse a table later rooms could misread."""
        ids = self.features.index
        if len(ids) == 0:
            raise RetainError("no customers are left; the funnel: " + self.told())
        if not ids.is_unique:
            raise RetainError(f"customer ids are not unique ({ids.duplicated().sum()} repeat).")
        if list(self.features.columns) != list(self.columns):
            raise ValueError("features and their columns differ")
        if self.twins.empty:
            alone = pd.Series(self._places(), index=ids, name="twins")
            object.__setattr__(self, "twins", alone)

    def _places(self) -> np.ndarray:
        """A number for each customer, the same whatever the order of rows."""
        if self.dated is not None:
            return np.asarray(pd.factorize(self.dated.customer.astype(str), sort=True)[0])
        order = natural_sort_order(self.features.index)
        places = np.empty_like(order)
        places[order] = np.arange(len(order))
        return places

    def __len__(self) -> int:
        """The number of customers."""
        return len(self.features)

    @property
    def groups(self) -> dict[str, list[str]]:
        """Feature names by group, groups in order of first appearance."""
        found: dict[str, list[str]] = {}
        for column in self.columns.values():
            found.setdefault(column.group, []).append(column.name)
        return found

    def described(self, features: Iterable[str]) -> dict[str, Column]:
        """What is known about each of these features, derived ones included, in their order.

        >>> table = pd.DataFrame({"may": [1.0], "june": [2.0]}, index=[7])
        >>> months = {name: Column(name, "purchase", "number") for name in table}
        >>> trend = DerivedFeature("trend", "purchase", "slope", ("may", "june"), en="Trend")
        >>> found = Customers(table, months, derived=(trend,)).described(["trend", "june"])
        >>> {name: (column.label.en, column.kind) for name, column in found.items()}
        {'trend': ('Trend', 'number'), 'june': ('june', 'number')}
        """
        known = {**{one.name: one.column for one in self.derived}, **self.columns}
        return {name: known[name] for name in features}

    @property
    def labelled(self) -> pd.Series:
        """The target; a ``RetainError`` where the source has none."""
        if self.target is None:
            how = "name it with data.target=COLUMN"
            if self.snapshot is not None:
                how = (
                    "they are read only to be scored; type data.has_target=true to learn from them"
                )
            raise RetainError(f"these customers carry no target; {how}.")
        return self.target

    def told(self) -> str:
        """The funnel in one line.

        >>> table = pd.DataFrame({"pages": [1.0]}, index=pd.Index([7], name="customer_id"))
        >>> step = Step("newcomers", 3, 1, "no revenue before")
        >>> Customers(table, {"pages": Column("pages", "site", "number")}, funnel=(step,)).told()
        '3 → 1 (newcomers)'
        """
        if not self.funnel:
            return f"{len(self.features)}"
        return "; ".join(_told(list(steps)) for _, steps in groupby(self.funnel, lambda s: s.of))

    def only(self, keep: pd.Series | Iterable[bool], name: str, reason: str) -> Customers:
        """These customers without those where ``keep`` is False, the step told in the funnel."""
        mask = np.asarray(keep, dtype=bool)
        gone = tuple(self.features.index[~mask].tolist())
        step = Step(name, len(mask), int(mask.sum()), reason, gone)
        return replace(self.rows(mask), funnel=(*self.funnel, step))

    def rows(self, mask: np.ndarray) -> Customers:
        """The customers where ``mask`` is True: a view for one purpose, no step of the funnel."""
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
            twins=cut(self.twins),
            dated=None if self.dated is None else self.dated.rows(mask),
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content (64 hex digits), the same whatever the order of rows."""
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
        for name in ("target", "profit", "contactable", "twins"):
            values = getattr(self, name)
            if values is not None:
                yield name, values


def _told(steps: Sequence[Step]) -> str:
    """Steps that count the same thing; what they count is named unless it is customers."""
    tail = " → ".join(f"{step.after} ({step.name})" for step in steps)
    of = "" if steps[0].of == "customers" else f" {steps[0].of}"
    return f"{steps[0].before}{of} → {tail}"
