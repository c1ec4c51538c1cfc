"""Looks at a campaign while its outcomes arrive: intervals and tests that stay right at each.

A fixed interval is right at one look; of many looks at nothing, one soon finds something. Two
corrections, both by the share of the planned information that a look has: a confidence sequence
(Robbins 1970; Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024), right however often one looks
and however long it lasts, and for a declared end the spending of the error after O'Brien & Fleming
(Lan & DeMets 1983), which is nearly as narrow at that end as one look alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import optimize, special

MAX_QUANTILE = 8.0
"""Standard errors that no estimate reaches by chance: a look that has hardly any error to spend."""
MIN_STEP = 0.01
"""Share of the information below which a look is one with the look before."""
_NODES_PER_STEP = 5
_MIN_NODES, _MAX_NODES = 32, 256


def mixture_variance(alpha: float) -> float:
    """Return the variance of the mixing normal, by the information at the planned end.

    It makes the sequence narrowest there (Waudby-Smith et al. 2024, appendix B.2).

    >>> round(mixture_variance(0.05), 2)
    7.94
    """
    double_log = -2 * np.log(alpha)
    return float(double_log + np.log(double_log + 1))


def always_valid_quantile(share: float, alpha: float, tuned: float | None = None) -> float:
    """Return the standard errors on either side that cover 1 − ``alpha`` at all looks together.

    Parameters
    ----------
    share
        Information of this look by that planned, above 0; it may pass 1.
    tuned
        Level for which the sequence is narrowest at the planned end, ``alpha`` by default.

    Examples
    --------
    >>> [round(always_valid_quantile(share, 0.05) / 1.96, 2) for share in (0.1, 0.5, 1.0, 2.0)]
    [1.97, 1.57, 1.55, 1.56]
    """
    grown = 1 + share * mixture_variance(alpha if tuned is None else tuned)
    return float(np.sqrt(grown / (grown - 1) * (np.log(grown) - 2 * np.log(alpha))))


def always_valid_p(chi2: float, share: float, tuned: float, df: int = 1) -> float:
    """Return the level at which the confidence sequence first leaves out no effect.

    ``chi2`` is z², or that of several independent z, ``df`` of them; each is mixed over alike.

    >>> z = always_valid_quantile(0.5, 0.03, tuned=0.05)
    >>> round(always_valid_p(z**2, 0.5, tuned=0.05), 6)
    0.03
    """
    grown = 1 + share * mixture_variance(tuned)
    return float(min(1.0, grown ** (df / 2) * np.exp(-chi2 * (grown - 1) / (2 * grown))))


def spending_quantile(shares: Sequence[float], alpha: float) -> float:
    """Return the standard errors that decide at the last look, two-sided, if an end is declared.

    ``shares`` are those of the information planned, of all looks so far, growing; the last is the
    end if it is 1 or more. By then ``alpha`` has been spent.

    Examples
    --------
    >>> [round(spending_quantile(shares, 0.05), 2) for shares in ([0.5], [0.5, 1.0], [1.0])]
    [2.96, 1.97, 1.96]
    """
    return _spending_quantiles(_distinct(shares), alpha)[-1]


def spending_p(z: float, shares: Sequence[float]) -> float:
    """Return the smallest level at which spending calls an effect of ``z`` at the last look.

    >>> round(spending_p(spending_quantile([0.5, 1.0], 0.05), [0.5, 1.0]), 4)
    0.05
    """
    distinct = _distinct(shares)

    def excess(log_level: float) -> float:
        return abs(z) - _spending_quantiles(distinct, float(np.exp(log_level)))[-1]

    least, most = np.log(2 * special.ndtr(-MAX_QUANTILE)), np.log(1 - 1e-9)
    if excess(most) <= 0:
        return 1.0
    if excess(least) >= 0:
        return float(np.exp(least))
    return float(np.exp(optimize.brentq(excess, least, most, xtol=1e-6)))


def _distinct(shares: Sequence[float]) -> list[float]:
    """Return shares of the information, at most 1, without looks that hardly add any."""
    kept: list[float] = []
    for share in shares:
        end = min(share, 1.0)
        if kept and end - kept[-1] < MIN_STEP:
            kept[-1] = max(end, kept[-1])
        else:
            kept.append(end)
    return kept


def _spend(share: float, alpha: float) -> float:
    """Return the error spent on both sides by a share of the information (Lan & DeMets 1983)."""
    return float(4 * special.ndtr(special.ndtri(alpha / 4) / np.sqrt(share)))


def _spending_quantiles(shares: Sequence[float], alpha: float) -> list[float]:
    """Return the quantile of each look, by integration over the paths still open.

    The sum of the information's increments is a Brownian motion W at the shares; the density of its
    paths that crossed nothing is carried from look to look (Armitage, McPherson & Rowe 1969).
    """
    quantiles: list[float] = []
    nodes, density, before, spent = np.zeros(1), np.ones(1), 0.0, 0.0
    for share in shares:
        step = np.sqrt(share - before)
        due = _spend(share, alpha) - spent

        def crossing(bound: float, nodes: np.ndarray = nodes, step: float = step) -> np.ndarray:
            beyond = special.ndtr((nodes - bound) / step) + special.ndtr((-nodes - bound) / step)
            return np.asarray(beyond)

        def excess(bound: float, density: np.ndarray = density, due: float = due) -> float:
            return float(density @ crossing(bound)) - due

        bound = MAX_QUANTILE * np.sqrt(share)
        if excess(bound) < 0:
            bound = float(optimize.brentq(excess, 0.0, bound, xtol=1e-10))
        quantiles.append(float(bound / np.sqrt(share)))
        spent += float(density @ crossing(bound))
        n_nodes = int(np.clip(_NODES_PER_STEP * bound / step, _MIN_NODES, _MAX_NODES))
        points, weights = special.roots_legendre(n_nodes)
        moved = (bound * points[:, None] - nodes[None, :]) / step
        normal = np.exp(-(moved**2) / 2) / (step * np.sqrt(2 * np.pi))
        density = bound * weights * (normal @ density)
        nodes, before = bound * points, share
    return quantiles
