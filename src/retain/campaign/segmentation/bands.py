"""Bands of risk or value: lower bounds on a scale, fitted to absolute numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

import numpy as np

from retain.errors import RetainError
from retain.schema.campaign import ThresholdBands

NEVER = math.nextafter(1, 2)
"""Lower bound of a band of risk that stays empty."""


def check_bands(
    bands: ThresholdBands, of: Literal["risk", "value"], break_even_risk: float | None
) -> None:
    """Raise for invalid bands.

    Raises
    ------
    RetainError
        There is no band, a bound is out of range, bands of value are of a scale of risk, or bands
        are multiples of a missing break-even risk.
    """
    where = f"segmentation.{of}.bands"
    if not bands.bands:
        raise RetainError(f"{where} is empty; expected at least one name: where it begins.")
    if bands.scale in ("break_even", "base_rate") and of == "value":
        found = f"it is {bands.scale!r}"
        raise RetainError.at(
            "segmentation.value.scale", found, "of value, expected absolute or quantile"
        )
    if bands.scale == "break_even":
        _check_break_even(break_even_risk)
    if bands.scale == "base_rate":
        _check_ascending(bands.bands, where)
    low, high, what = _range(bands, of)
    for name, begin in bands.bands.items():
        if not (low <= begin <= high and math.isfinite(begin)):
            raise RetainError.at(f"{where}.{name}", f"it is {begin:g}", f"expected {what}")


def fit_bands(
    bands: ThresholdBands, values: np.ndarray, break_even_risk: float | None = None
) -> ThresholdBands:
    """Return the bands with absolute lower bounds, lowest first.

    Parameters
    ----------
    values
        Values for quantiles, risks for the overall decline rate; NaN where missing.
    break_even_risk
        Unit of bands of the scale ``break_even``; infinity if no offer pays.

    >>> halves = ThresholdBands(scale="quantile", bands={"high": 0.5, "low": 0})
    >>> fit_bands(halves, np.array([1.0, 2.0, 3.0, np.nan])).bands
    {'low': 1.0, 'high': 2.0}
    """
    ordered = _sorted_bands(bands)
    begins = np.array(list(ordered.values()), dtype=float)
    observed = values[~np.isnan(values)]
    if bands.scale == "quantile" and len(observed):
        begins = np.quantile(observed, begins)
    elif bands.scale == "base_rate" and len(observed):
        begins = _multiply_odds(float(observed.mean()), begins)
    elif bands.scale == "break_even" and break_even_risk is not None:
        # an offer that never pays has an infinite break-even risk, and 0 × infinity is NaN
        begins = np.minimum(begins * np.clip(break_even_risk, 0, 1e300), NEVER)
    numbers = dict(zip(ordered, begins.tolist(), strict=True))
    return bands.model_copy(update={"scale": "absolute", "bands": numbers})


def _multiply_odds(rate: float, times: np.ndarray) -> np.ndarray:
    """Return the probabilities whose odds are multiples of those of a rate.

    Multiples of the rate itself would pass 1 where most decline.

    >>> _multiply_odds(0.02, np.array([0, 1, 3])).round(3), _multiply_odds(0.6, np.array([3]))
    (array([0.   , 0.02 , 0.058]), array([0.81818182]))
    """
    return np.asarray(times * rate / (times * rate + (1 - rate)) if rate < 1 else times * 0 + rate)


def assign_bands(bands: ThresholdBands, values: np.ndarray) -> np.ndarray:
    """Return the index of each value's band: the highest that begins at or below it.

    Values below the lowest band and missing values belong to the lowest band.

    >>> bands = ThresholdBands(scale="absolute", bands={"low": 0, "high": 5})
    >>> assign_bands(bands, np.array([-1, 5, np.nan]))
    array([0, 1, 0])
    """
    begins = np.array(list(bands.bands.values()))
    filled = np.where(np.isnan(values), -math.inf, values)
    return (np.searchsorted(begins, filled, side="right") - 1).clip(0)


def _sorted_bands(bands: ThresholdBands) -> dict[str, float]:
    return dict(sorted(bands.bands.items(), key=lambda one: one[1]))


def _check_ascending(begins: Mapping[str, float], where: str) -> None:
    """Raise if a band begins below the one before: a probability was typed for a multiple."""
    for (name, begin), (after, its) in pairwise(begins.items()):
        if its <= begin:
            raise RetainError(
                f"{where}.{after} is {its:g}, and {name} before it begins at {begin:g}; expected "
                "multiples of the odds of the overall decline rate, each above the one before. For "
                "probabilities type every band, and segmentation.risk.scale=absolute."
            )


def _check_break_even(break_even_risk: float | None) -> None:
    if break_even_risk is None or math.isnan(break_even_risk):
        raise RetainError(
            "segmentation.risk.scale is 'break_even', but without a campaign nobody knows the risk "
            "from which an offer pays; plan one, or type segmentation.risk.scale=absolute with "
            "probabilities."
        )


def _range(bands: ThresholdBands, of: Literal["risk", "value"]) -> tuple[float, float, str]:
    """Return the range of lower bounds of bands, and its description."""
    if bands.scale == "quantile":
        return 0, 1, "a quantile, 0 to 1"
    if bands.scale == "break_even":
        return 0, math.inf, "a finite multiple of the risk that pays, 0 or more"
    if bands.scale == "base_rate":
        return 0, 1e6, "a multiple of the odds of the overall decline rate, 0 to a million"
    if of == "risk":
        return 0, NEVER, "a probability, 0 to 1"
    return -math.inf, math.inf, "a finite amount"
