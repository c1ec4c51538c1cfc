"""Recalibration: what turns scores into probabilities of decline, and how it was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from scipy import special

from retain.campaign.value.calibration_map import (
    CalibrationMap,
    ProfitScale,
    invalid_calibration,
    logit,
)
from retain.record.estimates import Estimate
from retain.record.segments_document import (
    ProfitScaleInfo,
    ProfitTest,
    RecalibrationInfo,
    RiskCurve,
)

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

    def curve(self) -> RiskCurve:
        """Return the map of averaged scores with its 95 % band, at the mean profit."""
        one = self.out_of_fold
        design = one.design(logit(CURVE))
        eta = design @ one.coefficients
        reach = float(special.ndtri(0.975)) * np.linalg.norm(design @ one.factor, axis=1)
        ends = (eta - reach, eta, eta + reach)
        low, risk, high = (tuple(special.expit(end).tolist()) for end in ends)
        return RiskCurve(score=tuple(CURVE.tolist()), risk=risk, low=low, high=high)

    def to_info(self) -> RecalibrationInfo:
        """Return the maps and how they were chosen, for documents."""
        line, profit = self.line, self.out_of_fold.profit
        losses = self.log_loss or {}
        return RecalibrationInfo(
            n_customers=self.customers,
            n_events=self.events,
            intercept=line.intercept,
            slope=Estimate(line.slope, line.low, line.high),
            out_of_fold=self.out_of_fold.to_info(),
            single_model=self.single_model.to_info(),
            profit=None if profit is None else ProfitScaleInfo(**asdict(profit)),
            log_loss={name: dict(by_basis) for name, by_basis in losses.items()},
            profit_test=self.profit_test,
            curve=self.curve(),
        )

    @classmethod
    def from_info(cls, info: RecalibrationInfo) -> Self:
        """Return the maps of a document, without how they were chosen.

        Raises
        ------
        RetainError
            If they are no maps of scores to probabilities.

        >>> line = CalibrationMap("logit", np.array([0.1, 0.9]), np.eye(2) / 50)
        >>> info = Recalibration(line, line, 100, 40, Line(0.1, 0.9, 0.8, 1.0)).to_info()
        >>> Recalibration.from_info(info).to_info() == info
        True
        """
        slope = info.slope
        line = Line(info.intercept, slope.value, slope.low, slope.high)
        scale = None if info.profit is None else _read_profit(info.profit)
        averaged, single = (
            CalibrationMap.from_info(one, scale, f"recalibration.{name}")
            for name, one in (
                ("out_of_fold", info.out_of_fold),
                ("single_model", info.single_model),
            )
        )
        return cls(averaged, single, info.n_customers, info.n_events, line)


def _read_profit(info: ProfitScaleInfo) -> ProfitScale:
    scale = ProfitScale(**info.model_dump())
    if not (scale.low <= scale.high and scale.unit > 0 and scale.spread > 0):
        raise invalid_calibration("recalibration.profit", repr(info)[:200])
    return scale
