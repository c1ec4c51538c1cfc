"""Early stopping: after each fold, runs are compared with the leader and eliminated.

The test is one-sided: is this run worse than the leader? It is repeated after every fold for many
runs, so a run that is not worse is stopped now and then. Such runs are seldom close to the best,
but a comparison after a race names fewer tied runs than one of whole runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from retain.verdict.paired import corrected_resampled_t

ALPHA = 0.05
"""Probability that one comparison stops a run as good as the leader."""


def eliminated_runs(
    scores: Mapping[str, Sequence[float]],
    folds: int,
    test_to_train: float,
    alpha: float = ALPHA,
) -> frozenset[str]:
    """Return runs that are worse than the leader on the first ``folds`` folds.

    Parameters
    ----------
    scores
        ROC-AUC by fold (higher is better) of each run by its id, all on the same splits. Runs with
        fewer folds take no part.
    folds
        Number of folds compared, ≥ 2.
    test_to_train
        n_test / n_train of a fold.
    alpha
        One-sided level of the test.

    Returns
    -------
    frozenset
        Ids whose mean is lower than the highest with one-sided p < ``alpha`` by the corrected
        resampled t-test (Nadeau & Bengio 2003).

    >>> close, far = [0.91, 0.90, 0.92], [0.80, 0.79, 0.82]
    >>> eliminated_runs({"a": close, "b": far, "c": [0.92, 0.89, 0.91]}, 3, test_to_train=0.25)
    frozenset({'b'})
    """
    racing = {id_: np.array(values[:folds]) for id_, values in scores.items()}
    racing = {id_: values for id_, values in racing.items() if len(values) == folds}
    if not racing:
        return frozenset()
    best = racing[min(racing, key=lambda id_: (-racing[id_].mean(), id_))]
    differences = {id_: list(values - best) for id_, values in racing.items()}
    return frozenset(
        id_
        for id_, below in differences.items()
        if sum(below) < 0 and corrected_resampled_t(below, test_to_train)[1] / 2 < alpha
    )
