"""Intervals of each metric on one set of customers, by what covers in simulation.

See ``experiments/statistics/sealed_test.py``. No interval has width zero because all resamples
happen to agree: shares are inverted by Wilson (1927), and a mean of losses has its t interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from retain.learning.metric_selection import Metric
from retain.learning.metrics import (
    BINS,
    average_precision,
    calibration_bins,
    log_losses,
    top_weights,
)
from retain.verdict.plugin_intervals import plugin_interval
from retain.verdict.statistics import Z95, delong, mean_interval, wilson_bounds

Values = tuple[float, float, float]
SCALES = np.linspace(0.0, 6.0, 121)
"""Multiples of the observed gaps that the interval of the calibration error tries."""
NO_WIDTH = 1e-12
"""Width below which an interval comes from customers who all agree."""
_TINY = np.finfo(float).tiny
UPPER_TAIL = 0.01
"""Its upper tail: smaller than .025, since the pattern of the gaps is estimated too."""


@dataclass(frozen=True)
class Sample:
    """Outcomes, probabilities and profit (None without) of customers, each of shape (n,).

    ``design_effect`` is the variance of a mean over that of unrelated customers, see
    ``find_design_effect``.
    """

    target: np.ndarray
    probability: np.ndarray
    profit: np.ndarray | None
    design_effect: float = 1.0


def find_design_effect(groups: np.ndarray) -> float:
    """Return the design effect of groups of copies, which say the same again (Kish 1965).

    Σ size²/n: 1 if every customer is alone, k if each is there k times.

    >>> find_design_effect(np.array([1, 2, 3])), find_design_effect(np.array([1, 1, 2, 2]))
    (1.0, 2.0)
    """
    _, sizes = np.unique(groups, return_counts=True)
    return float((sizes**2).sum() / sizes.sum())


def metric_interval(metric: Metric, sample: Sample, *, simulations: int) -> dict[str, float]:
    """Return ``value``, ``low``, ``high`` of a metric; the calibration error has two more keys.

    They are ``raw``, the error as it is computed in cross-validation, and ``if_calibrated``, its
    mean for a perfectly calibrated score with these probabilities. Copies widen the interval by
    their design effect. No interval has width zero: see ``_bound_without_variance``.
    """
    parts = (sample.target, sample.probability)
    if metric.name == "ece":
        scale = sample.design_effect**0.5
        found = calibration_error(*parts, simulations=simulations, noise_scale=scale)
    elif metric.is_plugin:
        value, low, high = plugin_interval(metric, *parts, sample.profit, sample.design_effect)
        return {"value": value, "low": low, "high": high}
    else:
        value, low, high = _INTERVALS[metric.name.rstrip("0123456789.")](metric, sample)
        least, most = metric.bounds
        found = {"value": value, "low": max(low, least), "high": min(high, most)}
    if found["high"] - found["low"] < NO_WIDTH:
        found |= _bound_without_variance(metric, sample, found["value"])
    return found


def _bound_without_variance(metric: Metric, sample: Sample, value: float) -> dict[str, float]:
    """Return Wilson's bounds of a value that all customers agree on, such as no loss at all.

    As if each were a trial with the worst loss or none: for 0 of n the upper bound is
    z²/(n + z²), a rule of three (Hanley & Lippman-Hand 1983) at two-sided 95 %.
    """
    worst = -float(np.log(np.finfo(sample.probability.dtype).eps))  # log-loss is clipped there
    worst = worst if metric.name == "log_loss" else 1.0
    share = float(np.clip(value / worst, 0, 1))
    low, high = wilson_bounds(share, len(sample.target) / sample.design_effect)
    return {"low": min(worst * low, value), "high": max(worst * high, value)}


def average_precision_interval(
    target: np.ndarray, probability: np.ndarray, design_effect: float = 1.0
) -> Values:
    """Return average precision and its interval on the logit scale (Boyd, Eng & Page 2013).

    Its standard error there is 1/√(n₁·AP·(1 − AP)), with n₁ decliners.
    """
    value = average_precision(target, probability)
    n_declined = float(target.sum()) / design_effect
    if value >= 1:
        return value, *wilson_bounds(1.0, n_declined)
    logit, reach = special.logit(value), Z95 / np.sqrt(n_declined * value * (1 - value))
    low, high = special.expit([logit - reach, logit + reach])
    return value, float(low), float(high)


def lift_interval(
    share: float, target: np.ndarray, probability: np.ndarray, design_effect: float = 1.0
) -> Values:
    """Return the lift of the top share and its interval.

    With decline rates r in the top share s and q below it, lift is 1/(s + (1 − s)·q/r). The ratio
    of the two independent rates has the interval of Donner & Zou (2012) from Wilson's of each. Ties
    at the cut count by their weight.

    >>> target, probability = np.repeat([0, 1], [70, 30]), np.linspace(0, 1, 100)
    >>> [round(number, 2) for number in lift_interval(0.1, target, probability)]
    [3.33, 2.35, 4.28]
    """
    weights = top_weights(probability, share)
    top, rest = (_weighted_share(w, target, design_effect) for w in (weights, 1 - weights))
    below, above = _ratio_bounds(rest, top)
    s = float(weights.mean())
    return float(top[0] / target.mean()), 1 / (s + (1 - s) * above), 1 / (s + (1 - s) * below)


def _weighted_share(weights: np.ndarray, target: np.ndarray, design_effect: float) -> Values:
    """Return the weighted share of decliners and Wilson's bounds for its effective size."""
    share = float(np.clip(weights @ target / weights.sum(), 0, 1))
    size = float(weights.sum() ** 2 / (weights @ weights)) / design_effect
    return share, *wilson_bounds(share, size)


