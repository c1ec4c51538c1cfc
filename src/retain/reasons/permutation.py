"""Permutation importance: what a model's ROC-AUC loses when one feature is shuffled.

May import: learning. On rows the model did not see (Breiman 2001; Fisher, Rudin & Dominici 2019).
"""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from retain.learning.metrics import roc_auc

ROWS = 200_000
"""Rows that are scored at a time."""


def losses(
    model: BaseEstimator,
    table: pd.DataFrame,
    target: np.ndarray,
    rounds: int,
    random: np.random.Generator,
) -> np.ndarray:
    """ROC-AUC lost for each column of ``table``, mean of ``rounds`` shuffles; higher matters more.

    A fitted model's loss on rows that it did not see, shape (n_features,); it may be below zero.
    """
    whole = roc_auc(target, model.predict_proba(table)[:, 1])
    orders = [(name, random.permutation(len(table))) for name in table for _ in range(rounds)]
    step = max(1, ROWS // len(table))
    scores = [
        roc_auc(target, probability)
        for at in range(0, len(orders), step)
        for probability in _shuffled(model, table, orders[at : at + step])
    ]
    return np.asarray(whole - np.reshape(scores, (table.shape[1], rounds)).mean(axis=1))


def _shuffled(
    model: BaseEstimator, table: pd.DataFrame, orders: list[tuple[Hashable, np.ndarray]]
) -> np.ndarray:
    """Probabilities of the rows with one column in another order, shape (n_orders, n_rows)."""
    copies = [table.assign(**{str(name): table[name].array.take(order)}) for name, order in orders]
    probability = model.predict_proba(pd.concat(copies, ignore_index=True))[:, 1]
    return np.asarray(probability.reshape(len(orders), len(table)))
