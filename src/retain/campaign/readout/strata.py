"""Strata of a campaign: customers who are compared with each other, and their numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

MIN_STRATUM_CUSTOMERS = 5
"""Observed customers in either arm below which strata are merged."""
MIN_RISK_GROUP_CUSTOMERS = 20
"""Observed customers in the smaller arm of each risk group of a stratum, on average."""
MAX_RISK_GROUPS = 5
"""Most risk groups of a stratum; five remove about nine tenths of the variance (Cochran 1968)."""


class StratumCounts(NamedTuple):
    """Events and customers by stratum and arm, each of shape (strata,)."""

    treated_events: np.ndarray
    treated: np.ndarray
    control_events: np.ndarray
    control: np.ndarray


def assign_strata(segment: pd.Series, offer: pd.Series, treated: np.ndarray) -> np.ndarray:
    """Return the stratum of each customer, 0, 1 …, shape (n,): segment × offer, small ones merged.

    Strata of fewer than ``MIN_STRATUM_CUSTOMERS`` in an arm are collapsed (Cochran 1977, 5A.12).
    All customers had the same chance to be in the control group, so this adds no bias.

    >>> many, few = ["a"] * 10, ["b", "c"]
    >>> treated = np.array([True, False] * 6)
    >>> assign_strata(pd.Series(many + few), pd.Series(many + few), treated).tolist()
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    """
    segments, (offers, names) = pd.factorize(segment)[0], pd.factorize(offer)
    codes = np.unique(segments * len(names) + offers, return_inverse=True)[1]
    return merge_small_strata(codes, treated)


def merge_small_strata(codes: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Return the strata, 0, 1 …, with all that have few customers in an arm made one, shape (n,).

    >>> treated = np.array([True, False] * 6)
    >>> merge_small_strata(np.repeat([0, 1, 2], [10, 1, 1]), treated).tolist()
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    """
    is_large = np.minimum(*count_arms(codes, treated)) >= MIN_STRATUM_CUSTOMERS
    merged = np.where(is_large, np.cumsum(is_large), 0)
    return np.unique(merged[codes], return_inverse=True)[1]


def split_by_risk(stratum: np.ndarray, risk: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Return strata divided by planned risk into groups of about equal size, shape (n,).

    Post-stratification (Miratrix, Sekhon & Yu 2013) by what was known when the campaign was
    planned: the difference is compared among customers of like risk. A stratum is divided only as
    far as ``MIN_RISK_GROUP_CUSTOMERS`` allows.

    >>> treated = np.arange(80) % 2 == 0
    >>> groups = split_by_risk(np.zeros(80, int), np.linspace(0, 1, 80), treated)
    >>> np.bincount(groups).tolist(), groups[[0, -1]].tolist()
    ([40, 40], [0, 1])
    """
    counts = count_arms(stratum, treated)
    sizes = counts[0] + counts[1]
    n_groups = np.clip(np.minimum(*counts) // MIN_RISK_GROUP_CUSTOMERS, 1, MAX_RISK_GROUPS)
    order = np.lexsort((risk, stratum))
    rank = np.empty(len(stratum), dtype=int)
    rank[order] = np.arange(len(stratum)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    group = rank * n_groups[stratum] // sizes[stratum]
    return np.asarray((np.cumsum(n_groups) - n_groups)[stratum] + group)


def count_arms(stratum: np.ndarray, treated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of treated and of control customers in each stratum."""
    size = int(stratum.max(initial=-1)) + 1
    return (
        np.bincount(stratum[treated], minlength=size),
        np.bincount(stratum[~treated], minlength=size),
    )


def count_by_stratum(events: np.ndarray, treated: np.ndarray, stratum: np.ndarray) -> StratumCounts:
    """Count events, which are 1 or 0, and customers in each stratum and arm.

    >>> treated = np.array([True, True, False])
    >>> count_by_stratum(np.array([1, 0, 1]), treated, np.zeros(3, int)).treated
    array([2.])
    """
    size = int(stratum.max(initial=-1)) + 1
    sums = [
        np.bincount(stratum[arm], weights=weights[arm], minlength=size)
        for arm in (treated, ~treated)
        for weights in (events, np.ones(len(events)))
    ]
    return StratumCounts(*sums)


def stratum_weights(treated: np.ndarray, control: np.ndarray) -> np.ndarray:
    """Return the weight of each stratum in a difference, in total 1: treated × control ÷ both.

    >>> stratum_weights(np.array([80, 8]), np.array([20, 2])).round(3).tolist()
    [0.909, 0.091]
    """
    weight = treated * control / np.maximum(treated + control, 1)
    return np.asarray(weight / weight.sum())
