"""Bands of risk and of value: where each begins among given customers, and who stands in which.

May import: errors, schema.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from retain.errors import RetainError
from retain.schema import Bands

NEVER = math.nextafter(1, 2)
"""Where a band of risk begins in which nobody can stand."""


def check(bands: Bands, of: Literal["risk", "value"], break_even_risk: float | None) -> None:
    """Refuse bands that cannot be meant.

    Raises
    ------
    RetainError
        When there is no band, one begins where nothing can, or bands are multiples of a risk that
        is not known.
    """
    where = f"segmentation.{of}.bands"
    if not bands.bands:
        raise RetainError(f"{where} is empty; expected at least one name: where it begins.")
    if bands.scale == "break_even":
        _check_break_even(of, break_even_risk)
    low, high, what = _range(bands, of)
    for name, begin in bands.bands.items():
        if not (low <= begin <= high and math.isfinite(begin)):
            raise RetainError.at(f"{where}.{name}", f"it is {begin:g}", f"expected {what}")


def settled(bands: Bands, values: np.ndarray, break_even_risk: float | None = None) -> Bands:
    """The same bands, lowest first, each beginning at a number.

    Parameters
    ----------
    values
        What quantiles are taken of; NaN where it is not known.
    break_even_risk
        What bands of the scale ``break_even`` are multiples of; infinity where nothing pays.

    >>> halves = Bands(scale="quantile", bands={"high": 0.5, "low": 0})
    >>> settled(halves, np.array([1.0, 2.0, 3.0, np.nan])).bands
    {'low': 1.0, 'high': 2.0}
    """
    ordered = _ordered(bands)
    begins = np.array(list(ordered.values()), dtype=float)
    known = values[~np.isnan(values)]
    if bands.scale == "quantile" and len(known):
        begins = np.quantile(known, begins)
    elif bands.scale == "break_even" and break_even_risk is not None:
        # what never pays breaks even at infinity, of which there is no zeroth part
        begins = np.minimum(begins * np.clip(break_even_risk, 0, 1e300), NEVER)
    numbers = dict(zip(ordered, begins.tolist(), strict=True))
    return bands.model_copy(update={"scale": "given", "bands": numbers})


def banded(bands: Bands, values: np.ndarray) -> np.ndarray:
    """The place of each value's band among settled ones: the highest that begins at or below it.

    A value below the lowest band, or not known, belongs to the lowest: every customer has a place.

    >>> banded(Bands(scale="given", bands={"low": 0, "high": 5}), np.array([-1, 5, np.nan]))
    array([0, 1, 0])
    """
    begins = np.array(list(bands.bands.values()))
    known = np.where(np.isnan(values), -math.inf, values)
    return (np.searchsorted(begins, known, side="right") - 1).clip(0)


def _ordered(bands: Bands) -> dict[str, float]:
    return dict(sorted(bands.bands.items(), key=lambda one: one[1]))


def _check_break_even(of: Literal["risk", "value"], break_even_risk: float | None) -> None:
    if of == "value":
        at = "segmentation.value.scale"
        raise RetainError.at(at, "it is 'break_even'", "of value, expected given or quantile")
    if break_even_risk is None or math.isnan(break_even_risk):
        raise RetainError(
            "segmentation.risk.scale is 'break_even', but without a campaign nobody knows the risk "
            "from which an offer pays; plan one, or type segmentation.risk.scale=given with "
            "probabilities."
        )


def _range(bands: Bands, of: Literal["risk", "value"]) -> tuple[float, float, str]:
    """Between which numbers bands may begin, and what those are called."""
    if bands.scale == "quantile":
        return 0, 1, "a quantile, 0 to 1"
    if bands.scale == "break_even":
        return 0, math.inf, "a finite multiple of the risk that pays, 0 or more"
    if of == "risk":
        return 0, NEVER, "a probability, 0 to 1"
    return -math.inf, math.inf, "a finite amount"
