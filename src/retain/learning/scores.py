"""Scores: a probability of decline for each customer, and its origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from retain.customers.customers import Customers

Origin = Literal["out_of_fold", "sealed_test", "new"]
COLUMNS = ("customer_id", "repeat", "fold", "target", "probability")


@dataclass(frozen=True)
class Scores:
    """Probabilities by models that were not fitted on the customers they score.

    Attributes
    ----------
    table
        One row per customer and repeat: ``customer_id, repeat, fold, target, probability``; the
        target of new customers is NaN.
    origin
        Source of the scores; in-sample scores cannot be represented.
    """

    table: pd.DataFrame
    origin: Origin

    def __post_init__(self) -> None:
        """Raise for an invalid table of scores, which is a bug of the caller."""
        if tuple(self.table.columns) != COLUMNS:
            raise ValueError(f"scores need the columns {COLUMNS}, got {list(self.table.columns)}")
        if not self.table["probability"].between(0, 1).all():
            raise ValueError("probabilities must lie in [0, 1]")

    def per_customer(self) -> pd.Series:
        """Return the mean probability over repeats, indexed by customer id.

        >>> rows = [(7, 0, 1, 1, 0.2), (7, 1, 0, 1, 0.4)]
        >>> Scores(pd.DataFrame(rows, columns=list(COLUMNS)), "out_of_fold").per_customer()
        customer_id
        7    0.3
        Name: probability, dtype: float64
        """
        return self.table.groupby("customer_id", sort=True)["probability"].mean()


def select_latest_snapshot(
    customers: Customers, parts: Sequence[Scores], drivers: pd.DataFrame | None = None
) -> tuple[Customers, list[Scores], pd.DataFrame | None]:
    """Return customers, scores and drivers at the latest scored snapshot, by customer id.

    Without snapshots everything is returned unchanged. ``drivers`` has a column ``customer_id``.
    """
    dated = customers.panel
    if dated is None:
        return customers, list(parts), drivers
    scored = pd.Index(pd.concat([part.table["customer_id"] for part in parts]).unique())
    day = dated.snapshot.loc[scored].max()
    mask = (dated.snapshot == day) & customers.features.index.isin(scored)
    ids = dated.customer[mask]
    tables = [_rename_ids(part.table, ids) for part in parts]
    return (
        _customers_at(customers.rows(mask.to_numpy()), ids, day),
        [
            Scores(table, part.origin)
            for table, part in zip(tables, parts, strict=True)
            if len(table)
        ],
        None if drivers is None else _rename_ids(drivers, ids),
    )


def _rename_ids(table: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """Return the rows of these customers under their own ids."""
    rows = table[table["customer_id"].isin(ids.index)].reset_index(drop=True)
    return rows.assign(customer_id=ids.loc[rows["customer_id"]].to_numpy())


def _customers_at(rows: Customers, ids: pd.Series, day: pd.Timestamp) -> Customers:
    index = pd.Index(ids.to_numpy(), name="customer_id")

    def reindex(series: pd.Series | None) -> pd.Series | None:
        return None if series is None else series.set_axis(index)

    return replace(
        rows,
        features=rows.features.set_axis(index),
        target=reindex(rows.target),
        profit=reindex(rows.profit),
        contactable=reindex(rows.contactable),
        duplicate_groups=rows.duplicate_groups.set_axis(index),
        snapshot=day.date(),
        panel=None,
    )
