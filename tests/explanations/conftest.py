"""Winners to explain: an experiment of any model on invented customers, fitted fold by fold."""

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from retain.explanations.time_budget import TimeBudget
from retain.learning.pipeline import PipelineSpec
from retain.learning.scoring import FoldScorer, TrainingSpec
from retain.learning.splitting import make_splits
from retain.schema.run import Calibration


@pytest.fixture
def experiment(all_features, some_metrics):
    def made(model=None, sampler=None, method=None, seed=0):
        recipe = PipelineSpec(
            model=LogisticRegression(max_iter=500) if model is None else model,
            sampler=sampler,
            scaling=StandardScaler(),
            calibration=Calibration(name=method or "none", method=method),
            max_categories=4,
        )
        return TrainingSpec(recipe, all_features, some_metrics, seed=seed)

    return made


@pytest.fixture
def scoring(experiment, three_folds):
    def made(customers, model=None, **how):
        splits = make_splits(customers, three_folds)
        return FoldScorer(experiment(model, **how), customers, splits, None), splits

    return made


@pytest.fixture
def ample():
    """Time enough for anything here."""
    return TimeBudget(seconds=300.0, rows=400, background=10, seed=0)
