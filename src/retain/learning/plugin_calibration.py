"""A classifier calibrated by a registered calibration."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import cross_val_predict

from retain.errors import RetainError
from retain.plugins.registry import require


class PluginCalibratedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose probabilities a registered calibration maps to others.

    The calibration is fitted on probabilities of rows that the classifier was not fitted on; the
    classifier is then fitted on all rows, as ``CalibratedClassifierCV(ensemble=False)`` does.

    Parameters
    ----------
    method
        Name of the calibration.
    cv
        A splitter of scikit-learn.
    """

    def __init__(self, estimator: BaseEstimator, method: str, cv: Any) -> None:
        self.estimator = estimator
        self.method = method
        self.cv = cv

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Self:
        """Fit on rows ``X`` with targets ``y``, 0 or 1, shape (n,)."""
        found = cross_val_predict(self.estimator, X, y, cv=self.cv, method="predict_proba")
        self.calibration_ = require("calibration", self.method, "calibration.method").target()
        self.calibration_.fit(found[:, 1], np.asarray(y))
        self.estimator_ = clone(self.estimator).fit(X, y)
        self.classes_ = self.estimator_.classes_
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return calibrated probabilities of both classes, shape (n, 2).

        Raises
        ------
        RetainError
            The calibration gives no probabilities.
        """
        before = self.estimator_.predict_proba(X)[:, 1]
        found = np.asarray(self.calibration_.predict(before), dtype=float)
        if found.shape != before.shape or not ((found >= 0) & (found <= 1)).all():
            raise RetainError(
                f"the calibration {self.method!r} gives an array of shape {found.shape} with "
                f"values from {found.min():g} to {found.max():g}; expected {before.shape} and "
                "probabilities, 0 to 1."
            )
        return np.column_stack([1 - found, found])

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return the more probable class of each row, shape (n,)."""
        return np.asarray(self.classes_[(self.predict_proba(X)[:, 1] >= 0.5).astype(int)])
