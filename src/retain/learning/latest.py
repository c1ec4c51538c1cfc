"""The customers as they are now: of several snapshots, the latest that was scored.

May import: errors, schema, customers, and of learning: scores. A campaign speaks to people, once
each; scores and drivers of a dated source speak of a customer at a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from retain.customers.customers import Customers
from retain.learning.scores import Scores


def latest(
    customers: Customers, parts: Sequence[Scores], drivers: pd.DataFrame | None = None
) -> tuple[Customers, list[Scores], pd.DataFrame | None]:
    """Customers, their scores and drivers at the latest snapshot scored, by the customers' own ids.

    Where customers have one row each, all as they are. ``drivers`` are a table with a column
    ``customer_id``.
    """
    dated = customers.dated
    if dated is None:
        return customers, list(parts), drivers
    scored = pd.Index(pd.concat([part.table["customer_id"] for part in parts]).unique())
    day = dated.snapshot.loc[scored].max()
    mask = (dated.snapshot == day) & customers.features.index.isin(scored)
    ids = dated.customer[mask]
    found = [_renamed(part.table, ids) for part in parts]
    return (
        _of_people(customers.rows(mask.to_numpy()), ids, day),
        [
            Scores(table, part.origin)
            for table, part in zip(found, parts, strict=True)
            if len(table)
        ],
        None if drivers is None else _renamed(drivers, ids),
    )


def _renamed(table: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """The rows of these customers, by their own ids."""
    kept = table[table["customer_id"].isin(ids.index)].reset_index(drop=True)
    return kept.assign(customer_id=ids.loc[kept["customer_id"]].to_numpy())


def _of_people(rows: Customers, ids: pd.Series, day: pd.Timestamp) -> Customers:
    index = pd.Index(ids.to_numpy(), name="customer_id")

    def named(series: pd.Series | None) -> pd.Series | None:
        return None if series is None else series.set_axis(index)

    return replace(
        rows,
        features=rows.features.set_axis(index),
        target=named(rows.target),
        profit=named(rows.profit),
        contactable=named(rows.contactable),
        twins=rows.twins.set_axis(index),
        snapshot=day.date(),
        dated=None,
    )
