"""The strata a control group was drawn in, as far as they can be compared.

May import: nothing of the package.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

FEWEST = 5
"""Observed customers in either arm below which strata are read together."""


class Counts(NamedTuple):
    """Events and customers by stratum and arm, each of shape (strata,)."""

    treated_events: np.ndarray
    treated: np.ndarray
    control_events: np.ndarray
    control: np.ndarray


def strata(segment: pd.Series, offer: pd.Series, treated: np.ndarray) -> np.ndarray:
    """Stratum of each customer, 0, 1 …, shape (n,): segment × offer, the small ones as one.

    Strata of fewer than ``FEWEST`` in an arm are collapsed (Cochran 1977, 5A.12). Each customer
    had the same chance to be held out, so that together they compare as well as apart.

    >>> many, few = ["a"] * 10, ["b", "c"]
    >>> treated = np.array([True, False] * 6)
    >>> strata(pd.Series(many + few), pd.Series(many + few), treated).tolist()
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    """
    pairs = pd.DataFrame({"segment": segment.to_numpy(), "offer": offer.to_numpy()})
    codes = pairs.groupby(["segment", "offer"], sort=True).ngroup().to_numpy()
    size = int(codes.max(initial=-1)) + 1
    arms = [np.bincount(codes[arm], minlength=size) for arm in (treated, ~treated)]
    enough = np.minimum(*arms) >= FEWEST
    renamed = np.where(enough, np.cumsum(enough), 0)
    return np.asarray(renamed[codes])


def counts(events: np.ndarray, treated: np.ndarray, stratum: np.ndarray) -> Counts:
    """What happened in each stratum and arm; ``events`` are 1 and 0.

    >>> counts(np.array([1, 0, 1]), np.array([True, True, False]), np.zeros(3, int)).treated
    array([2.])
    """
    size = int(stratum.max(initial=-1)) + 1
    sums = [
        np.bincount(stratum[arm], weights=weights[arm], minlength=size)
        for arm in (treated, ~treated)
        for weights in (events, np.ones(len(events)))
    ]
    return Counts(*sums)


def weights(treated: np.ndarray, control: np.ndarray) -> np.ndarray:
    """Weight of each stratum in a difference, in all 1: treated × control ÷ both.

    >>> weights(np.array([80, 8]), np.array([20, 2])).round(3).tolist()
    [0.909, 0.091]
    """
    weight = treated * control / np.maximum(treated + control, 1)
    return np.asarray(weight / weight.sum())
