"""Comparison of saved values with recomputed ones, up to rounding, to the first that differs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from retain.record.manifest import DisagreementError

TOLERANCE = 1e-9
"""Largest difference of a number from the recomputed one, relative to it where it is above 1."""
MAX_QUOTED = 120
"""Longest text of a value in a message."""


def count_equal(saved: Any, recomputed: Any, where: str) -> int:
    """Return the number of values in two equal trees of JSON's types.

    Raises
    ------
    DisagreementError
        With the place of the first value that differs.

    >>> count_equal({"auc": [0.5, 1]}, {"auc": [0.5 + 1e-12, 1]}, "verdict.json")
    2
    >>> count_equal({"auc": [0.5, 1]}, {"auc": [0.6, 1]}, "verdict.json")
    Traceback (most recent call last):
    ...
    retain.record.manifest.DisagreementError: verdict.json: auc[0] is 0.5, recomputed it is 0.6.
    """
    return _count(saved, recomputed, where, "")


def _count(saved: Any, recomputed: Any, where: str, key: str) -> int:
    if isinstance(saved, Mapping) and isinstance(recomputed, Mapping):
        if other := sorted(saved.keys() ^ recomputed.keys()):
            found = "there" if other[0] in saved else "missing"
            raise DisagreementError(
                f"{where}: {_join(key, other[0])} is {found}, recomputed it is not."
            )
        pairs = ((saved[name], recomputed[name], _join(key, name)) for name in saved)
        return sum(_count(one, two, where, place) for one, two, place in pairs)
    if _is_list(saved) and _is_list(recomputed):
        if len(saved) != len(recomputed):
            raise _differs(where, f"the length of {key}", len(saved), len(recomputed))
        both = enumerate(zip(saved, recomputed, strict=True))
        return sum(_count(one, two, where, f"{key}[{row}]") for row, (one, two) in both)
    if not _is_equal(saved, recomputed):
        raise _differs(where, key, saved, recomputed)
    return 1


def _join(key: str, name: object) -> str:
    return f"{key}.{name}" if key else str(name)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_equal(saved: Any, recomputed: Any) -> bool:
    numbers = (saved, recomputed)
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in numbers):
        return type(saved) is type(recomputed) and bool(saved == recomputed)
    if any(isinstance(one, float) for one in numbers):
        return math.isclose(saved, recomputed, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(saved == recomputed)


def _differs(where: str, key: str, saved: Any, recomputed: Any) -> DisagreementError:
    one, other = (repr(value)[:MAX_QUOTED] for value in (saved, recomputed))
    return DisagreementError(f"{where}: {key} is {one}, recomputed it is {other}.")


def count_equal_cells(saved: pd.DataFrame, recomputed: pd.DataFrame, where: str) -> int:
    """Return the number of cells of two equal tables of texts, numbers up to rounding.

    Raises
    ------
    DisagreementError
        With the column and the row of the first cell that differs.
    """
    count = count_equal(list(saved), list(recomputed), f"{where}, headings")
    for name in saved:
        one, other = saved[name], recomputed[name]
        if len(one) != len(other):
            raise _differs(where, "the number of rows", len(one), len(other))
        for row in (one.to_numpy() != other.to_numpy()).nonzero()[0]:
            texts = one.iloc[row], other.iloc[row]
            if not _is_equal(*map(_to_number, texts)):
                raise _differs(where, f"{name} in row {row + 1}", *texts)
        count += len(one)
    return count


def _to_number(text: str) -> float | str:
    """Return the number of a cell, or its text if it is none."""
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text
    return number if math.isfinite(number) else text
