"""Drift: how far new customers have moved from those a model learnt from.

The population stability index (PSI) of each feature and of the score, Σ (now − then) · ln(now /
then) over bins with half a customer added to each, and a chi-squared test beside it. By custom a
PSI from .1 on is a moderate shift and from .25 on a strong one (Lewis 1994, An Introduction to
Credit Scoring; Siddiqi 2006, Credit Risk Scorecards). Among many customers every test finds
something, so a shift is warned of by its PSI; among few the PSI is large by chance: without any
drift it is about (1/n + 1/m) · χ² with a degree of freedom less than bins (Yurdakul & Naranjo
2020, Journal of Risk Model Validation), so a shift that chance would explain is not warned of.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from retain.campaign.reference import CategoryHistogram, NumericHistogram, Reference
from retain.verdict.paired import holm

MODERATE, STRONG = 0.1, 0.25
ALPHA = 0.05
EXPECTED, DRAWS = 5, 9999
"""Where fewer customers than this are expected in a bin, p is that of so many random tables."""
SCORE = "score of the model"


def drift(reference: Reference, table: pd.DataFrame, score: np.ndarray) -> pd.DataFrame:
    """Return the shift of the score and of each feature, the score first, then by PSI.

    Parameters
    ----------
    reference
        The training customers, and the scores of those of the sealed test.
    table
        The features of the new ones, with all of the reference's columns.
    score
        The model's probabilities of the new ones.

    Returns
    -------
    DataFrame
        ``kind`` (``score`` or ``feature``), ``name``, ``psi`` (0 is no shift),
        ``psi_null_quantile`` (what it stays below 95 times in 100 without any drift), ``p`` and
        ``p_holm`` (corrected for all features and the score), ``shift`` (``none``, ``chance``,
        ``moderate``, ``strong``), and what moved most: ``bin``, its ``share_training`` and
        ``share_new``.
    """
    known = {name: (shares, table[name]) for name, shares in reference.features.items()}
    rows = [_row("score", SCORE, reference.score, pd.Series(score))]
    rows += [_row("feature", name, shares, values) for name, (shares, values) in known.items()]
    found = pd.DataFrame(rows)
    found["p_holm"] = holm(found["p"].to_numpy())
    found["shift"] = [
        _shift(*row) for row in found[["psi", "psi_null_quantile", "p_holm"]].to_numpy()
    ]
    order = np.lexsort((-found["psi"].to_numpy(), found["kind"] != "score"))
    return found.iloc[order].reset_index(drop=True)[COLUMNS]


COLUMNS = [
    *("kind", "name", "shift", "psi", "psi_null_quantile", "p", "p_holm"),
    *("bin", "share_training", "share_new", "missing_training", "missing_new"),
]


def drift_warnings(found: pd.DataFrame) -> list[str]:
    """Return a sentence for each warning that a drift gives; none is good news."""
    shifted = found[found["shift"].isin(["moderate", "strong"])]
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


def psi_null_quantile(bins: int, then: int, now: int) -> float:
    """Return the 95 % quantile of PSI without any shift (Yurdakul & Naranjo 2020).

    >>> round(psi_null_quantile(10, 1000, 50), 2), round(psi_null_quantile(10, 1000, 100_000), 3)
    (0.36, 0.017)
    """
    return float((1 / then + 1 / now) * special.chdtri(bins - 1, ALPHA)) if bins > 1 else 0.0


def _row(
    what: str, name: str, shares: NumericHistogram | CategoryHistogram, values: pd.Series
) -> dict[str, Any]:
    then, now = shares.customers, shares.count(values)
    known = then + now > 0  # a bin that is empty here and there says nothing
    before, after = then / then.sum(), now / now.sum()
    most = int(np.abs(after - before).argmax())
    return {
        "kind": what,
        "name": name,
        "psi": psi(then[known], now[known]),
        "psi_null_quantile": psi_null_quantile(int(known.sum()), then.sum(), now.sum()),
        "p": _chi_squared_p(np.array([then[known], now[known]])),
        "bin": shares.names[most],
        "share_training": before[most],
        "share_new": after[most],
        "missing_training": before[-1],
        "missing_new": after[-1],
    }


def _chi_squared_p(counts: np.ndarray) -> float:
    """Return the p of a chi-squared test: that two rows of counts are from one distribution."""
    if counts.shape[1] < 2:
        return 1.0
    few = stats.contingency.expected_freq(counts).min() < EXPECTED
    rng = np.random.default_rng(0)
    method = stats.MonteCarloMethod(n_resamples=DRAWS, rng=rng) if few else None
    return float(stats.chi2_contingency(counts, correction=False, method=method).pvalue)


def _shift(index: float, chance: float, p_holm: float) -> str:
    if index < MODERATE:
        return "none"
    if index <= chance or p_holm >= ALPHA:
        return "chance"
    return "strong" if index >= STRONG else "moderate"


def _message(row: dict[Any, Any]) -> str:
    return (
        f"{row['name']} has shifted since training ({row['shift']}, PSI {row['psi']:.2f}, by "
        f"chance below {row['psi_null_quantile']:.2f}, p {_format_p(row['p_holm'])} after Holm): "
        f"{row['bin']} {row['share_training']:.0%} then, {row['share_new']:.0%} now."
    )


def _format_p(p: float) -> str:
    return "< .001" if p < 0.001 else f"{p:.3f}"
