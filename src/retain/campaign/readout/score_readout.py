"""Earlier scores held against what came: ranking, calibration, and money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from retain.errors import NotApplicable
from retain.record.estimates import Estimate
from retain.record.score_readout_document import ObservedMoney, ObservedShare
from retain.verdict.statistics import Z95, wilson_bounds

MAX_BANDS = 10
MIN_BAND_CUSTOMERS = 20
MIN_CLASS_CUSTOMERS = 2


@dataclass(frozen=True)
class ObservedScores:
    """Scored customers with known outcomes, each of shape (n,).

    Attributes
    ----------
    score, risk
        Score of the model, and recalibrated probability of a decline.
    declined
        1 and 0.
    value
        What a decline costs, in the unit of profit; None without profit.
    weight
        How many of the scored customers each stands for: above 1 in a control group, which stands
        for the customers who were contacted too.
    """

    score: np.ndarray
    risk: np.ndarray
    declined: np.ndarray
    value: np.ndarray | None
    weight: np.ndarray

    @property
    def effective_size(self) -> float:
        """Number of customers of equal weight that tell as much (Kish 1965)."""
        return float(self.weight.sum() ** 2 / (self.weight**2).sum())


def estimate_roc_auc(observed: ObservedScores) -> Estimate:
    """Return the ROC-AUC of the scores, with its 95 % interval on the logit scale.

    Weighted placements; the variance is that of their influence, which for equal weights is
    DeLong's.

    Raises
    ------
    NotApplicable
        Fewer than two customers declined, or fewer than two did not.

    >>> one = np.ones(6)
    >>> target, score = np.array([0, 0, 1, 1, 0, 1]), np.array([0.1, 0.4, 0.35, 0.8, 0.2, 0.7])
    >>> found = estimate_roc_auc(ObservedScores(score, score, target, None, one))
    >>> round(found.value, 3), round(found.low, 2), round(found.high, 2)
    (0.889, 0.26, 0.99)
    """
    is_declined = observed.declined == 1
    n_classes = is_declined.sum(), (~is_declined).sum()
    if min(n_classes) < MIN_CLASS_CUSTOMERS:
        raise NotApplicable(
            f"{n_classes[0]} customers declined and {n_classes[1]} did not; a ranking is measured "
            "from two of each on"
        )
    above = _place(observed, is_declined)
    below = 1 - _place(observed, ~is_declined)
    parts = ((observed.weight[is_declined], above), (observed.weight[~is_declined], below))
    value = float(np.average(above, weights=parts[0][0]))
    variance = sum(
        len(placed)
        / (len(placed) - 1)
        * ((weight * (placed - value)) ** 2).sum()
        / weight.sum() ** 2
        for weight, placed in parts
    )
    if variance == 0 or value in (0.0, 1.0):
        return Estimate(value, *wilson_bounds(value, float(min(n_classes))))
    reach = Z95 * variance**0.5 / (value * (1 - value))
    low, high = special.expit(special.logit(value) + np.array([-reach, reach]))
    return Estimate(value, float(low), float(high))


def _influence_variance(weight: np.ndarray, influence: np.ndarray) -> float:
    n = len(weight)
    return float(n / (n - 1) * ((weight * influence) ** 2).sum() / weight.sum() ** 2)


def _place(observed: ObservedScores, rows: np.ndarray) -> np.ndarray:
    """Return the share of the other customers below each of these, ties counted half."""
    order = np.argsort(observed.score[~rows], kind="stable")
    others, weight = observed.score[~rows][order], observed.weight[~rows][order]
    before = np.concatenate([[0.0], np.cumsum(weight)])
    ends = (np.searchsorted(others, observed.score[rows], side) for side in ("left", "right"))
    return np.asarray(sum(before[end] for end in ends) / (2 * before[-1]))


def compare_shares(observed: ObservedScores) -> ObservedShare:
    """Return the share expected to decline beside the one that did, for all of these customers.

    p is that of so large a difference if the risks were right, by the normal approximation.
    """
    risk, weight = observed.risk, observed.weight
    value = float(np.average(observed.declined, weights=weight))
    spread = float(np.sqrt((weight**2 * risk * (1 - risk)).sum()))
    difference = float(weight @ (observed.declined - risk))
    p = 1.0 if difference == 0 else 0.0
    if spread > 0:
        p = 2 * float(special.ndtr(-abs(difference) / spread))
    return ObservedShare(
        n_customers=len(risk),
        expected=float(np.average(risk, weights=weight)),
        observed=Estimate(value, *wilson_bounds(value, observed.effective_size)),
        p=p,
    )


def compare_bands(observed: ObservedScores) -> tuple[ObservedShare, ...]:
    """Return the same for bands of customers of like risk, the lowest first."""
    n_bands = min(MAX_BANDS, len(observed.risk) // MIN_BAND_CUSTOMERS)
    if n_bands < 2:
        return ()
    rank = np.argsort(np.argsort(observed.risk, kind="stable"), kind="stable")
    band = rank * n_bands // len(rank)
    return tuple(compare_shares(_select(observed, band == k)) for k in range(n_bands))


def _select(observed: ObservedScores, rows: np.ndarray) -> ObservedScores:
    return ObservedScores(
        score=observed.score[rows],
        risk=observed.risk[rows],
        declined=observed.declined[rows],
        value=None if observed.value is None else observed.value[rows],
        weight=observed.weight[rows],
    )


def compare_money(observed: ObservedScores, unit: str) -> ObservedMoney | None:
    """Return the profit at risk beside the profit that declines took; None without profit.

    The interval of the former is that of the latter if the risks were right.
    """
    if observed.value is None:
        return None
    stake = observed.weight * observed.value
    at_risk = float(stake @ observed.risk)
    reach = Z95 * float(np.sqrt((stake**2 * observed.risk * (1 - observed.risk)).sum()))
    return ObservedMoney(
        unit=unit,
        at_risk=Estimate(at_risk, max(at_risk - reach, 0.0), at_risk + reach),
        lost=float(stake @ observed.declined),
    )
