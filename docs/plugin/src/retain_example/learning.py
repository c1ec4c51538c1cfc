"""A model, a sampler, a scaling, a calibration, two metrics and two features."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, OneToOneFeatureMixin, TransformerMixin
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from retain import plugins


@plugins.model("hinge_logistic")
class HingeLogistic(ClassifierMixin, BaseEstimator):
    """Logistic regression whose slopes change at quantiles of each feature."""

    def __init__(self, C=0.1, knots=2):
        self.C = C
        self.knots = knots

    def fit(self, X, y):
        shares = np.arange(1, self.knots + 1) / (self.knots + 1)
        self.knots_ = np.quantile(X, shares, axis=0)
        self.model_ = LogisticRegression(C=self.C, max_iter=1000).fit(self._hinges(X), y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(self._hinges(X))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _hinges(self, X):
        values = np.asarray(X, dtype=float)
        return np.hstack([values, *(np.maximum(values - knot, 0) for knot in self.knots_)])


@plugins.sampler("half_majority")
class HalfMajority(BaseEstimator):
    """Leaves out a share of the larger class."""

    def __init__(self, share=0.5, random_state=None):
        self.share = share
        self.random_state = random_state

    def fit_resample(self, X, y):
        random = np.random.default_rng(self.random_state)
        larger = int(np.mean(y) > 0.5)
        kept = (y != larger) | (random.uniform(size=len(y)) >= self.share)
        return X[kept], y[kept]


@plugins.scaling("signed_root")
class SignedRoot(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Square roots that keep the sign: long tails count less."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        values = np.asarray(X, dtype=float)
        return np.sign(values) * np.sqrt(np.abs(values))


@plugins.calibration("smoothed_isotonic")
class SmoothedIsotonic(BaseEstimator):
    """The mean of the probability and its isotonic calibration."""

    def fit(self, probability, target):
        self.curve_ = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        self.curve_.fit(probability, target)
        return self

    def predict(self, probability):
        return (probability + self.curve_.predict(probability)) / 2


@plugins.metric("gini", higher_is_better=True, bounds=(-1, 1))
def gini(target, probability):
    """Return 2 · ROC-AUC − 1, a metric of a set of customers."""
    from sklearn.metrics import roc_auc_score

    return 2 * roc_auc_score(target, probability) - 1


@plugins.metric("missed_profit", higher_is_better=False, per_customer=True, profit=True)
def missed_profit(target, probability, profit):
    """Return the profit of each decliner below a risk of one half, 0 of all others."""
    return np.where((target == 1) & (probability < 0.5), np.nan_to_num(profit), 0.0)


@plugins.feature(
    "minutes_per_page",
    inputs=["minutes_current", "pages_per_visit"],
    group="site",
    en="Minutes per page",
    ru="Минут на страницу",
)
def minutes_per_page(table):
    """Return a feature computed from a customer's row."""
    return table["minutes_current"] / table["pages_per_visit"].replace(0, np.nan)


@plugins.feature("decline_rate_by_category", inputs=["popular_category"])
class DeclineRate(BaseEstimator):
    """The smoothed decline rate of each level, learned within the training rows of a fold."""

    def fit(self, values, target):
        self.overall_ = float(np.mean(target))
        levels = values.fillna("").astype(str).to_numpy()
        names, codes = np.unique(levels, return_inverse=True)
        declined, count = np.bincount(codes, target), np.bincount(codes)
        rates = (declined + 10 * self.overall_) / (count + 10)
        self.rates_ = dict(zip(names.tolist(), rates.tolist(), strict=True))
        return self

    def transform(self, values):
        return values.fillna("").astype(str).map(self.rates_).fillna(self.overall_).to_numpy()
