"""Scores: a probability of decline for each customer, and where it comes from."""

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
    """Probabilities by models that never saw the customer they score.

    Attributes
    ----------
    table
        One row a customer and repeat: ``customer_id, repeat, fold, target, probability``; the
        target of new customers is NaN.
    origin
        Where they come from. There is no word for in-sample scores, so nothing can hold them.
    """

    table: pd.DataFrame
    origin: Origin

    def __post_init__(self) -> None:
        """Refuse a table that is no table of scores: whoever made it has a bug."""
        if tuple(self.table.columns) != COLUMNS:
            raise ValueError(f"scores need the columns {COLUMNS}, got {list(self.table.columns)}")
        if not self.table["probability"].between(0, 1).all():
            raise ValueError("probabilities must lie in [0, 1]")

    def per_customer(self) -> pd.Series:
        """Mean probability over repeats, indexed by customer id.

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

    Where customers have one row each, all as they are. ``drivers`` are a table with a column
    ``customer_id``.
    """
    dated = customers.panel
    if dated is None:
        return customers, list(parts), drivers
    scored = pd.Index(pd.concat([part.table["customer_id"] for part in parts]).unique())
    day = dated.snapshot.loc[scored].max()
    mask = (dated.snapshot == day) & customers.features.index.isin(scored)
    ids = dated.customer[mask]
    found = [_rename_ids(part.table, ids) for part in parts]
    return (
        _customers_at(customers.rows(mask.to_numpy()), ids, day),
        [
            Scores(table, part.origin)
            for table, part in zip(found, parts, strict=True)
            if len(table)
        ],
        None if drivers is None else _rename_ids(drivers, ids),
    )


def _rename_ids(table: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """Return the rows of these customers, by their own ids."""
    kept = table[table["customer_id"].isin(ids.index)].reset_index(drop=True)
    return kept.assign(customer_id=ids.loc[kept["customer_id"]].to_numpy())


def _customers_at(rows: Customers, ids: pd.Series, day: pd.Timestamp) -> Customers:
    index = pd.Index(ids.to_numpy(), name="customer_id")

    def reindexed(series: pd.Series | None) -> pd.Series | None:
        return None if series is None else series.set_axis(index)

    return replace(
        rows,
        features=rows.features.set_axis(index),
        target=reindexed(rows.target),
        profit=reindexed(rows.profit),
        contactable=reindexed(rows.contactable),
        duplicate_groups=rows.duplicate_groups.set_axis(index),
        snapshot=day.date(),
        panel=None,
    )
