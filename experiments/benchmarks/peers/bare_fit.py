"""Writes the ROC-AUC of each fold of a logistic regression, with nothing around the fits.

    python bare_fit.py DATA FOLDS OUT

What one run needs: pandas, scikit-learn, the file, the fits. There is no sampler, and the library
of samplers is not imported.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def main() -> None:
    """Read, fit, write."""
    data, folds, out = map(Path, sys.argv[1:])
    customers = pd.read_csv(data, index_col="customer_id")
    fold = pd.read_csv(folds, index_col="customer_id")["fold"]
    table = customers.loc[fold.index]
    target = table.pop("declined").to_numpy()
    table = table.drop(columns="profit")
    values = []
    for k in range(fold.max() + 1):
        train, test = (fold != k).to_numpy(), (fold == k).to_numpy()
        fitted = clone(pipeline()).fit(table[train], target[train])
        probability = fitted.predict_proba(table[test])[:, 1]
        values.append(float(roc_auc_score(target[test], probability)))
    out.write_text(json.dumps(values), encoding="utf-8")


def pipeline() -> Pipeline:
    """Impute, scale, encode, classify."""
    numbers = [("fill", SimpleImputer(strategy="median")), ("scale", StandardScaler())]
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=30)
    parts = [
        ("numbers", Pipeline(numbers), make_column_selector(dtype_include="number")),
        ("text", one_hot, make_column_selector(dtype_include="str")),
    ]
    model = LogisticRegression(max_iter=1000)
    return Pipeline([("prepare", ColumnTransformer(parts)), ("model", model)])


if __name__ == "__main__":
    main()
