"""Several models as one: the average of their calibrated probabilities, or of their ranks."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

EDGE = 1e-6


class Blend(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Average of classifiers that are each calibrated on their own out-of-fold scores.

    Parameters
    ----------
    members
        Name → classifier with ``predict_proba``.
    average
        ``probability``: each member's out-of-fold log-odds are mapped to probabilities by a
        logistic curve (Platt 1999), and these are averaged. ``rank``: each member's score becomes
        its rank among that member's out-of-fold scores, the ranks are averaged, and one logistic
        curve maps the average to a probability.
    folds
        Inner folds (a number, or a splitter) for the out-of-fold scores.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    """

    def __init__(
        self,
        members: dict[str, Any],
        average: Literal["probability", "rank"] = "probability",
        folds: Any = 3,
    ) -> None:
        self.members = members
        self.average = average
        self.folds = folds

    def fit(self, X: pd.DataFrame, y: Any) -> Blend:
        """Fit every member on all rows, and its curve on its out-of-fold scores."""
        self.classes_ = np.unique(y)
        self.fitted_, outside = {}, {}
        for name, member in self.members.items():
            scores = cross_val_predict(clone(member), X, y, cv=self.folds, method="predict_proba")
            outside[name] = scores[:, 1]
            self.fitted_[name] = clone(member).fit(X, y)
        self.references_ = {name: np.sort(scores) for name, scores in outside.items()}
        self.curves_ = self._curves(outside, y)
        return self

    def _curves(self, outside: dict[str, np.ndarray], y: Any) -> dict[str, LogisticRegression]:
        if self.average == "rank":
            return {"rank": LogisticRegression(C=np.inf).fit(self._ranks(outside), y)}
        return {
            name: LogisticRegression(C=np.inf).fit(_log_odds(scores), y)
            for name, scores in outside.items()
        }

    def _ranks(self, scores: dict[str, np.ndarray]) -> np.ndarray:
        """Mean rank in [0, 1], shape (n, 1)."""
        ranks = []
        for name, values in scores.items():
            reference = self.references_[name]
            low = np.searchsorted(reference, values, side="left")
            high = np.searchsorted(reference, values, side="right")
            ranks.append((low + high) / (2 * len(reference)))
        return np.asarray(np.mean(ranks, axis=0)[:, None])

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Probabilities of both classes, shape (n, 2)."""
        scores = {name: member.predict_proba(X)[:, 1] for name, member in self.fitted_.items()}
        if self.average == "rank":
            return np.asarray(self.curves_["rank"].predict_proba(self._ranks(scores)))
        curved = [self.curves_[name].predict_proba(_log_odds(s)) for name, s in scores.items()]
        return np.asarray(np.mean(curved, axis=0))

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return the likelier class."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])


def _log_odds(probability: np.ndarray) -> np.ndarray:
    inside = np.clip(probability, EDGE, 1 - EDGE)
    return np.asarray(np.log(inside / (1 - inside))[:, None])
