"""Two real campaigns: one where a simple plan is as good as any, and one where risk loses money."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from retain.campaign.effects.learners import learn_effects
from retain.campaign.effects.policies import Payoff, build_policies, rank_customers
from retain.campaign.effects.policy_value import compare_policies, value_by_share
from retain.campaign.readout.looks import Monitor
from retain.campaign.readout.subgroups import estimate_subgroups
from retain.campaign.trial.covariates import encode_covariates
from retain.campaign.trial.trial import Outcome, Trial

from .trials import make_spec

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def read_experiment(checkout):
    """Reads a file of real experiments, beside the checkout or where one says."""
    root = Path(os.environ.get("RETAIN_DATA", checkout.parent / "shared" / "data"))

    def read(name):
        path = root / "experiments" / name
        if not path.is_file():
            pytest.skip(f"{name} is not in {root}; set RETAIN_DATA to the folder above experiments")
        return pd.read_csv(path)

    return read


@pytest.fixture(scope="module")
def promotion(read_experiment):
    """One promotion, its outcome whether anything was bought."""
    table = read_experiment("starbucks_training.csv")
    covariates = table[[f"V{i}" for i in range(1, 8)]]
    named = ["V1", "V4", "V5", "V6", "V7"]
    return Trial(
        ids=pd.Index(table["ID"]),
        arms=("none", "promotion"),
        arm=(table["Promotion"] == "Yes").to_numpy(dtype=int),
        propensity=np.full((len(table), 2), 0.5),
        stratum=np.zeros(len(table), dtype=int),
        outcomes={"purchase": Outcome("purchase", "binary", table["purchase"].to_numpy(float))},
        covariates=covariates.astype(dict.fromkeys(named, str)),
        cost=np.array([0.0, 0.15]),
    )


def at_share(curve, ranking, share=0.3):
    return curve[(curve["ranking"] == ranking) & (curve["share"] == share)].iloc[0]


def test_by_risk_or_likely_purchase_a_promotion_loses_and_by_its_effect_it_earns(promotion):
    effects = learn_effects(promotion, make_spec())
    payoff = Payoff(10.0, promotion.cost)
    curve = value_by_share(effects, payoff, rank_customers(effects, payoff), [0.3])
    assert at_share(curve, "by_risk")["value"] < 0
    assert at_share(curve, "by_baseline")["band_high"] < 0
    assert at_share(curve, "learned")["band_low"] > 0
    assert effects.is_heterogeneous
    comparison = compare_policies(effects, payoff, build_policies(effects, payoff))
    assert comparison.chosen == "learned"
    assert next(p for p in comparison.policies if p.policy == "learned").value.low > 0


def one_hot(promotion):
    numbers = promotion.covariates[["V2", "V3"]]
    names = promotion.covariates.drop(columns=numbers.columns)
    return StandardScaler().fit_transform(pd.get_dummies(names).join(numbers).astype(float))


def inverse_probability_value(chosen, treated, purchase):
    """Return the mean net value of contacting the chosen ones, and its standard error."""
    each = chosen * (np.where(treated, 2.0, -2.0) * 10 * purchase - 0.15)
    return each.mean(), each.std() / np.sqrt(len(each))


# Nothing of the package: scikit-learn's folds and models, effects by two logistic regressions or
# by a ridge regression of transformed outcomes, values by inverse probabilities.
def test_plain_scikit_learn_finds_the_same_of_the_promotion(promotion):
    x, treated, purchase = one_hot(promotion), promotion.arm == 1, promotion.y
    score = {"baseline": np.empty(len(x)), "two models": np.empty(len(x))}
    score["transformed"] = np.empty(len(x))
    for train, test in KFold(5, shuffle=True, random_state=0).split(x):
        found = []
        for arm in (False, True):
            rows = train[treated[train] == arm]
            model = LogisticRegression(max_iter=1000).fit(x[rows], purchase[rows])
            found.append(model.predict_proba(x[test])[:, 1])
        score["baseline"][test] = found[0]
        score["two models"][test] = found[1] - found[0]
        transformed = np.where(treated, 2.0, -2.0) * purchase
        score["transformed"][test] = Ridge(100.0).fit(x[train], transformed[train]).predict(x[test])
    values = {}
    for name, scores in score.items():
        chosen = scores > np.quantile(scores, 0.7)
        value, error = inverse_probability_value(chosen, treated, purchase)
        values[name] = value - 1.96 * error, value + 1.96 * error
    assert values["baseline"][1] < 0
    assert values["two models"][0] > 0
    assert values["transformed"][0] > 0


@pytest.fixture(scope="module")
def two_e_mails(read_experiment):
    """Two e-mails and none, by an outcome."""
    table = read_experiment("hillstrom.csv")
    arms = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
    columns = ["recency", "history", "mens", "womens", "zip_code", "newbie", "channel"]

    def make(outcome):
        return Trial(
            ids=pd.RangeIndex(len(table)),
            arms=arms,
            arm=table["segment"].map({name: i for i, name in enumerate(arms)}).to_numpy(),
            propensity=np.full((len(table), 3), 1 / 3),
            stratum=np.zeros(len(table), dtype=int),
            outcomes={outcome: Outcome(outcome, "binary", table[outcome].to_numpy(float))},
            covariates=table[columns],
            cost=np.zeros(3),
        )

    return make


@pytest.mark.parametrize("outcome", ["visit", "conversion"])
def test_a_personal_choice_of_e_mail_is_tied_with_the_same_for_everybody(two_e_mails, outcome):
    trial = two_e_mails(outcome)
    effects = learn_effects(trial, make_spec())
    payoff = Payoff(1.0, trial.cost)
    comparison = compare_policies(effects, payoff, build_policies(effects, payoff))
    assert comparison.chosen == "everybody: Mens E-Mail"
    assert next(one for one in comparison.policies if one.policy == "learned").is_tied


def test_an_e_mail_on_womens_goods_brings_more_visits_of_those_who_bought_them(two_e_mails):
    trial = two_e_mails("visit")
    encoded = encode_covariates(trial.covariates)
    found = estimate_subgroups(trial, encoded, Monitor("once", (1.0,), 0.05))
    shown = [(test.arm, test.covariate) for test in found.shown_tests]
    assert shown == [("Womens E-Mail", "mens"), ("Womens E-Mail", "womens")]
    others, buyers = found.of(found.shown_tests[1])
    assert (others.subgroup, buyers.subgroup) == ("0", "1")
    assert others.difference.high < buyers.difference.low
