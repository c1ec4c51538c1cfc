"""Customers at several snapshots."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from retain.record.document import LabelInfo, SnapshotFacts, VariantCounts
from retain.record.label import LabelQuality


@dataclass(frozen=True)
class Panel:
    """The customer and the day of each row, for a source with several snapshots.

    Attributes
    ----------
    customer
        The customer's own id, indexed by row.
    snapshot
        The day of the row's features, ``datetime64``, indexed by row.
    horizon
        Days after the snapshot that the target covers.
    sensitivity
        Other definitions of the target on these rows: ``parameter, value, rows, declined`` (a
        share), ``agreement`` (share of rows with the same target).
    population
        Histories of everyone seen at the first snapshot, regular or not: repeat days with an
        order, weeks from the first order to the last and to the snapshot, customers; shape (n, 4).
    quality
        Checks of the target.
    """

    customer: pd.Series
    snapshot: pd.Series
    horizon: int
    sensitivity: pd.DataFrame | None = None
    population: np.ndarray | None = None
    quality: LabelQuality | None = None

    def rows(self, mask: np.ndarray) -> Panel:
        """Return the rows where ``mask`` is True."""
        return replace(self, customer=self.customer[mask], snapshot=self.snapshot[mask])


def summarise_label(target: pd.Series, dated: Panel) -> LabelInfo:
    """Return facts about the target of a source with snapshots, for records."""
    counts = target.groupby(dated.snapshot).agg(["size", "sum"])
    variants: Any = () if dated.sensitivity is None else dated.sensitivity.itertuples()
    return LabelInfo(
        horizon_days=dated.horizon,
        quality=dated.quality,
        snapshots=tuple(
            SnapshotFacts(snapshot=f"{day:%Y-%m-%d}", n_rows=int(rows), n_declined=int(declined))
            for day, rows, declined in counts.itertuples()
        ),
        variants=tuple(
            VariantCounts(
                parameter=variant.parameter,
                value=variant.value,
                n_rows=int(variant.rows),
                decline_rate=_nan_to_none(variant.declined),
                agreement=_nan_to_none(variant.agreement),
            )
            for variant in variants
        ),
    )


def _nan_to_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
