"""Regression counterparts of classifiers, for outcomes that are counts or money."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import SVC, SVR

from retain.errors import NotApplicable
from retain.learning.parameters import parameter_names

NOT_SHARED = {"class_weight", "criterion", "loss", "objective", "eval_metric", "strategy"}
"""Parameters whose values mean something else to a regression."""


def regression_counterpart(model: BaseEstimator) -> BaseEstimator:
    """Return the unfitted regression of a classifier's family, with the parameters they share.

    Logistic regression becomes ridge regression, with a penalty of 1 ÷ C.

    Raises
    ------
    NotApplicable
        The classifier's library has no such regression.

    >>> from sklearn.tree import DecisionTreeClassifier
    >>> regression_counterpart(DecisionTreeClassifier(max_depth=3))
    DecisionTreeRegressor(max_depth=3)
    >>> regression_counterpart(LogisticRegression(C=0.5))
    Ridge(alpha=2.0)
    """
    if isinstance(model, LogisticRegression):
        return Ridge(alpha=1 / model.C)
    target: Any = SVR if isinstance(model, SVC) else _find_regression(type(model))
    if target is None:
        raise NotApplicable(f"{type(model).__name__} has no regression counterpart")
    shared = set(parameter_names(target)) - NOT_SHARED
    given = model.get_params(deep=False)
    return target(**{name: value for name, value in given.items() if name in shared})


def _find_regression(classifier: type) -> type[BaseEstimator] | None:
    """Return the class of the same public module whose name ends in Regressor."""
    public = import_module(".".join(classifier.__module__.split(".")[:2]))
    name = classifier.__name__.replace("Classifier", "Regressor")
    return None if name == classifier.__name__ else getattr(public, name, None)
