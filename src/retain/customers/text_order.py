"""Order of ids by their texts, for whole numbers and texts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_TENS = 10 ** np.arange(19)  # all powers of ten within int64


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
