"""Subgroups of a trial's customers by what was known of them: levels of categories, bands."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd

from retain.record.subgroups_document import SubgroupKind
from retain.wording import MINUS, format_significant

MAX_COVARIATES = 20
"""Covariates that customers are split by, the first of the table."""
MAX_LEVELS = 5
"""Levels of a category with a subgroup of their own, the most frequent; all others are one."""
MIN_SHARE = 0.05
"""Share of customers below which a level, or missing values, get no subgroup of their own."""
N_BANDS = 3
"""Bands of a number, of about equal size."""


@dataclass(frozen=True)
class SubgroupName:
    """A subgroup: its name as the page has it, and what it is."""

    text: str
    kind: SubgroupKind


@dataclass(frozen=True)
class CovariateSplit:
    """All customers of a trial by one covariate.

    Attributes
    ----------
    names
        Of the subgroups, two or more.
    code
        Position in ``names`` of each customer's subgroup, shape (n,); −1 for customers in none.
    """

    covariate: str
    names: tuple[SubgroupName, ...]
    code: np.ndarray


def split_customers(
    covariates: pd.DataFrame, dates: Collection[str] = ()
) -> tuple[list[CovariateSplit], tuple[str, ...]]:
    """Return the customers split by each covariate, and the covariates beyond the most.

    No outcome has a say in it. Covariates of which nearly all customers have one level are passed
    over. ``dates`` are in days since 1970.

    >>> table = pd.DataFrame({"age": [20, 31, 40, 50, 60, 70], "town": list("aabbbb"), "one": 1})
    >>> for split in split_customers(table)[0]:
    ...     print(split.covariate, [one.text for one in split.names], split.code.tolist())
    age ['≤ 37', '37 – 53.3', '> 53.3'] [0, 0, 1, 1, 2, 2]
    town ['a', 'b'] [0, 0, 1, 1, 1, 1]
    """
    found = [
        split
        for name in covariates
        if (split := split_by(str(name), covariates[name], is_date=name in dates))
    ]
    return found[:MAX_COVARIATES], tuple(one.covariate for one in found[MAX_COVARIATES:])


def split_by(name: str, cells: pd.Series, *, is_date: bool = False) -> CovariateSplit | None:
    """Return the customers split by a covariate; None if they would be one subgroup."""
    name_level, name_edges = (_name_day, _name_days) if is_date else (_name_level, _name_edges)
    values = cells.nunique()
    is_number = pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells)
    masks = _find_bands(cells, name_edges) if is_number and values > MAX_LEVELS else {}
    masks = masks or _find_levels(cells, name_level)
    missing = cells.isna().to_numpy()
    if missing.mean() >= MIN_SHARE:
        masks |= {SubgroupName("", "missing"): missing}
    code = np.full(len(cells), -1)
    for index, mask in enumerate(masks.values()):
        code[mask] = index
    return CovariateSplit(name, tuple(masks), code) if len(masks) > 1 else None


def _find_bands(
    cells: pd.Series, name_edges: Callable[[np.ndarray], list[str]]
) -> dict[SubgroupName, np.ndarray]:
    """Return the customers of each band of a number; none if most have its highest value."""
    values = cells.to_numpy(dtype=float, na_value=np.nan)
    inner = np.linspace(0, 1, N_BANDS + 1)[1:-1]
    edges = np.unique(np.nanquantile(values, inner))
    edges = edges[edges < np.nanmax(values)]
    if len(edges) == 0:
        return {}
    code = np.searchsorted(edges, values)  # a value at an edge is in the band that it ends
    ends = name_edges(edges)
    texts = [
        f"≤ {ends[0]}",
        *(f"{low} – {high}" for low, high in pairwise(ends)),
        f"> {ends[-1]}",
    ]
    return {
        SubgroupName(text, "band"): (code == index) & np.isfinite(values)
        for index, text in enumerate(texts)
    }


def _name_edges(edges: np.ndarray) -> list[str]:
    """Return the ends of bands with three digits, or as many as tell them apart.

    >>> _name_edges(np.array([-1.5, 20.25])), _name_edges(np.array([0.12341, 0.12349]))
    (['−1.5', '20.3'], ['0.1234', '0.1235'])
    """
    for digits in range(3, 18):
        names = [format_significant(edge, digits).replace("-", MINUS) for edge in edges.tolist()]
        if len(set(names)) == len(names):
            break
    return names


def _find_levels(
    cells: pd.Series, name_level: Callable[[float], str]
) -> dict[SubgroupName, np.ndarray]:
    """Return the customers of each frequent level, and those of all others together."""
    counts = cells.value_counts()
    largest = counts[counts >= MIN_SHARE * len(cells)].index[:MAX_LEVELS]
    frequent = [level for level in pd.factorize(cells, sort=True)[1] if level in largest]
    masks: dict[SubgroupName, np.ndarray] = {
        SubgroupName(name_level(level), "level"): (cells == level).fillna(False).to_numpy(bool)
        for level in frequent
    }
    others = cells.notna().to_numpy() & ~cells.isin(frequent).to_numpy()
    if others.mean() >= MIN_SHARE:
        masks |= {SubgroupName("", "other"): others}
    return masks


def _name_days(edges: np.ndarray) -> list[str]:
    return [_name_day(edge) for edge in edges.tolist()]


def _name_day(day: float) -> str:
    """Return a day since 1970 as a date; of a quantile between two days, the earlier.

    >>> _name_day(18218.5)
    '2019-11-18'
    """
    return str(date(1970, 1, 1) + timedelta(days=math.floor(day)))


def _name_level(level: object) -> str:
    """Return a level as text, a whole number without decimals.

    >>> _name_level(2.0), _name_level("web"), _name_level(True)
    ('2', 'web', 'True')
    """
    is_whole = isinstance(level, float) and level.is_integer()
    return f"{level:.0f}" if is_whole else str(level)
