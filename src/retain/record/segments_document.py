"""Segments and the calibration of risks, as the documents have them."""

from __future__ import annotations

from typing import Literal

from retain.record.estimates import DisplayName, Effect, Estimate, PartialEstimate
from retain.schema.parsing import Config


class Stability(Config):
    """The Jaccard similarity of a segment under resampling, at most 1.

    ``jaccard`` is the mean over ``n_resamples``, ``jaccard_low`` the 10th percentile. Hennig
    (2007) calls a segments under .6 should not be trusted, and those above .85 are highly stable.
    """

    jaccard: float
    jaccard_low: float
    n_resamples: int


class ContrastInfo(Config):
    """The difference between a segment and all other customers in one feature or level.

    ``in_segment`` and ``elsewhere`` are means of a number, or shares of the level.
    """

    feature: str
    label: DisplayName
    level: str | None
    level_label: DisplayName | None
    kind: Literal["number", "category"]
    in_segment: float
    elsewhere: float
    effect_size: Effect
    direction: Literal["higher", "lower"]


class SegmentInfo(Config):
    """A segment that is not empty. Missing values are None.

    Attributes
    ----------
    is_small
        True with fewer customers than the segmentation's minimum.
    risk
        The observed share of decliners with Wilson's interval, or without outcomes the mean risk
        with the interval of the calibration; None below 20 customers.
    expected_risk
        The mean risk, cross-fitted where outcomes are known.
    p, is_miscalibrated
        Test of observed against expected, corrected over segments and tenths of the risk.
    total_profit
        As far as it is known.
    observed_profit_at_risk
        Of those who declined; None without outcomes and below 20 customers.
    expected_profit_at_risk
        Risk × value at stake of everybody, whose sum is that of the campaign.
    """

    segment: str
    label: DisplayName | None
    n_customers: int
    share: float
    is_small: bool
    n_declined: int | None
    risk: Estimate | None
    expected_risk: float
    p: float | None
    is_miscalibrated: bool
    total_profit: float | None
    observed_profit_at_risk: Estimate | None
    expected_profit_at_risk: PartialEstimate | None
    contactable_share: float | None
    stability: Stability | None
    contrasts: tuple[ContrastInfo, ...]


class DominantSegment(Config):
    """The band, or else the segment, that holds nearly all customers."""

    name: str
    label: DisplayName | None
    share: float


class RiskTenth(Config):
    """Observed beside expected declines of a tenth of the customers by risk, 1 the lowest."""

    tenth: int
    n_customers: int
    n_declined: int
    risk: Estimate | None
    expected_risk: float
    p: float | None
    is_miscalibrated: bool


class CalibrationCheck(Config):
    """Observed beside expected declines by segment and by tenth, in one family of tests."""

    level: float
    n_tests: int
    n_flagged_segments: int
    n_flagged_tenths: int
    tenths: tuple[RiskTenth, ...]


class CalibrationMapInfo(Config):
    """A linear predictor of the log-odds of decline, with its covariance."""

    basis: str
    knots: tuple[float, ...]
    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]


class ProfitScaleInfo(Config):
    """The signed logarithm of profit, standardised, as the calibration takes it."""

    unit: float
    centre: float
    spread: float
    low: float
    high: float
    has_missing: bool


class ProfitTest(Config):
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
    is_used: bool


class RiskCurve(Config):
    """The risk that scores mean, with its 95 % band."""

    score: tuple[float, ...]
    risk: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class RecalibrationInfo(Config):
    """The recalibration of scores to probabilities, and its choice.

    Attributes
    ----------
    intercept, slope
        Of the two-parameter calibration of the scores, which says how they err.
    out_of_fold, single_model
        The maps of averaged scores, and of those of one model.
    log_loss
        Cross-validated log-loss by map and basis.
    """

    n_customers: int
    n_events: int
    intercept: float
    slope: Estimate
    out_of_fold: CalibrationMapInfo
    single_model: CalibrationMapInfo
    profit: ProfitScaleInfo | None
    log_loss: dict[str, dict[str, float]]
    profit_test: ProfitTest | None
    curve: RiskCurve
