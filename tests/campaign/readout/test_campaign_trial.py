"""A campaign that retain planned, as a trial from which effects are learned."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retain.campaign.effects.learners import learn_effects
from retain.campaign.readout.campaign_trial import build_campaign_trial
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.trial.saved_trial import read_trial
from retain.cli.readout import readout
from retain.cli.run import run_command
from retain.errors import NotApplicable
from retain.record.directory import CampaignDirectory

from ..effects.trials import make_spec
from .simulated_campaign import outcomes_table, simulation, write_campaign

DESIGN = simulation.Design(
    {"high": {"call": 300, "gift": 300, "letter": 12}, "middle": {"call": 300}},
    {"call": 0.6, "gift": 0.0, "letter": 0.0},
)
"""A call that helps, a gift that does nothing, and a letter to too few customers to tell."""
N = len(DESIGN.table)


def features(n=N, seed=0):
    random = np.random.default_rng(seed)
    return pd.DataFrame({"pages": random.normal(size=n), "city": random.choice(["A", "B"], n)})


def observe(declined, profit=None):
    everybody = np.ones(len(declined), dtype=bool)
    return Outcomes(everybody, declined.astype(float), profit, None, None, 0)


@pytest.fixture
def drawn():
    """The campaign, and who declined."""
    (treated,), (declined,) = DESIGN.sample(1, 3)
    return DESIGN.assignment(treated), declined


def test_each_customer_could_get_the_own_offer_or_none(drawn):
    assignment, declined = drawn
    table = build_campaign_trial(assignment, observe(declined, np.ones(N)), features())
    trial = table.trial
    assert trial.arms == ("control", "call", "gift")  # twelve letters show nothing
    assert (table.n_without_arm, table.small_arms) == (12, ("letter",))
    offer = assignment.table["offer"][assignment.table["offer"] != "letter"].to_numpy()
    assert np.array_equal(trial.propensity[:, 1], np.where(offer == "call", 0.8, 0.0))
    assert trial.propensity[:, 0] == pytest.approx(0.2)
    assert [(one.name, one.kind) for one in trial.outcomes.values()] == [
        ("no declined", "binary"),
        ("profit", "money"),
    ]
    assert trial.outcome.is_stay
    assert list(trial.covariates) == ["pages", "city", "risk"]
    assert len(np.unique(trial.stratum)) == 3


def test_probabilities_may_differ_by_customer(drawn):
    assignment, declined = drawn
    probability = np.random.default_rng(0).uniform(0.5, 0.9, N)
    probability[:9] = 1.0  # who could not be in the control group shows nothing
    table = assignment.table.assign(propensity=probability)
    trial = build_campaign_trial(
        replace(assignment, table=table), observe(declined), features()
    ).trial
    kept = (assignment.table["offer"] != "letter").to_numpy() & (probability < 1)
    assert trial.propensity[:, 1:].sum(axis=1) == pytest.approx(probability[kept])


def test_of_a_campaign_with_few_customers_nothing_is_learned(drawn):
    assignment, declined = drawn
    unobserved = np.where(np.arange(N) % 30 == 0, declined, np.nan)
    with pytest.raises(NotApplicable, match="no offer has 20 customers with an outcome"):
        build_campaign_trial(assignment, observe(unobserved), features())


@pytest.mark.slow
def test_intervals_of_the_mean_effects_cover_them():
    """The mean effect of an offer is that on the customers who could get it."""
    count, spec = 150, make_spec("mean", n_folds=3)
    offer, hits = DESIGN.table["offer"].to_numpy(), []
    for treated, declined in zip(*DESIGN.sample(count, 8), strict=True):
        table = build_campaign_trial(DESIGN.assignment(treated), observe(declined), features())
        trial = replace(table.trial, covariates=table.trial.covariates[[]])
        contrasts = learn_effects(trial, spec).scores.contrasts
        for arm in (1, 2):
            scores = contrasts[np.isfinite(contrasts[:, arm]), arm]
            truth = -DESIGN.effect[offer == trial.arms[arm]].mean()
            error = scores.std(ddof=1) / len(scores) ** 0.5
            hits.append(abs(scores.mean() - truth) < 1.96 * error)
    assert np.mean(hits) > 0.92


# --- by the command ------------------------------------------------------------------------------


@pytest.fixture
def campaign(tmp_path, monkeypatch, drawn):
    """The campaign's folder and its outcomes, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    assignment, declined = drawn
    outcomes_table(assignment, declined).to_csv("later.csv", index=False)
    return CampaignDirectory(write_campaign(Path("campaign"), assignment, features=features()))


def called(*words):
    line = ("campaign=campaign", "outcomes=later.csv", "resamples=200", *words)
    return run_command(readout, line, "readout")


LEARN = ("effects=dr_learner", "effects.folds=3")


def test_a_readout_writes_the_campaign_as_a_trial_and_what_was_learned(campaign, capsys):
    assert called(*LEARN, "limits.max_contacts=200") == 0
    assert "Net value of plans for these customers" in capsys.readouterr().out
    files = campaign.readout.trial
    trial, document = read_trial(files)
    assert (document.name, document.treatment, document.n_looks) == (trial_id(campaign), "offer", 1)
    assert document.small_arms == ("letter",)
    assert (trial.propensity == 0).any()
    (primary, *_) = [row for row in document.effects if row.role == "primary"]
    assert (primary.arm, primary.conclusion) == ("call", "helped")
    learned = json.loads(files.effects_json.read_text("utf-8"))
    assert learned["unit"] == "roubles"
    call, gift = learned["arms"]
    assert call["mean"]["low"] > 0 > gift["mean"]["low"]
    assert pd.read_csv(files.policies)["contacted_share"].max() <= 200 / document.n_customers + 1e-9


def trial_id(campaign):
    return json.loads(campaign.campaign_json.read_text("utf-8"))["id"]


def test_without_a_learner_there_is_no_trial(campaign):
    assert called() == 0
    assert not campaign.readout.trial.path.exists()


def test_limits_of_plans_need_a_learner(campaign, capsys):
    assert called("limits.max_contacts=200") == 2
    assert "no effects are learned" in " ".join(capsys.readouterr().err.split())


def test_what_was_known_has_to_be_the_file_that_was_written(campaign, capsys):
    features(seed=1).to_parquet(campaign.customers)
    assert called(*LEARN) == 2
    assert "is not the file campaign.json speaks of" in " ".join(capsys.readouterr().err.split())
    assert not campaign.readout.path.exists()


def test_of_a_campaign_of_which_nothing_was_known_no_effects_are_learned(campaign, drawn, capsys):
    write_campaign(campaign.path, drawn[0])
    assert called(*LEARN) == 2
    assert "was planned without customers.parquet" in " ".join(capsys.readouterr().err.split())
