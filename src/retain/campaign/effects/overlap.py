"""Overlap: customers like those of a trial; nothing is known of the effect on others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retain.errors import RetainError, examples


def select_covariates(
    customers: pd.DataFrame, tried: pd.DataFrame, where: str = "effects.from"
) -> pd.DataFrame:
    """Return the covariates of a trial from what is known of other customers.

    Raises
    ------
    RetainError
        A covariate is not known of them, or is a number there and a category here.
    """
    missing = [str(name) for name in tried if name not in customers]
    if missing:
        raise RetainError(
            f"{where}: effects were learned from what these customers have not: "
            f"{examples(missing, 20)}; expected campaigns of this store, with the same features."
        )
    found = customers[list(tried)]
    other = [str(name) for name in tried if _is_number(found[name]) != _is_number(tried[name])]
    if other:
        raise RetainError(
            f"{where}: {examples(other, 20)} is a number in one of campaign and customers, and a "
            "category in the other; expected the same meaning in both."
        )
    return found


def find_comparable(customers: pd.DataFrame, tried: pd.DataFrame) -> np.ndarray:
    """Return a mask of the customers like those of a trial, shape (n,).

    Each number lies in the range found there and each category is one found there; a value may be
    missing only if it was missing there.

    >>> tried = pd.DataFrame({"age": [20.0, 40.0], "city": ["A", None]})
    >>> customers = pd.DataFrame({"age": [30.0, 41.0, 20.0, None], "city": ["A", "A", "B", None]})
    >>> find_comparable(customers, tried).tolist()
    [True, False, False, False]
    """
    comparable = np.ones(len(customers), dtype=bool)
    for name in tried:
        comparable &= _is_found(customers[name], tried[name])
    return comparable


def _is_found(cells: pd.Series, tried: pd.Series) -> np.ndarray:
    missing = cells.isna().to_numpy()
    if _is_number(tried):
        values, known = cells.to_numpy(dtype=float), tried.to_numpy(dtype=float)
        low, high = np.nanmin(known, initial=np.inf), np.nanmax(known, initial=-np.inf)
        found = (values >= low) & (values <= high)
    else:
        found = _texts(cells).isin(set(_texts(tried.dropna()))).to_numpy(dtype=bool)
    return np.where(missing, tried.isna().any(), found)


def _texts(cells: pd.Series) -> pd.Series:
    return cells.astype(object).map(str)


def _is_number(cells: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(cells))
