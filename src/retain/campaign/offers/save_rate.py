"""Distribution of a save rate: a Beta between a minimum and 1."""

from __future__ import annotations

import numpy as np
from scipy import special

from retain.record.campaign_document import BetaEstimate
from retain.schema.campaign import Beta


def save_rate_quantiles(save_rate: Beta, shares: tuple[float, ...]) -> list[float]:
    """Return the quantiles of a save rate.

    >>> [round(end, 3) for end in save_rate_quantiles(Beta(alpha=6, beta=14), (0.025, 0.975))]
    [0.126, 0.512]
    """
    unit = special.betaincinv(save_rate.alpha, save_rate.beta, np.array(shares))
    return [float(rate) for rate in _from_unit(save_rate, unit)]


def sample_save_rates(save_rate: Beta, size: int, random: np.random.Generator) -> np.ndarray:
    """Return draws of a save rate, shape (size,)."""
    return _from_unit(save_rate, random.beta(save_rate.alpha, save_rate.beta, size))


def log_save_rate_density(save_rate: Beta, rates: np.ndarray) -> np.ndarray:
    """Return the log density at rates between the minimum and 1."""
    spread = 1 - save_rate.minimum
    unit = (rates - save_rate.minimum) / spread
    return np.asarray(
        special.xlogy(save_rate.alpha - 1, unit)
        + special.xlog1py(save_rate.beta - 1, -unit)
        - special.betaln(save_rate.alpha, save_rate.beta)
        - np.log(spread)
    )


def partial_save_rate_moments(save_rate: Beta, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mass and partial mean between each edge and the next, shape (n − 1,).

    >>> mass, mean = partial_save_rate_moments(Beta(alpha=6, beta=14), np.array([-1.0, 0.3, 2.0]))
    >>> round(float(mass.sum()), 6), round(float(mean.sum()), 6)
    (1.0, 0.3)
    """
    alpha, beta, spread = save_rate.alpha, save_rate.beta, 1 - save_rate.minimum
    unit = np.clip((edges - save_rate.minimum) / spread, 0, 1)
    mass = np.diff(special.betainc(alpha, beta, unit))
    unit_mean = alpha / (alpha + beta) * np.diff(special.betainc(alpha + 1, beta, unit))
    return mass, save_rate.minimum * mass + spread * unit_mean


def _from_unit(save_rate: Beta, unit: np.ndarray) -> np.ndarray:
    return np.asarray(save_rate.minimum + (1 - save_rate.minimum) * unit)


def summarise_beta(beta: Beta, alpha: float) -> BetaEstimate:
    """Return a Beta with its mean and the interval of level 1 − ``alpha``.

    >>> round(summarise_beta(Beta(alpha=6, beta=14), 0.05).low, 3)
    0.126
    """
    low, high = save_rate_quantiles(beta, (alpha / 2, 1 - alpha / 2))
    return BetaEstimate(**beta.model_dump(), value=beta.mean, low=low, high=high)
