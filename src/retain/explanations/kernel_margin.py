"""The margin of a support vector machine for rows that change feature by feature.

Each kernel of scikit-learn is a function of a sum over columns: of products, or for ``rbf`` of
squared differences. A row that takes over one feature of another row changes one term of that
sum; the model itself would compute all of them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, NuSVC

from retain.learning.columns import column_origins, transformed_columns

Kernel = Callable[[np.ndarray], np.ndarray]
BLOCK_NUMBERS = 250_000
"""Numbers held at a time, so that they stay within the cache of a core."""
TOLERANCE = 1e-9
"""Largest difference from the model's own margin, relative to the largest margin."""


@dataclass(frozen=True)
class KernelMargin:
    """A fitted support vector machine of two classes at the end of a pipeline.

    Attributes
    ----------
    background
        Rows that walks begin at, as the machine sees them, shape (n_background, n_columns).
    features
        Columns of the machine by feature.
    kernel
        The kernel of sums over columns, which may write over its argument.
    """

    pipeline: Pipeline
    background: np.ndarray
    features: Sequence[np.ndarray]
    kernel: Kernel

    @classmethod
    def of(cls, model: BaseEstimator, background: pd.DataFrame) -> KernelMargin | None:
        """Return the margin of ``model``, or None if that of the background is another one."""
        if not isinstance(model, Pipeline) or not isinstance(model[-1], SVC | NuSVC):
            return None
        kernel = _kernel(model[-1])
        if kernel is None:
            return None
        origins, count = np.asarray(column_origins(model)), background.shape[1]
        features = [np.flatnonzero(origins == name) for name in background]
        found = cls(model, transformed_columns(model, background), features, kernel)
        order = np.broadcast_to(np.arange(count), (len(background), len(background), count))
        walked, margin = found.walk(background, order), model.decision_function(background)
        far = np.abs(walked[..., -1] - margin[:, None]).max()
        return found if far <= TOLERANCE * max(1.0, np.abs(margin).max()) else None

    def walk(self, table: pd.DataFrame, order: np.ndarray) -> np.ndarray:
        """Return the margins while background rows take over the values of rows.

        Parameters
        ----------
        order
            Positions of features in the order of taking over, shape
            (n_rows, n_background, n_features).

        Returns
        -------
        numpy.ndarray
            The margins before the first step and after each, shape
            (n_rows, n_background, n_features + 1).
        """
        last = self.pipeline[-1]
        rows, others = transformed_columns(self.pipeline, table), self.background
        count = len(self.features)
        margins = np.full((len(rows), len(others), count + 1), float(last.intercept_[0]))
        step = max(1, BLOCK_NUMBERS // (len(others) * (count + 1)))
        for start in range(0, len(last.support_vectors_), step):
            vectors = last.support_vectors_[start : start + step]
            weights = last.dual_coef_[0, start : start + step]
            own, other = self._terms(rows, vectors), self._terms(others, vectors)
            sums = np.empty((len(others), count + 1, len(vectors)))
            every = np.arange(len(others))[:, None]
            for row in range(len(rows)):
                sums[:, 0] = other.sum(axis=1)
                sums[:, 1:] = (own[row] - other)[every, order[row]]
                for feature in range(count):  # much faster than np.cumsum along this axis
                    sums[:, feature + 1] += sums[:, feature]
                margins[row] += self.kernel(sums) @ weights
        return margins

    def _terms(self, rows: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Return the part of each feature in the sum, shape (n_rows, n_features, n_vectors)."""
        squared = self.pipeline[-1].kernel == "rbf"
        terms = np.empty((len(rows), len(self.features), len(vectors)))
        for j, columns in enumerate(self.features):
            one, other = rows[:, None, columns], vectors[None, :, columns]
            terms[:, j] = ((one - other) ** 2 if squared else one * other).sum(axis=2)
        return terms


def _kernel(machine: SVC | NuSVC) -> Kernel | None:
    """Return the kernel of sums over columns, or None if it is a function of the user's."""
    gamma, shift, degree = machine._gamma, machine.coef0, machine.degree  # noqa: SLF001 - of "scale" there is no public value
    kernels: dict[str, Kernel] = {
        "linear": lambda sums: sums,
        "rbf": lambda sums: np.exp(np.multiply(sums, -gamma, out=sums), out=sums),
        "poly": lambda sums: (gamma * sums + shift) ** degree,
        "sigmoid": lambda sums: np.tanh(gamma * sums + shift),
    }
    return kernels.get(machine.kernel) if isinstance(machine.kernel, str) else None
