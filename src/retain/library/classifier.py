"""A pipeline of retain as a classifier of scikit-learn's kind."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_feature_names,
    _check_n_features,
    check_array,
    check_is_fitted,
    column_or_1d,
)

from retain.learning.pipeline import assemble
from retain.library.training import training_of

N_CLASSES = 2


class PipelineClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped library
    """A binary classifier that imputes, samples, encodes, scales and calibrates as a run does.

    Parameters
    ----------
    model, sampler, scaling
        A name of ``conf/``, or an unfitted object.
    calibration
        A name of ``conf/calibration``.
    seed
        Of models and samplers.

    Attributes
    ----------
    classes_
        The two classes, in order.
    pipeline_
        The fitted steps.
    n_features_in_, feature_names_in_
        The columns that it was fitted on; names only if they were given by a frame.

    Examples
    --------
    >>> frame = pd.DataFrame({"visits": [1.0, 9, 2, None] * 5, "city": ["Omsk", "Kazan"] * 10})
    >>> found = PipelineClassifier("logreg").fit(frame, ["no", "yes"] * 10)
    >>> found.predict(frame[:2]).tolist(), found.predict_proba(frame[:2]).shape
    (['no', 'yes'], (2, 2))
    """

    def __init__(
        self,
        model: object = "logreg",
        *,
        sampler: object = "none",
        scaling: object = "standard",
        calibration: str = "none",
        seed: int = 0,
    ) -> None:
        self.model = model
        self.sampler = sampler
        self.scaling = scaling
        self.calibration = calibration
        self.seed = seed

    def __sklearn_tags__(self) -> Tags:
        """Return what it takes: two classes, missing values, texts."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Fit on a frame, numbers as numbers and other columns as categories, or on an array.

        Raises
        ------
        ValueError
            The rows are not of two classes.
        """
        table = self._table(X, reset=True)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if len(y) != len(table):
            raise ValueError(f"X has {len(table)} rows and y has {len(y)}")
        self.classes_, target = np.unique(y, return_inverse=True)
        if len(self.classes_) != N_CLASSES:
            found = f"Only binary classification is supported; the target has {len(self.classes_)}"
            raise ValueError(f"{found} class{'es' * (len(self.classes_) != 1)}.")
        parts = {"model": self.model, "sampler": self.sampler, "scaling": self.scaling}
        keys = {"calibration": self.calibration, "seed": self.seed}
        spec = training_of(parts, keys).pipeline
        alone = pd.Series(np.arange(len(table)), index=table.index)
        self.pipeline_ = assemble(spec, table, alone, self.seed).fit(table, target)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, shape (n, 2)."""
        check_is_fitted(self, "pipeline_")
        found = self.pipeline_.predict_proba(self._table(X, reset=False))
        probabilities: np.ndarray = np.asarray(found, dtype=float)
        return probabilities

    def predict(self, X: Any) -> np.ndarray:
        """Return the likelier class of each row, shape (n,)."""
        likelier = np.argmax(self.predict_proba(X), axis=1)
        classes: np.ndarray = self.classes_[likelier]
        return classes

    def _table(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Return the rows as a feature table: floats, and texts of the pandas type."""
        if not isinstance(X, pd.DataFrame):
            array = check_array(X, dtype="numeric", ensure_all_finite="allow-nan")
            _check_n_features(self, array, reset=reset)
            _check_feature_names(self, X, reset=reset)
            return pd.DataFrame(array.astype(float)).rename(columns=lambda n: f"x{n}")
        if X.empty:
            raise ValueError(
                f"Found array with {len(X)} sample(s) (shape={X.shape}); expected some."
            )
        _check_feature_names(self, X, reset=reset)
        _check_n_features(self, X, reset=reset)
        return pd.DataFrame({str(name): _as_feature(X[name]) for name in X}, index=X.index)


def _as_feature(cells: pd.Series) -> pd.Series:
    is_number = pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_bool_dtype(cells)
    return cells.astype("float64" if is_number else "str")
