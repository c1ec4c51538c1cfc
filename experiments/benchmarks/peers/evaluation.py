"""One run of a peer: read the customers, fit a pipeline on each fold, ROC-AUC.

Plain scikit-learn and imbalanced-learn, as one would write them for a single study; retain is not
imported, so that no peer pays for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from imblearn.pipeline import Pipeline
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NOT_FEATURES = ["declined", "profit"]


def read(data: str, folds: str) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Features, target and fold number of the customers who stand in the file of folds."""
    customers = pd.read_csv(data, index_col="customer_id")
    fold = pd.read_csv(folds, index_col="customer_id")["fold"]
    customers = customers.loc[fold.index]
    target = customers["declined"].to_numpy()
    return customers.drop(columns=NOT_FEATURES), target, fold.to_numpy()


def roc_aucs(
    model: Any, sampler: Any, table: pd.DataFrame, target: np.ndarray, fold: np.ndarray
) -> list[float]:
    """ROC-AUC of the probabilities of each fold's customers, by a model fitted on the others."""
    classifier = pipeline(model, sampler)
    values = []
    for k in range(fold.max() + 1):
        train, test = fold != k, fold == k
        fitted = clone(classifier).fit(table[train], target[train])
        probability = fitted.predict_proba(table[test])[:, 1]
        values.append(float(roc_auc_score(target[test], probability)))
    return values


def pipeline(model: Any, sampler: Any) -> Any:
    """Impute, scale, encode, sample, classify; with a logistic curve where there are margins."""
    numbers = Pipeline(
        [
            ("fill", SimpleImputer(strategy="median", add_indicator=True)),
            ("scale", StandardScaler()),
        ]
    )
    text = make_column_selector(dtype_include="str")
    prepare = ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("text", SimpleImputer(strategy="constant", fill_value="(missing)"), text),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=30, sparse_output=False
    )
    encode = ColumnTransformer([("one_hot", one_hot, text)], remainder="passthrough")
    steps = [("prepare", prepare), ("encode", encode), ("sample", sampler), ("model", model)]
    made = Pipeline([(name, step) for name, step in steps if step is not None])
    if hasattr(model, "predict_proba"):
        return made
    inner = StratifiedKFold(3, shuffle=True, random_state=0)
    return CalibratedClassifierCV(made, method="sigmoid", cv=inner, ensemble=False)
