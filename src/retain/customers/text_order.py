"""Ids in the order of their texts, whole numbers and texts alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_TENS = 10 ** np.arange(19)  # all that fit int64


def natural_sort_order(ids: pd.Index) -> np.ndarray:
    """Return the positions of ids in the order of their texts.

    >>> natural_sort_order(pd.Index([9, 10, 100])).tolist()
    [1, 2, 0]
    """
    if ids.dtype == "int64" and ids.min() >= 0 and ids.max() < _TENS[-1]:
        return _by_digits(ids.to_numpy())
    return np.asarray(pc.array_sort_indices(pa.array(ids.astype(str)))).astype(np.int64)


def _by_digits(numbers: np.ndarray) -> np.ndarray:
    """Return the places of whole numbers from 0 on in the order of their texts.

    With zeros on the right to the same length they are in that order, the shorter of two alike
    first.
    """
    zeros = len(_TENS) - 2 - np.searchsorted(_TENS[1:], numbers, side="right")
    ascending = np.argsort(numbers, kind="stable")
    filled = (numbers * _TENS[zeros])[ascending]
    places: np.ndarray = ascending[np.argsort(filled, kind="stable")]
    return places
