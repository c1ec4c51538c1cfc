"""Strata of a campaign: customers who are compared with each other, and their numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from retain.campaign.assignment import Assignment

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


def assign_strata(customers: pd.DataFrame, treated: np.ndarray) -> np.ndarray:
    """Return the stratum of each customer, 0, 1 …, shape (n,): segment × offer × propensity.

    ``customers`` are rows of the campaign. Strata of fewer than ``MIN_STRATUM_CUSTOMERS`` in an arm
    are collapsed (Cochran 1977, 5A.12), those of one propensity first. Customers of one propensity
    had the same chance to be in the control group, so this adds no bias; where others remain, it
    takes the weights of ``count_by_stratum``.

    >>> names = ["a"] * 10 + ["b", "c"]
    >>> customers = pd.DataFrame({"segment": names, "offer": names, "propensity": 0.5})
    >>> assign_strata(customers, np.array([True, False] * 6)).tolist()
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    """
    level = np.unique(customers["propensity"], return_inverse=True)[1]
    if level.any():
        return merge_small_strata(level, treated)
    segments, (offers, names) = (
        pd.factorize(customers["segment"])[0],
        pd.factorize(customers["offer"]),
    )
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


def count_by_stratum(
    events: np.ndarray,
    treated: np.ndarray,
    stratum: np.ndarray,
    weight: np.ndarray | None = None,
) -> StratumCounts:
    """Count events, which are 1 or 0, and customers in each stratum and arm.

    With weights, shape (n,), the effective counts: as many customers as are worth the weighted ones
    (Kish 1965), and of them the weighted share of events. Equal weights change no count.

    >>> treated = np.array([True, True, False])
    >>> count_by_stratum(np.array([1, 0, 1]), treated, np.zeros(3, int)).treated
    array([2.])
    """
    size = int(stratum.max(initial=-1)) + 1
    if weight is None:
        weight = np.ones(len(events))
    counts = []
    for arm in (treated, ~treated):
        total, squares, hits = (
            np.bincount(stratum[arm], weights=values[arm], minlength=size)
            for values in (weight, weight**2, weight * events)
        )
        effective = total / np.where(squares > 0, squares, 1.0)
        counts += [hits * effective, total * effective]
    return StratumCounts(*counts)


def standardise(counts: StratumCounts, n_treated: np.ndarray) -> StratumCounts:
    """Return effective counts of one stratum: the shares of both arms among the treated.

    Each arm's shares are weighted by the treated customers of the strata, ``n_treated``, of shape
    (strata,). The customers counted are as many as would give a share the same variance (Korn &
    Graubard 1998), with half an event added to either outcome in each stratum, so that one without
    events does not count as known for sure. Strata that lack an arm are left out.

    >>> two = np.array([10.0, 10.0])
    >>> found = standardise(StratumCounts(two / 2, two, two / 5, two), two)
    >>> [round(float(count[0]), 3) for count in found]
    [10.0, 20.0, 4.0, 20.0]
    """
    events, totals = np.stack(counts[::2]), np.stack(counts[1::2])
    weight = np.where(totals.min(axis=0) > 0, n_treated, 0.0)
    weight = weight / max(weight.sum(), 1.0)
    totals = np.where(totals > 0, totals, 1.0)
    share, smooth = events / totals, (events + 0.5) / (totals + 1)
    variance = (weight**2 * smooth * (1 - smooth) / totals).sum(axis=1)
    expected = smooth @ weight
    effective = expected * (1 - expected) / np.maximum(variance, np.finfo(float).tiny)
    found = share @ weight
    arms = [(found[arm] * effective[arm], effective[arm]) for arm in (0, 1)]
    return StratumCounts(*(np.array([count]) for arm in arms for count in arm))


def count_standardised(
    events: np.ndarray, assignment: Assignment, rows: np.ndarray
) -> StratumCounts:
    """Return counts of events and customers of a mask in both arms, each of shape (1,).

    Where the shares of the control group differ, those of ``standardise``.
    """
    treated, events = assignment.is_treated[rows], events[rows].astype(float)
    if assignment.has_one_share:
        return count_by_stratum(events, treated, np.zeros(len(treated), dtype=int))
    stratum = assign_strata(assignment.table.loc[rows], treated)
    counts = count_by_stratum(events, treated, stratum, assignment.weight[rows])
    return standardise(counts, count_arms(stratum, treated)[0])


def stratum_weights(treated: np.ndarray, control: np.ndarray) -> np.ndarray:
    """Return the weight of each stratum in a difference, in total 1: treated × control ÷ both.

    >>> stratum_weights(np.array([80, 8]), np.array([20, 2])).round(3).tolist()
    [0.909, 0.091]
    """
    weight = treated * control / np.maximum(treated + control, 1)
    return np.asarray(weight / weight.sum())
