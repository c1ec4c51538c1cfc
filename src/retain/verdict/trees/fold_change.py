"""The change of a metric from one tree to another, by folds.

On the same customers and folds the change is the mean of paired differences, whose variance is
corrected for shared training rows (``verdict.paired``). On other folds or customers it is the
difference of two means that count as independent: each has the corrected variance, and their sum
the degrees of freedom of Welch (1947). Trees that share customers are positively correlated, so
that this interval is then too wide rather than too narrow; it includes the noise of the split.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from retain.verdict.paired import EPSILON, compare_paired


@dataclass(frozen=True)
class FoldChange:
    """Changes with their intervals and two-sided p, branch − main. All arrays have shape (n,)."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray


def paired_change(
    main: np.ndarray, branch: np.ndarray, test_to_train: float, level: float = 0.95
) -> FoldChange:
    """Return the changes over common folds, ``main`` and ``branch`` of shape (n, J).

    >>> main = np.array([[0.80, 0.82, 0.81, 0.79, 0.80]])
    >>> change = paired_change(main, main + [0.02, 0.01, 0.03, 0.0, 0.02], test_to_train=0.25)
    >>> change.value.round(3).tolist(), change.low.round(3).tolist(), change.p.round(3).tolist()
    ([0.016], [-0.005], [0.105])
    """
    found = compare_paired(branch - main, test_to_train, level=level)
    return FoldChange(found.mean, found.low, found.high, found.p)


def unpaired_change(
    main: np.ndarray,
    branch: np.ndarray,
    test_to_train: tuple[float, float],
    level: float = 0.95,
) -> FoldChange:
    """Return the changes between means over different folds, of shape (n, J) and (n, K).

    ``test_to_train`` is n_test / n_train of a fold of each tree.

    >>> main, branch = np.array([[0.80, 0.82, 0.81]]), np.array([[0.84, 0.80, 0.83, 0.81, 0.84]])
    >>> change = unpaired_change(main, branch, (0.5, 0.25))
    >>> change.value.round(3).tolist(), change.low.round(3).tolist(), change.p.round(3).tolist()
    ([0.014], [-0.023], [0.393])
    """
    values = branch.mean(axis=1) - main.mean(axis=1)
    variances = [
        (1 / folds.shape[1] + ratio) * folds.var(axis=1, ddof=1)
        for folds, ratio in zip((main, branch), test_to_train, strict=True)
    ]
    total = sum(variances, np.zeros(len(values)))
    flat = total < EPSILON**2
    parts = sum(
        one**2 / (folds.shape[1] - 1) for one, folds in zip(variances, (main, branch), strict=True)
    )
    degrees = np.where(flat, 1.0, total**2 / np.where(flat, 1.0, parts))
    scale = np.sqrt(total)
    certain = np.where(np.abs(values) < EPSILON, 0.0, np.inf)
    t = np.where(flat, certain, np.abs(values) / np.where(flat, 1.0, scale))
    reach = np.where(flat, 0.0, special.stdtrit(degrees, (1 + level) / 2) * scale)
    return FoldChange(values, values - reach, values + reach, 2 * special.stdtr(degrees, -t))
