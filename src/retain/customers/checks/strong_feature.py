"""The check for a feature that is suspiciously strong, though no single one is a certain leak."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from retain.customers.checks.data_check import (
    DataCheck,
    Folding,
    drop_hint,
    feature_aucs,
    known_target,
)
from retain.customers.checks.univariate_auc import Numbers, UnivariateAuc, auc_of_codes, rank_codes
from retain.customers.customers import Customers

FEATURE_AUC = 0.95
"""Above the AUC of whole models in retail (.90 to .93): a single column this good is a leak."""
STRONG_AUC = 0.90
"""As good as whole models in retail: a single column may be, but rarely is."""
MIN_LEAD, MIN_LEADING_AUC = 0.10, 0.75
"""Lead of one feature over a model of all others, and the AUC from which it is looked for."""
MIN_OTHERS = 2
"""Other features without which a model of them says little."""
MAX_ROWS = 5_000
"""Customers on whom the model of the others is validated."""
N_FOLDS, N_TREES = 3, 50


def strong_feature(customers: Customers, folding: Folding) -> DataCheck:
    """Check that no feature alone is as good as a model, or far better than all others together."""
    code, target = "strong_feature", known_target(customers)
    aucs = feature_aucs(customers, target, folding)
    strong = {
        name: one
        for name, one in aucs.items()
        if one.exceeds(STRONG_AUC) and one.separation <= FEATURE_AUC
    }
    if strong:
        message = _describe(customers, strong, "as good as a whole model")
        return DataCheck(code, "caution", message, {"aucs": _separations(strong)})
    best = max(aucs, key=lambda name: aucs[name].separation)
    lead = f"no feature alone is above AUC {STRONG_AUC:.2f}"
    if len(aucs) <= MIN_OTHERS or not aucs[best].exceeds(MIN_LEADING_AUC):
        return DataCheck(code, "passed", lead, {"threshold": STRONG_AUC})
    if aucs[best].separation > FEATURE_AUC:
        message = "single_feature_auc reports the features above it"
        return DataCheck(code, "passed", message, {"threshold": FEATURE_AUC})
    rest = auc_of_others(customers, [name for name in aucs if name != best], target)
    if aucs[best].separation - rest < MIN_LEAD:
        message = f"{lead}, or {MIN_LEAD:.1f} above a model of the others"
        return DataCheck(code, "passed", message, {"threshold": STRONG_AUC, "lead": MIN_LEAD})
    why = f"far better than a model of all other features (AUC {rest:.2f})"
    strong = {best: aucs[best]}
    message = _describe(customers, strong, why)
    return DataCheck(code, "caution", message, {"aucs": _separations(strong), "others_auc": rest})


def _separations(strong: Mapping[str, UnivariateAuc]) -> dict[str, float]:
    return {name: one.separation for name, one in strong.items()}


def _describe(customers: Customers, strong: Mapping[str, UnivariateAuc], why: str) -> str:
    listed = ", ".join(f"{name!r} (AUC {one.separation:.3f})" for name, one in strong.items())
    one = "feature" if len(strong) == 1 else "features"
    message = f"{one} {listed} alone tells who declined, {why}; was it known in time?"
    return message + drop_hint(customers, strong)


def auc_of_others(customers: Customers, names: list[str], target: Numbers) -> float:
    """Return the cross-validated ROC-AUC of a small boosted model of some features."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rows = np.arange(len(target))
    if len(rows) > MAX_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MAX_ROWS, replace=False))
    table = pd.DataFrame({name: _codes(customers, name).iloc[rows] for name in names})
    labels = target[rows]
    if np.bincount(labels, minlength=2).min() < N_FOLDS:
        return 0.5
    model = HistGradientBoostingClassifier(max_iter=N_TREES, random_state=0)
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=0)
    with threadpool_limits(1, "openmp"):  # on so few rows threads would only wait for each other
        scores = cross_val_predict(model, table, labels, cv=folds, method="predict_proba")[:, 1]
    return auc_of_codes(rank_codes(pd.Series(scores)), labels).auc


def _codes(customers: Customers, name: str) -> pd.Series:
    """Return a feature as numbers; a category as its frequency, most frequent first."""
    values = customers.features[name].reset_index(drop=True)
    if customers.columns[name].kind == "number":
        return values
    ranks = {level: n for n, level in enumerate(values.value_counts().index)}
    return values.map(ranks).astype("float64")
