"""Ranks the rows of one table by AutoGluon fitted on another, in a Python that has AutoGluon.

    python autogluon_table.py TRAIN.csv HIDDEN.csv OUT.csv TARGET PRESETS SECONDS

AutoGluon asks for other versions of pandas and scikit-learn than retain, so it has an environment
of its own. Both tables have a column ``id``, which is no feature. OUT.csv: id and score.
"""

from __future__ import annotations

import sys
from tempfile import TemporaryDirectory

import pandas as pd
from autogluon.tabular import TabularPredictor


def main(train: str, hidden: str, out: str, *settings: str) -> None:
    """Fit, predict, write."""
    target, presets, seconds = settings
    rows = pd.read_csv(hidden)
    with TemporaryDirectory() as folder:
        predictor = TabularPredictor(
            label=target, path=folder, eval_metric="roc_auc", problem_type="binary", verbosity=0
        )
        predictor.fit(
            pd.read_csv(train).drop(columns="id"), presets=presets, time_limit=float(seconds)
        )
        score = predictor.predict_proba(rows.drop(columns="id"), as_multiclass=False)
    rows[["id"]].assign(score=score).to_csv(out, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
