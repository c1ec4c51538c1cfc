"""Who drops out of a race: runs done fold by fold, held against the leader after each.

May import: errors, schema, record, customers, learning.

The question a race asks is one-sided: is this run worse than the leader? It is asked again after
every fold and of many runs, so that now and then one is stopped that was no worse. The price is
ties that nobody sees, since those that are close enough to win are seldom stopped: a comparison
after a race names fewer tied runs than one of whole runs does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from retain.verdict.statistics import corrected_resampled_t

ALPHA = 0.05
"""How seldom a run as good as the leader is stopped, at one look."""


def dropped(
    scores: Mapping[str, Sequence[float]], folds: int, test_to_train: float
) -> frozenset[str]:
    """Runs that are worse than the leader on the first ``folds`` folds.

    Parameters
    ----------
    scores
        ROC-AUC by fold (higher is better) of each run by its id, all on the same splits. Runs with
        fewer folds take no part.
    folds
        How many folds are compared, ≥ 2.
    test_to_train
        n_test / n_train of a fold.

    Returns
    -------
    frozenset
        Ids whose mean is lower than the highest with one-sided p < .05 by the corrected resampled
        t-test (Nadeau & Bengio 2003).

    >>> close, far = [0.91, 0.90, 0.92], [0.80, 0.79, 0.82]
    >>> dropped({"a": close, "b": far, "c": [0.92, 0.89, 0.91]}, 3, test_to_train=0.25)
    frozenset({'b'})
    """
    racing = {id_: np.array(values[:folds]) for id_, values in scores.items()}
    racing = {id_: values for id_, values in racing.items() if len(values) == folds}
    if not racing:
        return frozenset()
    best = racing[min(racing, key=lambda id_: (-racing[id_].mean(), id_))]
    return frozenset(
        id_ for id_, values in racing.items() if _worse(list(values - best), test_to_train)
    )


def _worse(differences: list[float], test_to_train: float) -> bool:
    """Whether a mean difference to the leader is below zero for more than chance."""
    _, p = corrected_resampled_t(differences, test_to_train)
    return sum(differences) < 0 and p / 2 < ALPHA
