"""Shares of the arms: planned ones, and those found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from retain.campaign.trial.names import find_arms
from retain.errors import RetainError, examples

MIN_ARM_CUSTOMERS = 5
"""Customers of every arm below which a stratum's shares are taken to be those of all customers."""
MAX_SHARE_ERROR = 0.01
"""Largest distance from 1 of planned shares in total, which may be rounded."""


def planned_shares(
    propensity: Literal["equal"] | Mapping[str, float | str],
    arms: tuple[str, ...],
    features: pd.DataFrame,
    columns: Mapping[str, str],
) -> np.ndarray:
    """Return the probability of each arm by design, shape (n, arms).

    ``columns`` are the keys in ``features`` of the columns typed.
    """
    shares = np.full((len(features), len(arms)), np.nan)
    if propensity == "equal":
        return np.full_like(shares, 1 / len(arms))
    typed = find_arms(propensity, arms, "propensity")
    for name, one in typed.items():
        found = _column_of_shares(features[columns[one]], one) if isinstance(one, str) else one
        shares[:, arms.index(name)] = found
    return _complete_shares(shares, arms, typed)


def _column_of_shares(cells: pd.Series, label: str) -> np.ndarray:
    if not pd.api.types.is_numeric_dtype(cells) or not cells.between(0, 1, "neither").all():
        problem = f"column {label!r} does not hold a probability above 0 and below 1 in every row"
        raise RetainError.at("propensity", problem, "expected the planned chance of the arm")
    return cells.to_numpy(dtype=float)


def _complete_shares(
    shares: np.ndarray, arms: tuple[str, ...], typed: Mapping[str, object]
) -> np.ndarray:
    """Return shares that add up to 1; one arm may be left out."""
    absent = [index for index, name in enumerate(arms) if name not in typed]
    if len(absent) == 1:
        shares[:, absent[0]] = 1 - np.nansum(shares, axis=1)
    total = shares.sum(axis=1)
    if len(absent) > 1 or (shares <= 0).any() or (abs(total - 1) > MAX_SHARE_ERROR).any():
        missing = [arms[index] for index in absent]
        lacks = f", and none for {examples(missing)}" if len(absent) > 1 else ""
        sums = np.nansum(shares, axis=1)
        come_to = " to ".join(f"{end:.3g}" for end in np.unique([sums.min(), sums.max()]))
        found = f"the shares come to {come_to}{lacks}"
        raise RetainError.at("propensity", found, "expected shares above 0 that add up to 1")
    return np.asarray(shares / total[:, None])


def shares_found(arm: np.ndarray, stratum: np.ndarray, n_arms: int) -> np.ndarray:
    """Return the shares of the arms in each customer's stratum, shape (n, arms).

    A stratum with few customers in an arm has those of all customers.

    >>> arm, stratum = np.array([0, 1] * 10), np.repeat([0, 1], [18, 2])
    >>> shares_found(arm, stratum, 2)[-1].tolist()
    [0.5, 0.5]
    """
    counts = np.zeros((int(stratum.max(initial=0)) + 1, n_arms))
    np.add.at(counts, (stratum, arm), 1)
    is_small = counts.min(axis=1) < MIN_ARM_CUSTOMERS
    counts[is_small] = counts.sum(axis=0)
    return np.asarray((counts / counts.sum(axis=1, keepdims=True))[stratum])
