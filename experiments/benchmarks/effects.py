"""Times learning the effects of a campaign against the bare fits of its models.

    python experiments/benchmarks/effects.py [--customers 100000] [--rounds 3]

Made-up customers of three arms, five folds, conf/model=lightgbm for outcomes and effects. retain:
``learn_effects`` with the doubly robust learner, tests and shrinkage included, and the comparison
of policies. Bare: the same models fitted to arrays made before, and their predictions. Both take
turns on one thread. The section of README.md is rewritten when the whole work was done.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from lightgbm import LGBMClassifier
from rounds import Round
from sklearn.preprocessing import StandardScaler

from report import figures, machine, rewrite
from retain.campaign.effects.learners import LearnedEffects, learn_effects
from retain.campaign.effects.policies import Payoff, build_policies
from retain.campaign.effects.policy_value import compare_policies
from retain.campaign.effects.spec import EffectsSpec
from retain.campaign.trial.trial import Outcome, Trial
from retain.learning.pipeline import PipelineSpec
from retain.learning.regression import regression_counterpart
from retain.schema.run import Calibration

CUSTOMERS, ROUNDS, FOLDS, SECTION = 100_000, 1, 5, "effects"
LEARN, COMPARE, BARE = "learn_effects, CPU s", "compare_policies, CPU s", "bare fits, CPU s"
RATIO = "learn_effects by the bare fits"
TARGETS = {RATIO: "≤ 1.3"}
MODEL = Path(__file__).resolve().parents[2] / "conf" / "model" / "lightgbm.yaml"


def main() -> None:
    """Time both in rounds, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    done = [one_round(make_trial(args.customers, seed)) for seed in range(args.rounds)]
    text = told(args.customers, done)
    print(f"\n{text}\n")
    if args.customers == CUSTOMERS and args.rounds >= ROUNDS:
        rewrite(SECTION, text)
    else:
        print("README.md stays as it is: this was not the whole work.")


def told(customers: int, rounds: Sequence[Round]) -> str:
    """Return the section."""
    about = f"{customers:,} customers, 3 arms, {FOLDS} folds, 12 covariates, one thread. "
    return f"{about}Rounds: {len(rounds)}. {machine()}.\n\n{figures(rounds, TARGETS)}"


def make_trial(n: int, seed: int) -> Trial:
    """Return a campaign of three arms with ten numbers and two categories as covariates."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.normal(size=(n, 10)), columns=[f"x{i}" for i in range(10)])
    table["channel"] = random.choice(["web", "shop", "phone"], n)
    table["region"] = random.choice(list("abcdefgh"), n)
    arm = random.integers(0, 3, n)
    risk = 0.2 + 0.05 * np.tanh(table["x0"]) + 0.03 * arm * (table["x1"] > 0)
    y = (random.random(n) < risk).astype(float)
    return Trial(
        ids=pd.RangeIndex(n),
        arms=("nothing", "letter", "call"),
        arm=arm,
        propensity=np.full((n, 3), 1 / 3),
        stratum=np.zeros(n, dtype=int),
        outcomes={"bought": Outcome("bought", "binary", y)},
        covariates=table,
        cost=np.array([0.0, 0.01, 0.02]),
    )


def lightgbm() -> LGBMClassifier:
    """Return the model of conf/model/lightgbm.yaml on one thread."""
    node = yaml.safe_load(MODEL.read_text(encoding="utf-8"))
    other = {"name", "_target_", "search"}
    parameters = {key: value for key, value in node.items() if key not in other}
    return LGBMClassifier(**{**parameters, "n_jobs": 1, "random_state": 0})


def one_round(trial: Trial) -> Round:
    """Time both in turn, in seconds of the processor."""
    pipeline = PipelineSpec(
        model=lightgbm(),
        sampler=None,
        scaling=StandardScaler(),
        calibration=Calibration(name="none", method=None),
        max_categories=30,
    )
    marks = [time.process_time()]
    effects = learn_effects(trial, EffectsSpec("dr_learner", pipeline, pipeline, n_folds=FOLDS))
    marks.append(time.process_time())
    payoff = Payoff(1.0, trial.cost)
    compare_policies(effects, payoff, build_policies(effects, payoff))
    marks.append(time.process_time())
    columns = pd.get_dummies(trial.covariates).to_numpy(dtype=float)
    fits = list(bare_fits(effects))
    marks.append(time.process_time())
    for train, y, test in fits:
        model = lightgbm() if set(y[:50]) <= {0.0, 1.0} else regression_counterpart(lightgbm())
        model.fit(columns[train], y)
        getattr(model, "predict_proba", model.predict)(columns[test])
    marks.append(time.process_time())
    learn, compare, _, bare = np.diff(marks).tolist()
    return Round(figures={LEARN: learn, COMPARE: compare, BARE: bare, RATIO: learn / bare})


def bare_fits(effects: LearnedEffects) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield training rows, target and test rows of every model that is fitted."""
    trial, fold, contrasts = effects.trial, effects.scores.fold, effects.scores.contrasts
    for k in range(FOLDS):
        for arm in range(3):
            rows = (fold != k) & (trial.arm == arm)
            yield rows, trial.y[rows], fold == k
    splits = [(fold != k, fold == k) for k in range(FOLDS)]
    splits += [(fold < k, fold == k) for k in range(1, FOLDS - 1)]
    for j, k in combinations(range(FOLDS), 2):
        test = (fold == j) | (fold == k)
        splits.append((~test, test))
    splits.append((fold >= 0, fold < 0))  # for later customers, none of whom is there yet
    for rows, test in splits:
        for arm in (1, 2):
            yield rows, contrasts[rows, arm], test if test.any() else fold == 0


if __name__ == "__main__":
    main()
