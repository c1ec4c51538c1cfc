"""Segments: risk × value bands, and what each of them is.

May import: errors, schema, record, customers, learning, verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from retain.customers.customers import Customers
from retain.errors import RetainError
from retain.learning.scores import Scores
from retain.schema import Bands, Segmentation
from retain.verdict.statistics import mean_interval

DISTINCT = 3
"""How many features a segment's profile names."""


def placed(
    scores: Sequence[Scores], customers: Customers, segmentation: Segmentation
) -> pd.DataFrame:
    """Every scored customer with risk, value and segment.

    Returns
    -------
    DataFrame
        Indexed by customer id: ``risk`` (mean probability of decline by models that never saw
        the customer), ``origin``, ``risk_band``, ``segment``; where the customers carry profit
        also ``profit``, ``value_band`` and ``profit_at_risk`` = risk × profit × horizon ×
        share_lost (a loss-maker risks nothing).
    """
    parts = [pd.DataFrame({"risk": s.per_customer(), "origin": s.origin}) for s in scores]
    table = pd.concat(parts).sort_index()
    table["risk_band"] = _banded(table["risk"], segmentation.risk, "segmentation.risk")
    if customers.profit is None:
        return table.assign(segment=table["risk_band"] + " risk")
    table["profit"] = customers.profit.loc[table.index]
    table["value_band"] = _banded(table["profit"], segmentation.value, "segmentation.value")
    lost = segmentation.horizon * segmentation.share_lost
    table["profit_at_risk"] = table["risk"] * table["profit"].clip(lower=0).fillna(0) * lost
    return table.assign(segment=table["risk_band"] + " risk · " + table["value_band"] + " value")


def _banded(values: pd.Series, bands: Bands, where: str) -> pd.Series:
    """The name of the highest band that begins at or below each value.

    A value below the lowest band, or missing, belongs to the lowest: every customer has a place.
    """
    if not bands.bands:
        raise RetainError(f"{where}.bands is empty; expected at least one name: lower bound.")
    ordered = sorted(bands.bands.items(), key=lambda item: item[1])
    names = np.array([name for name, _ in ordered])
    begins = np.array([begin for _, begin in ordered])
    if bands.scale == "quantile":
        if begins.min() < 0 or begins.max() > 1:
            raise RetainError(f"{where}.bands are quantiles; expected bounds within 0 to 1.")
        begins = values.quantile(begins).to_numpy()
    place = np.searchsorted(begins, values.fillna(-np.inf), side="right") - 1
    return pd.Series(names[np.clip(place, 0, None)], index=values.index)


def profiles(table: pd.DataFrame, customers: Customers) -> pd.DataFrame:
    """What each segment is, most profit at risk first.

    Returns
    -------
    DataFrame
        ``segment, customers, share, risk, risk_low, risk_high``; with profit also ``profit,
        profit_at_risk``; with consent also ``contactable`` (share); ``differs``: the features
        that differ most from all other customers, in standard deviations.
    """
    features = customers.features.loc[table.index]
    rows = [_profile(name, part, table, customers, features) for name, part in _parts(table)]
    by = "profit_at_risk" if "profit" in table else "risk"
    return pd.DataFrame(rows).sort_values(by, ascending=False, ignore_index=True)


def _parts(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for name, part in table.groupby("segment", sort=True):
        yield str(name), part


def _profile(
    name: str,
    part: pd.DataFrame,
    table: pd.DataFrame,
    customers: Customers,
    features: pd.DataFrame,
) -> dict[str, Any]:
    risk, low, high = mean_interval(part["risk"].to_numpy())
    row: dict[str, Any] = {
        "segment": name,
        "customers": len(part),
        "share": len(part) / len(table),
        "risk": risk,
        "risk_low": max(low, 0.0),
        "risk_high": min(high, 1.0),
    }
    if "profit" in table:
        row |= {"profit": part["profit"].sum(), "profit_at_risk": part["profit_at_risk"].sum()}
    if customers.contactable is not None:
        row["contactable"] = customers.contactable.loc[part.index].mean()
    differences = distinct(features, table["segment"].to_numpy() == name)
    return {**row, "differs": "; ".join(differences[:DISTINCT])}


def distinct(features: pd.DataFrame, inside: np.ndarray) -> list[str]:
    """How customers inside differ from all others, largest standardised difference first.

    Numbers by their means, categories by the value whose share differs most; the difference is
    divided by the standard deviation over all customers.

    >>> pages = pd.DataFrame({"pages": [1.0, 2.0, 8.0, 9.0]})
    >>> distinct(pages, np.array([True, True, False, False]))
    ['pages 1.5 against 8.5 (−2.0 sd)']
    """
    if inside.all():
        return []
    found = [_difference(features[name], inside) for name in features]
    told = [one for one in found if one is not None]
    return [text for _, text in sorted(told, key=lambda one: -abs(one[0]))]


def _difference(values: pd.Series, inside: np.ndarray) -> tuple[float, str] | None:
    if pd.api.types.is_numeric_dtype(values):
        return _standardised(str(values.name), values, inside, percent=False)
    shares = [
        _standardised(f"{values.name} = {level}", values == level, inside, percent=True)
        for level in values.value_counts().index[:30]
    ]
    return max((s for s in shares if s is not None), key=lambda s: abs(s[0]), default=None)


def _short(number: float) -> str:
    """Three digits that matter, without an exponent."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def _standardised(
    name: str, values: pd.Series, inside: np.ndarray, *, percent: bool
) -> tuple[float, str] | None:
    numbers = values.astype(float)
    spread = numbers.std(ddof=0)
    here, there = numbers[inside].mean(), numbers[~inside].mean()
    if not (np.isfinite(here) and np.isfinite(there) and spread > 0):
        return None
    size = (here - there) / spread
    shown = [f"{100 * x:.0f} %" if percent else _short(x) for x in (here, there)]
    sign = "−" if size < 0 else "+"
    return size, f"{name} {shown[0]} against {shown[1]} ({sign}{abs(size):.1f} sd)"
