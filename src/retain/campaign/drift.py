"""Drift: differences between new customers and the training customers.

The population stability index (PSI) of each feature and of the score is Σ (q − p) · ln(q / p) over
bins, p the training shares and q the new ones, with half a customer added to each bin. By
convention a PSI from .1 is a moderate shift and from .25 a strong one (Lewis 1994, An Introduction
to Credit Scoring; Siddiqi 2006, Credit Risk Scorecards). With many customers every test is
significant, so warnings use the PSI. With few customers the PSI is large by chance: without drift
it is about (1/n + 1/m) · χ² with bins − 1 degrees of freedom (Yurdakul & Naranjo 2020, Journal of
Risk Model Validation), so shifts that are not significant give no warning.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from retain.campaign.reference import CategoryHistogram, NumericHistogram, Reference
from retain.verdict.paired import holm

MODERATE_PSI, STRONG_PSI = 0.1, 0.25
ALPHA = 0.05
MIN_EXPECTED_PER_BIN, N_RANDOM_TABLES = 5, 9999
"""With fewer expected customers in a bin than this, p comes from that many random tables."""
SCORE = "score of the model"


def drift(
    reference: Reference, table: pd.DataFrame, score: np.ndarray, ageing: Collection[str] = ()
) -> pd.DataFrame:
    """Return the shift of the score and of each feature, the score first, then by PSI.

    Parameters
    ----------
    reference
        Distributions of the training customers, and of the scores of the sealed test.
    table
        Features of the new customers, with all columns of the reference.
    score
        Probabilities of the new customers.
    ageing
        Features that grow with the age of a log whatever customers do: they are left out.

    Returns
    -------
    DataFrame
        ``kind`` (``score`` or ``feature``), ``name``, ``psi`` (0 is no shift),
        ``psi_null_quantile`` (its 95 % quantile without drift), ``p`` and ``p_holm`` (corrected
        for all features and the score), ``shift`` (``none``, ``chance``, ``moderate``,
        ``strong``), and the ``bin`` with the largest change, its ``share_training`` and
        ``share_new``.
    """
    features = {
        name: (shares, table[name])
        for name, shares in reference.features.items()
        if name not in ageing
    }
    rows = [_row("score", SCORE, reference.score, pd.Series(score))]
    rows += [_row("feature", name, shares, values) for name, (shares, values) in features.items()]
    shifts = pd.DataFrame(rows)
    shifts["p_holm"] = holm(shifts["p"].to_numpy())
    shifts["shift"] = [
        _shift(*row) for row in shifts[["psi", "psi_null_quantile", "p_holm"]].to_numpy()
    ]
    order = np.lexsort((-shifts["psi"].to_numpy(), shifts["kind"] != "score"))
    return shifts.iloc[order].reset_index(drop=True)[COLUMNS]


COLUMNS = [
    *("kind", "name", "shift", "psi", "psi_null_quantile", "p", "p_holm"),
    *("bin", "share_training", "share_new", "missing_training", "missing_new"),
]


def drift_warnings(table: pd.DataFrame) -> list[str]:
    """Return a message for each moderate or strong shift."""
    shifted = table[table["shift"].isin(["moderate", "strong"])]
    return [_message(row) for row in shifted.to_dict("records")]


def psi(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the population stability index of two vectors of counts, ≥ 0.

    >>> psi(np.array([50, 50]), np.array([500, 500]))
    0.0
    >>> round(psi(np.array([500, 500]), np.array([300, 700])), 2)
    0.17
    """
    p, q = ((counts + 0.5) / (counts + 0.5).sum() for counts in (reference, current))
    return float(np.sum((q - p) * np.log(q / p))) + 0.0


def psi_null_quantile(bins: int, n_reference: int, n_current: int) -> float:
    """Return the 95 % quantile of PSI without drift (Yurdakul & Naranjo 2020).

    >>> round(psi_null_quantile(10, 1000, 50), 2), round(psi_null_quantile(10, 1000, 100_000), 3)
    (0.36, 0.017)
    """
    if bins < 2:
        return 0.0
    return float((1 / n_reference + 1 / n_current) * special.chdtri(bins - 1, ALPHA))


def _row(
    kind: str, name: str, shares: NumericHistogram | CategoryHistogram, values: pd.Series
) -> dict[str, object]:
    reference, current = shares.customers, shares.count(values)
    nonempty = reference + current > 0  # ignore bins that are empty in both
    before, after = reference / reference.sum(), current / current.sum()
    largest = int(np.abs(after - before).argmax())
    return {
        "kind": kind,
        "name": name,
        "psi": psi(reference[nonempty], current[nonempty]),
        "psi_null_quantile": psi_null_quantile(int(nonempty.sum()), reference.sum(), current.sum()),
        "p": _chi_squared_p(np.array([reference[nonempty], current[nonempty]])),
        "bin": shares.names[largest],
        "share_training": before[largest],
        "share_new": after[largest],
        "missing_training": before[-1],
        "missing_new": after[-1],
    }


def _chi_squared_p(counts: np.ndarray) -> float:
    """Return the p-value of a chi-squared test that both rows have the same distribution."""
    if counts.shape[1] < 2:
        return 1.0
    few = stats.contingency.expected_freq(counts).min() < MIN_EXPECTED_PER_BIN
    rng = np.random.default_rng(0)
    method = stats.MonteCarloMethod(n_resamples=N_RANDOM_TABLES, rng=rng) if few else None
    return float(stats.chi2_contingency(counts, correction=False, method=method).pvalue)


def _shift(index: float, chance: float, p_holm: float) -> str:
    if index < MODERATE_PSI:
        return "none"
    if index <= chance or p_holm >= ALPHA:
        return "chance"
    return "strong" if index >= STRONG_PSI else "moderate"


def _message(row: dict[Any, Any]) -> str:
    return (
        f"{row['name']} has shifted since training ({row['shift']}, PSI {row['psi']:.2f}, by "
        f"chance below {row['psi_null_quantile']:.2f}, p {_format_p(row['p_holm'])} after Holm): "
        f"{row['bin']} {row['share_training']:.0%} then, {row['share_new']:.0%} now."
    )


def _format_p(p: float) -> str:
    return "< .001" if p < 0.001 else f"{p:.3f}"
