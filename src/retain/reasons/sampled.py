"""Shapley values of any model, from sampled orders in which its features are put in.

May import: errors, learning. For models that no exact explainer knows.

A customer's feature is worth what the score changes by when it takes the customer's value in place
of another customer's, averaged over the orders in which features may be replaced (Štrumbelj &
Kononenko 2014, algorithm 1, one walk for each customer of the background). Every walk leads from
the background customer's score to the customer's own, so that the values add up exactly.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

Score = Callable[[pd.DataFrame], np.ndarray]
ROWS = 50_000
"""Mixed rows that are scored at a time."""


def shapley(
    score: Score, table: pd.DataFrame, background: pd.DataFrame, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Shapley values and their standard errors, each of shape (n_rows, n_features).

    Parameters
    ----------
    score
        Gives each row of a frame a number.
    background
        Customers to compare with, two or more. A row's values add up to its score less the mean
        score of these.

    >>> rows = pd.DataFrame({"a": [1.0, 2.0], "b": [0.0, 1.0]})
    >>> double = lambda frame: 2 * frame["a"].to_numpy() + frame["b"].to_numpy()
    >>> values, errors = shapley(double, rows, rows, np.random.default_rng(0))
    >>> values.tolist()
    [[-1.0, -0.5], [1.0, 0.5]]
    """
    step = max(1, ROWS // (len(background) * (table.shape[1] + 1)))
    parts = [
        _walked(score, table.iloc[at : at + step], background, random)
        for at in range(0, len(table), step)
    ]
    values, errors = zip(*parts, strict=True)
    return np.concatenate(values), np.concatenate(errors)


def _walked(
    score: Score, table: pd.DataFrame, background: pd.DataFrame, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    rows, others, count = len(table), len(background), table.shape[1]
    order = random.permuted(np.broadcast_to(np.arange(count), (rows, others, count)), axis=2)
    turn = np.argsort(order, axis=2)  # when each feature is put in
    # After k steps of a walk, the features whose turn was before k are the customer's own.
    own = turn[:, :, None, :] < np.arange(count + 1)[:, None]
    here = np.arange(rows)[:, None, None, None]
    there = rows + np.arange(others)[:, None, None]
    mixed = np.where(own, here, there).reshape(-1, count)
    both = pd.concat([table, background], ignore_index=True)
    frame = pd.DataFrame({name: both[name].array.take(mixed[:, j]) for j, name in enumerate(both)})
    scored = score(frame).reshape(rows, others, count + 1)
    gains = np.take_along_axis(np.diff(scored, axis=2), turn, axis=2)
    return gains.mean(axis=1), gains.std(axis=1, ddof=1) / np.sqrt(others)
