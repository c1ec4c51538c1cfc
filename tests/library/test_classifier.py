"""A pipeline of retain among scikit-learn's estimators."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from retain import PipelineClassifier

WAIVED = {}
"""Checks of scikit-learn that do not hold, with the reason; none."""


@pytest.mark.slow
def test_it_passes_the_checks_of_scikit_learn():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of models on the odd data of the checks
        results = check_estimator(PipelineClassifier(), on_skip=None, expected_failed_checks=WAIVED)
    assert len([one for one in results if one["status"] == "passed"]) > 50


def test_texts_are_categories_and_gaps_are_filled():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"visits": rng.normal(size=200), "city": rng.choice(["Omsk", "Kazan"], 200)}
    )
    frame.loc[::7, "visits"] = np.nan
    frame.loc[::11, "city"] = None
    target = np.where(frame["visits"].fillna(0) + (frame["city"] == "Omsk") > 0.5, "left", "stayed")
    found = PipelineClassifier("logreg", sampler="random_over")
    assert cross_val_score(found, frame, target, scoring="roc_auc").mean() > 0.9
    assert found.fit(frame, target).classes_.tolist() == ["left", "stayed"]
