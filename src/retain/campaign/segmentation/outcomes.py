"""Observed declines of groups of customers: their intervals, and a test of the expected risk."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special

from retain.campaign.proportions import wilson
from retain.record.estimates import Estimate
from retain.record.segments_document import CalibrationCheck, RiskTenth
from retain.verdict.paired import holm
from retain.verdict.statistics import mid_p

MIN_CUSTOMERS = 20
"""Smallest number of customers of a group with an interval."""
LEVEL = 0.05
"""Probability that a table of calibrated risks has any flag."""
TENTHS = 10
Z = float(special.ndtri(0.975))


@dataclass(frozen=True)
class AudienceOutcomes:
    """The outcomes of an audience's customers, shape (n,) each, in its order.

    Attributes
    ----------
    declined
        1 where activity declined, else 0.
    expected
        Risk by a calibration that the customer's own outcome has no part in.
    duplicate_group
        Codes of duplicate groups.
    """

    declined: np.ndarray
    expected: np.ndarray
    duplicate_group: np.ndarray


@dataclass(frozen=True)
class Group:
    """Observed and expected declines of a group of customers.

    Attributes
    ----------
    effective
        Number of customers, less what duplicates say twice (Kish 1965).
    share, low, high
        Observed share of decliners with its 95 % interval (Wilson 1927).
    expected
        Mean expected risk.
    p
        Of the observed share if risks were as expected, corrected over the table (Holm 1979);
        None below ``MIN_CUSTOMERS``.
    """

    customers: int
    declined: int
    effective: float
    share: float
    low: float
    high: float
    expected: float
    p: float | None = None

    @property
    def has_interval(self) -> bool:
        """True if there are customers enough for an interval."""
        return self.customers >= MIN_CUSTOMERS

    @property
    def is_miscalibrated(self) -> bool:
        """True if the observed share differs from the expected one."""
        return self.p is not None and self.p < LEVEL

    @property
    def risk(self) -> Estimate | None:
        """The observed share with its interval; None with too few customers."""
        return Estimate(self.share, self.low, self.high) if self.has_interval else None

    def as_tenth(self, tenth: int) -> RiskTenth:
        """Return the group as a tenth of the customers by risk."""
        return RiskTenth(
            tenth=tenth,
            n_customers=self.customers,
            n_declined=self.declined,
            risk=self.risk,
            expected_risk=self.expected,
            p=self.p,
            is_miscalibrated=self.is_miscalibrated,
        )


@dataclass(frozen=True)
class ObservedTable:
    """Segments by name, and tenths of the risk, lowest first, in one family of tests."""

    segments: dict[str, Group]
    tenths: tuple[Group, ...]

    def check(self) -> CalibrationCheck:
        """Return the tenths and the number of tests and flags."""
        every = [*self.segments.values(), *self.tenths]
        return CalibrationCheck(
            level=LEVEL,
            n_tests=sum(one.p is not None for one in every),
            n_flagged_segments=sum(one.is_miscalibrated for one in self.segments.values()),
            n_flagged_tenths=sum(one.is_miscalibrated for one in self.tenths),
            tenths=tuple(one.as_tenth(n) for n, one in enumerate(self.tenths, 1)),
        )


def observe(outcomes: AudienceOutcomes, segments: np.ndarray, risk: np.ndarray) -> ObservedTable:
    """Return segments and tenths of ``risk`` with observed beside expected declines.

    The p-value of a group is the mid-p of its number of decliners under the binomial of the mean
    expected risk, two-sided. Its variance is at least that of unequal risks, so over a table of
    calibrated risks some flag appears with probability ``LEVEL`` at most.
    """
    names, codes = np.unique(np.asarray(segments, dtype=str), return_inverse=True)
    tenth = _tenths(risk)
    groups = [*_groups(outcomes, codes, len(names)), *_groups(outcomes, tenth, tenth.max() + 1)]
    tested = [one for one in groups if one.has_interval]
    p = (
        iter(holm(np.array([mid_p(one.share, one.effective, one.expected) for one in tested])))
        if tested
        else iter(())
    )
    tested = [replace(one, p=float(next(p))) if one.has_interval else one for one in groups]
    by_name = zip(map(str, names), tested[: len(names)], strict=True)
    return ObservedTable(dict(by_name), tuple(tested[len(names) :]))


def effective_size(
    code: np.ndarray, duplicate_group: np.ndarray, weight: np.ndarray, count: int
) -> np.ndarray:
    """Return (Σ w)² / Σ w² of each code, with weights summed by duplicate group (Kish 1965).

    >>> effective_size(np.zeros(4, int), np.array([0, 1, 2, 2]), np.ones(4), 1).round(2).tolist()
    [2.67]
    """
    width = int(duplicate_group.max()) + 1
    cells, index = np.unique(code * width + duplicate_group, return_inverse=True)
    total = np.bincount(index, weight)
    owner = cells // width
    square = np.bincount(owner, total**2, count)
    with np.errstate(invalid="ignore"):
        return np.where(square > 0, np.bincount(owner, total, count) ** 2 / square, 0.0)


def share_draws(share: np.ndarray, effective: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Return draws of shares whose quantiles are the bounds of Wilson's intervals.

    A draw of z ≥ 0 is the upper bound at that z, one below 0 the lower bound. Shapes: (K,), (K,)
    and (D,) give (K, D).

    >>> share_draws(np.array([0.3]), np.array([20.0]), np.array([-1.96, 0.0, 1.96])).round(3)
    array([[0.145, 0.3  , 0.519]])
    """
    events, total = (share * effective)[:, None], effective[:, None]
    low, high = wilson(events, total, np.abs(normal))
    return np.where(normal < 0, low, high)


def _tenths(risk: np.ndarray) -> np.ndarray:
    """Return the tenth of each risk, equal risks in one."""
    cut = pd.qcut(risk, TENTHS, labels=False, duplicates="drop")
    if pd.isna(cut).any():  # one risk for all
        return np.zeros(len(risk), dtype=int)
    return np.asarray(np.unique(cut, return_inverse=True)[1])


def _groups(outcomes: AudienceOutcomes, code: np.ndarray, count: int) -> list[Group]:
    customers = np.bincount(code, minlength=count)
    declined = np.bincount(code, outcomes.declined, count)
    expected = np.bincount(code, outcomes.expected, count) / customers
    effective = effective_size(code, outcomes.duplicate_group, np.ones(len(code)), count)
    share = declined / customers
    low, high = wilson(share * effective, effective, Z)
    rows = zip(customers, declined, effective, share, low, high, expected, strict=True)
    return [Group(int(n), int(events), *map(float, rest)) for n, events, *rest in rows]