def _ratio_bounds(of: Values, to: Values) -> tuple[float, float]:
    """Return the bounds of the ratio of two independent shares (Donner & Zou 2012, eq. 11)."""
    (q, low_q, high_q), (r, low_r, high_r) = of, to
    product, falls, rises = q * r, high_r * (2 * r - high_r), low_r * (2 * r - low_r)
    low = low_q / high_r
    if falls > 0:
        root = max(product**2 - low_q * (2 * q - low_q) * falls, 0.0)
        low = max((product - root**0.5) / falls, 0.0)
    high = np.inf
    if rises > 0:
        root = max(product**2 - high_q * (2 * q - high_q) * rises, 0.0)
        high = (product + root**0.5) / rises
    return float(low), float(high)


def captured_profit_interval(
    share: float,
    target: np.ndarray,
    probability: np.ndarray,
    profit: np.ndarray,
    design_effect: float = 1.0,
) -> Values:
    """Return the share of the decliners' profit in the top share, and its interval.

    Wilson's, for the effective number of decliners (Kish 1965): (Σ profit)²/Σ profit².
    """
    gains = np.clip(np.nan_to_num(np.asarray(profit, dtype=float)), 0, None) * target
    total = gains.sum()
    value = float(np.clip(top_weights(probability, share) @ gains / total, 0, 1))
    return value, *wilson_bounds(value, float(total**2 / (gains @ gains)) / design_effect)


def _loss_interval(metric: Metric, sample: Sample) -> Values:
    """Return a mean of losses of customers and its t interval."""
    losses = _LOSSES[metric.name](sample.target, sample.probability)
    mean, _, high = mean_interval(losses)
    reach = (high - mean) * sample.design_effect**0.5
    return mean, mean - reach, mean + reach


def calibration_error(
    target: np.ndarray,
    probability: np.ndarray,
    *,
    simulations: int,
    noise_scale: float = 1.0,
    seed: int = 0,
) -> dict[str, float]:
    """Return the expected calibration error without its bias, and its interval.

    Noise alone opens a gap in every bin, so the observed error is too high (Bröcker 2012). The
    value is c times the observed error, with the c for which gaps of c times the observed ones,
    with their noise, show that error on average; 0 if noise alone shows as much. The interval has
    all such c for which the observed error lies between the tails.
    """
    gaps, shares, noise_null, noise = _bin_gaps(target, probability)
    noise_null, noise = noise_scale * noise_null, noise_scale * noise
    observed, null = float(shares @ np.abs(gaps)), float(np.sqrt(2 / np.pi) * shares @ noise_null)
    normal = np.random.default_rng(seed).standard_normal((simulations, len(gaps)))
    weight = np.minimum(2 * SCALES, 1)[:, None]
    spread = (1 - weight) * noise_null + weight * np.maximum(noise_null, noise)
    at_least = max(observed, null)  # less than noise shows bounds no better than noise
    pattern = gaps if observed > null / 1e3 else noise_null
    pattern = pattern * (at_least / max(float(shares @ np.abs(pattern)), _TINY))
    shown = np.abs(SCALES[:, None, None] * pattern + spread[:, None, :] * normal) @ shares
    lower, upper = np.quantile(shown, [UPPER_TAIL, 0.975], axis=1)
    mean = shown.mean(axis=1)
    value, low, high = (
        float(np.interp(seen, np.maximum.accumulate(curve), SCALES, left=0.0)) * at_least
        for curve, seen in ((mean, observed), (upper, observed), (lower, at_least))
    )
    return {
        "value": value,
        "low": min(low, value),
        "high": min(max(high, value), 1.0),
        "raw": observed,
        "if_calibrated": null,
    }


def _bin_gaps(
    target: np.ndarray, probability: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return each bin's gap, share of customers, and error of the gap if calibrated and if not."""
    bins = calibration_bins(probability)
    count = np.bincount(bins, minlength=BINS)
    used = count > 0
    n = count[used]
    declined, expected, variance = (
        np.bincount(bins, values, minlength=BINS)[used]
        for values in (target, probability, probability * (1 - probability))
    )
    rate = (declined + 0.5) / (n + 1)
    return (
        (declined - expected) / n,
        n / n.sum(),
        np.sqrt(variance) / n,
        np.sqrt(rate * (1 - rate) / n),
    )


def _share_of(metric: Metric) -> float:
    if metric.share is None:
        raise ValueError(f"metric {metric.name} has no share")
    return metric.share


def _captured(metric: Metric, sample: Sample) -> Values:
    if sample.profit is None:
        raise ValueError(f"metric {metric.name} needs profit")
    parts = (sample.target, sample.probability, sample.profit, sample.design_effect)
    return captured_profit_interval(_share_of(metric), *parts)


_LOSSES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "log_loss": log_losses,
    "brier": lambda target, probability: (probability - target) ** 2,
}
_INTERVALS: dict[str, Callable[[Metric, Sample], Values]] = {
    "roc_auc": lambda _, sample: delong(sample.target, sample.probability, sample.design_effect),
    "average_precision": lambda _, sample: average_precision_interval(
        sample.target, sample.probability, sample.design_effect
    ),
    "log_loss": _loss_interval,
    "brier": _loss_interval,
    "lift_": lambda metric, sample: lift_interval(
        _share_of(metric), sample.target, sample.probability, sample.design_effect
    ),
    "captured_profit_": _captured,
}
