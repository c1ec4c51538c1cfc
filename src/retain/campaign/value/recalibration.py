"""Recalibration: what turns scores into probabilities of decline, and how it was chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from scipy import special

from retain.campaign.value.calibration_map import (
    CalibrationMap,
    ProfitScale,
    invalid_calibration,
    logit,
)

ENDS = ("value", "low", "high")
CURVE = np.linspace(0.005, 0.995, 100)
"""Scores at which the curve is drawn."""


@dataclass(frozen=True)
class Line:
    """Intercept and slope of the log-odds (Cox 1958), with the slope's 95 % interval."""

    intercept: float
    slope: float
    low: float
    high: float


@dataclass(frozen=True)
class ProfitTest:
    """Likelihood-ratio test whether profit tells more of the decline than the score.

    Attributes
    ----------
    statistic, degrees, p
        χ² statistic, degrees of freedom and p-value, on one customer of each duplicate group.
    level
        Profit is used if p is below.
    odds_ratio
        Odds of decline for one standard deviation more of the logarithm of profit, at its mean.
    """

    statistic: float
    degrees: int
    p: float
    level: float
    odds_ratio: float

    @property
    def is_used(self) -> bool:
        """True if profit enters the calibration."""
        return self.p < self.level


@dataclass(frozen=True)
class Recalibration:
    """Two calibration maps, learnt on out-of-fold scores.

    Attributes
    ----------
    out_of_fold
        Map of scores averaged over repeats.
    single_model
        Map of the scores of one model, learnt on (customer, repeat) rows: for the sealed test and
        for new customers. With one repeat it is the same map.
    line
        Two-parameter calibration of the averaged scores, which says how the raw scores err; slope
        0 if they tell nothing.
    log_loss
        Cross-validated log-loss by candidate and basis: ``{"out_of_fold": {basis: loss}, …}``;
        empty if there were too few customers to choose.
    profit_test
        None without profit, or with too few customers.
    customers, events
        Number of scored customers, and of decliners among them.
    """

    out_of_fold: CalibrationMap
    single_model: CalibrationMap
    customers: int
    events: int
    line: Line
    log_loss: Mapping[str, Mapping[str, float]] | None = None
    profit_test: ProfitTest | None = None

    @property
    def maps(self) -> tuple[CalibrationMap, CalibrationMap]:
        """The maps of averaged scores and of one model's scores."""
        return self.out_of_fold, self.single_model

    def probability(
        self, score: np.ndarray, profit: np.ndarray | None, single: np.ndarray
    ) -> np.ndarray:
        """Return the probability of decline; ``single`` marks scores of one model, shape (n,)."""
        averaged, one = (each.probability(score, profit) for each in self.maps)
        return np.where(single, one, averaged)

    def sensitivity(
        self, score: np.ndarray, profit: np.ndarray | None, single: np.ndarray
    ) -> np.ndarray:
        """Return the change of each probability by one unit of each shared normal, shape (n, P)."""
        averaged, one = (each.sensitivity(score, profit) for each in self.maps)
        width = max(averaged.shape[1], one.shape[1])
        averaged, one = (
            np.pad(each, ((0, 0), (0, width - each.shape[1]))) for each in (averaged, one)
        )
        return np.where(np.asarray(single)[:, None], one, averaged)

    def draws(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Sample coefficients of both maps from the same normal draws, shape (count, p) each."""
        width = max(len(one.coefficients) for one in self.maps)
        normal = np.random.default_rng(seed).standard_normal((count, width))
        return self.out_of_fold.draws(normal), self.single_model.draws(normal)

    def curve(self) -> dict[str, list[float]]:
        """Return the map of averaged scores with its 95 % band, at the mean profit."""
        one = self.out_of_fold
        design = one.design(logit(CURVE))
        eta = design @ one.coefficients
        reach = float(special.ndtri(0.975)) * np.linalg.norm(design @ one.factor, axis=1)
        ends = (eta - reach, eta, eta + reach)
        low, risk, high = (special.expit(end).tolist() for end in ends)
        return {"score": CURVE.tolist(), "risk": risk, "low": low, "high": high}

    def as_json(self) -> dict[str, Any]:
        """Return a plain dict, for ``from_json``."""
        line, test, profit = self.line, self.profit_test, self.out_of_fold.profit
        losses = self.log_loss or {}
        return {
            "n_customers": self.customers,
            "n_events": self.events,
            "intercept": line.intercept,
            "slope": {"value": line.slope, "low": line.low, "high": line.high},
            "out_of_fold": self.out_of_fold.as_json(),
            "single_model": self.single_model.as_json(),
            "profit": None if profit is None else asdict(profit),
            "log_loss": {name: dict(by_basis) for name, by_basis in losses.items()},
            "profit_test": None if test is None else {**asdict(test), "is_used": test.is_used},
            "curve": self.curve(),
        }

    @classmethod
    def from_json(cls, tree: Any) -> Self:
        """Return the maps of a result of ``as_json``, without how they were chosen.

        Raises
        ------
        RetainError
            The tree is invalid, or a number is not finite.

        >>> line = CalibrationMap("logit", np.array([0.1, 0.9]), np.eye(2) / 50)
        >>> tree = Recalibration(line, line, 100, 40, Line(0.1, 0.9, 0.8, 1.0)).as_json()
        >>> Recalibration.from_json(tree).as_json() == tree
        True
        """
        try:
            profit, maps = tree["profit"], (tree["out_of_fold"], tree["single_model"])
            counts = int(tree["n_customers"]), int(tree["n_events"])
            slope = tree["slope"]
            line = Line(*map(float, (tree["intercept"], *(slope[k] for k in ENDS))))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise invalid_calibration("recalibration", problem) from None
        if not np.isfinite([*asdict(line).values()]).all():
            raise invalid_calibration("recalibration", "a slope that is not finite")
        scale = None if profit is None else _read_profit(profit)
        averaged, single = (
            CalibrationMap.from_json(one, scale, f"recalibration.{name}")
            for name, one in zip(("out_of_fold", "single_model"), maps, strict=True)
        )
        return cls(averaged, single, *counts, line)


def _read_profit(tree: Any) -> ProfitScale:
    where = "recalibration.profit"
    try:
        names = ("unit", "centre", "spread", "low", "high")
        unit, centre, spread, low, high = (float(tree[name]) for name in names)
        has_missing = bool(tree["has_missing"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise invalid_calibration(where, f"{type(error).__name__}: {error}") from None
    finite = np.isfinite([centre, low, high]).all() and low <= high
    if not (finite and 0 < unit < math.inf and 0 < spread < math.inf):
        numbers = f"unit {unit}, centre {centre}, spread {spread}, low {low}, high {high}"
        raise invalid_calibration(where, numbers)
    return ProfitScale(unit, centre, spread, low, high, has_missing)
