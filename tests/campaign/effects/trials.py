"""Invented randomised campaigns, and the models that effects are learned with."""

from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from retain.campaign.effects.spec import EffectsSpec
from retain.campaign.trial.trial import Outcome, Trial
from retain.learning.pipeline import PipelineSpec
from retain.schema.run import Calibration

ARMS = ("nothing", "letter", "call")
LINEAR = LogisticRegression(max_iter=500)


def make_trial(n: int = 600, seed: int = 0, slope: float = 0.0, noise: float = 1.0) -> Trial:
    """Return a campaign of three arms in two strata, money as the outcome.

    The letter is worth 1 + slope × pages on average, the call 2 to everybody.
    """
    random = np.random.default_rng(seed)
    arm = np.arange(n) % 3
    pages = random.normal(size=n)
    channel = random.choice(["web", "shop"], n)
    effect = np.column_stack([np.zeros(n), 1 + slope * pages, np.full(n, 2.0)])
    y = 5 + pages + (channel == "web") + effect[np.arange(n), arm] + noise * random.normal(size=n)
    return Trial(
        ids=pd.Index([f"c{number}" for number in range(n)]),
        arms=ARMS,
        arm=arm,
        propensity=np.full((n, 3), 1 / 3),
        stratum=(np.arange(n) // 3) % 2,
        outcomes={"spend": Outcome("spend", "money", y)},
        covariates=pd.DataFrame({"pages": pages, "channel": channel}),
        cost=np.array([0.0, 0.5, 1.0]),
    )


def with_outcome(trial: Trial, values: np.ndarray, kind: str = "money") -> Trial:
    """Return the campaign with another outcome."""
    return replace(trial, outcomes={"y": Outcome("y", kind, values)})


def without_covariates(trial: Trial) -> Trial:
    """Return the campaign without covariates."""
    return replace(trial, covariates=trial.covariates[[]])


def select(trial: Trial, rows: np.ndarray) -> Trial:
    """Return the customers at some rows, in their order."""
    (outcome,) = trial.outcomes.values()
    return replace(
        trial,
        ids=trial.ids[rows],
        arm=trial.arm[rows],
        propensity=trial.propensity[rows],
        stratum=trial.stratum[rows],
        outcomes={outcome.name: replace(outcome, values=trial.y[rows])},
        covariates=trial.covariates.iloc[rows],
    )


def make_spec(
    learner: str = "dr_learner", model: BaseEstimator = LINEAR, **settings: object
) -> EffectsSpec:
    """Return how effects are learned, with the same model of outcomes and of effects."""
    pipeline = PipelineSpec(
        model=model,
        sampler=None,
        scaling=StandardScaler(),
        calibration=Calibration(name="none", method=None),
        max_categories=30,
    )
    return EffectsSpec(learner, pipeline, pipeline, **settings)
