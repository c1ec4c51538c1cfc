"""Covariates of a trial as numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

MIN_LEVEL_SHARE = 0.01
"""Share of customers below which a level, or missing values, get no column of their own."""
MAX_LEVELS = 20
"""Most levels of a category that get a column of their own, the most frequent first."""
_BOTH = 2


class Encoded(NamedTuple):
    """Covariates as numbers without missing ones, and the covariate and level of each column."""

    matrix: np.ndarray
    covariate: tuple[str, ...]
    level: tuple[str, ...]


def encode_covariates(covariates: pd.DataFrame) -> Encoded:
    """Return numbers as they are, and a column of 0 and 1 for each level and for missing values.

    A missing number is the mean of the others. Constant columns are left out.

    >>> encode_covariates(pd.DataFrame({"age": [20.0, 40.0, np.nan], "zip": ["a", "b", "b"]}))
    ... # doctest: +NORMALIZE_WHITESPACE
    Encoded(matrix=array([[20.,  0.,  1.], [40.,  0.,  0.], [30.,  1.,  0.]]),
            covariate=('age', 'age', 'zip'), level=('', 'missing', 'a'))
    """
    columns: list[tuple[str, str, np.ndarray]] = []
    for name, cells in covariates.items():
        encode = _encode_number if pd.api.types.is_numeric_dtype(cells) else _encode_category
        columns += [(str(name), *one) for one in encode(cells)]
    columns = [one for one in columns if one[2].min() < one[2].max()]
    values = (
        np.stack([one[2] for one in columns], axis=1) if columns else np.empty((len(covariates), 0))
    )
    return Encoded(values, tuple(one[0] for one in columns), tuple(one[1] for one in columns))


def _encode_number(cells: pd.Series) -> list[tuple[str, np.ndarray]]:
    values = cells.to_numpy(dtype=float)
    missing = ~np.isfinite(values)
    if not missing.any():
        return [("", values)]
    mean = values[~missing].mean() if not missing.all() else 0.0
    columns = [("", np.where(missing, mean, values))]
    if missing.mean() >= MIN_LEVEL_SHARE:
        columns.append(("missing", missing.astype(float)))
    return columns


def _encode_category(cells: pd.Series) -> list[tuple[str, np.ndarray]]:
    """Return the levels; of two, the first in order stands for both."""
    codes, levels = pd.factorize(cells, sort=True)
    counts = np.bincount(codes + 1, minlength=len(levels) + 1)
    named = [("missing", counts[0], -1)]
    named += [(str(level), counts[code + 1], code) for code, level in enumerate(levels)]
    common = [one for one in named if one[1] >= max(MIN_LEVEL_SHARE * len(cells), 1)]
    if len(common) == _BOTH and common[0][1] + common[1][1] == len(cells):
        common = common[:1]
    common = sorted(common, key=lambda one: -one[1])[:MAX_LEVELS]
    return [(level, (codes == code).astype(float)) for level, _, code in common]
