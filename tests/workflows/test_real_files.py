"""The real store, from its four files to segments, against figures measured elsewhere."""

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, sparse

from retain.learning.scores import Scores


@pytest.fixture
def store(one_click_dir):
    return ("data=one_click", f"data.dir={one_click_dir}")


def test_from_four_files_to_segments(retain, retain_compare, store, records):
    code, output = retain("-m", "study=models", *store, "model=dummy,logreg,extra_trees")
    assert code == 0, output
    assert "1300 → 1297 (newcomers) → 1296 (outlier)" in output
    found = records("models")
    # scikit-learn alone, twins grouped, gives .90 to .91 for logistic regression here.
    assert 0.895 <= found["logreg"]["metrics"]["roc_auc"]["value"] <= 0.915
    assert 0.905 <= found["extra_trees"]["metrics"]["roc_auc"]["value"] <= 0.93
    outcomes = {check["code"]: check["outcome"] for check in found["logreg"]["checks"]}
    assert {code for code, outcome in outcomes.items() if outcome == "mitigated"} == {
        "id_predicts_target",
        "order_predicts_target",
        "duplicate_customers",
    }
    code, output = retain_compare("study=models")
    assert code == 0, output
    verdict = json.loads(Path("outputs/models/verdict/verdict.json").read_text(encoding="utf-8"))
    segments = pd.read_csv("outputs/models/verdict/segments.csv")
    assert segments["n_customers"].sum() == sum(verdict["n_scored"].values()) == 1296
    assert segments["total_profit"].sum() == pytest.approx(1296 * 4.0, rel=0.05)


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (("data.tables.behaviour.columns.customer_id.role=feature",), "AUC 0.98"),
        (("validation.shuffle=false",), "AUC 0.98.*1.00, 0.72, 0.19, 0.00, 0.00"),
    ],
)
def test_what_would_cheat_is_refused_with_its_numbers(retain, store, words, numbers):
    code, output = retain(*store, *words)
    assert code == 2
    assert re.search(numbers, output), output
    assert not Path("outputs").exists()


def test_second_copies_can_be_dropped(retain, store, records):
    retain(*store, "audit.duplicates=drop", "model=dummy")
    funnel = records("adhoc")["dummy"]["data"]["funnel"]
    assert [step["n_after"] for step in funnel] == [1297, 1296, 1275]


@pytest.fixture(scope="module")
def offered(one_click_dir, tmp_path_factory, fork_server):
    """The verdict's folder of a study of the store, within a budget of 150."""
    from retain.cli.compare import compare
    from retain.cli.run import run, run_command

    outputs = f"outputs={tmp_path_factory.mktemp('store')}"
    words = ("data=one_click", f"data.dir={one_click_dir}", "model=logreg", outputs)
    assert run_command(run, words, "run") == 0
    limits = ("campaign.budget=150", "campaign.control_share=0.2", "explain=none")
    assert run_command(compare, ("study=adhoc", outputs, *limits), "compare") == 0
    return Path(outputs.removeprefix("outputs=")) / "adhoc" / "verdict"


def campaign_in(verdict):
    """The folder of the campaign that a verdict points to."""
    tree = json.loads((verdict / "verdict.json").read_text(encoding="utf-8"))
    return verdict.parent / "campaigns" / tree["campaign"]["id"]


# Money, consent and customers are counted again from the store's own files, by other means.
def test_a_campaign_reconciles_with_the_store_s_files(offered, one_click_dir):
    tree = json.loads((campaign_in(offered) / "campaign.json").read_text(encoding="utf-8"))
    market = pd.read_csv(one_click_dir / "market_file.csv", index_col="id")
    money = pd.read_csv(one_click_dir / "money.csv", sep=";", decimal=",", index_col="id")
    agreed = market["Разрешить сообщать"] == "да"
    assert (~agreed).sum() == 338
    customers = pd.read_csv(offered / "customers.csv", index_col="customer_id")
    assert len(customers) == tree["n_customers"] == 1296
    assert (customers["contactable"] == agreed[customers.index]).all()
    profit = money["Прибыль"][customers.index]
    pd.testing.assert_series_equal(customers["profit"], profit, check_names=False)
    at_risk = customers["risk"] * profit.clip(lower=0) * 3.0
    assert at_risk.sum() == pytest.approx(tree["expected_profit_at_risk"]["value"], rel=1e-9)
    arms = pd.read_csv(campaign_in(offered) / "campaign.csv", index_col="customer_id")
    treated = arms[arms["arm"] == "treatment"]
    assert treated["expected_cost"].sum() == pytest.approx(tree["plan"]["expected_cost"])
    assert tree["plan"]["expected_cost"] <= 150
    assert len(arms) == tree["plan"]["n_chosen"]
    assert arms["value_at_stake"].to_numpy() == pytest.approx(3 * profit[arms.index].clip(lower=0))
    needs = {one["name"] for one in tree["offers"] if one["needs_consent"]}
    assert agreed[arms.index[arms["offer"].isin(needs)]].all()
    shares = tree["plan"]["n_control"] / tree["plan"]["n_chosen"]
    assert shares == pytest.approx(0.2, abs=0.02)


# The issue: band .3-.6 said .433 where .278 declined, and only the calibration picture knew.
def test_the_risk_of_each_segment_and_tenth_is_that_observed_or_it_is_flagged(offered):
    tree = json.loads((offered / "verdict.json").read_text(encoding="utf-8"))
    rows = [*tree["segments"], *tree["calibration_check"]["tenths"]]
    judged = [one for one in rows if one["risk"] is not None]
    assert len(judged) >= 15
    for one in judged:
        within = one["risk"]["low"] <= one["expected_risk"] <= one["risk"]["high"]
        assert within or one["is_miscalibrated"], one
    assert tree["recalibration"]["out_of_fold"]["basis"] == "beta"
    assert not tree["recalibration"]["profit_test"]["is_used"]


@pytest.fixture
def asked(offered, monkeypatch, tmp_path):
    """What the plan for the store was asked, and what came of it, made again in this process."""
    from retain.campaign.audience import OpenCampaigns
    from retain.campaign.planning import plan as planned
    from retain.cli.campaign_settings import campaign_settings, compose_compare
    from retain.cli.overrides import Arguments
    from retain.execution.shared_memory import share
    from retain.workflows.campaign import plan_campaign
    from retain.workflows.runs import read_run_scores, select_runs
    from retain.workflows.training_data import share_training_data

    line = Arguments(("study=adhoc", f"outputs={offered.parents[1]}", "campaign.budget=150"))
    config = compose_compare(line)
    found = select_runs(config)
    ((run, winner),) = found.runs
    allocate, seen = planned.allocate, []

    def kept(problem, *, exact_up_to):
        seen.append((problem, allocate(problem, exact_up_to=exact_up_to)))
        return seen[-1][1]

    monkeypatch.setattr(planned, "allocate", kept)
    outside = read_run_scores(run, winner)
    shared = share(outside, tmp_path / "scores")
    data = share_training_data(config, (run, winner), shared, tmp_path)
    nobody = Scores(outside.table.head(0), "sealed_test")
    plan_campaign(
        config,
        campaign_settings(line, config, winner),
        (data.dataset, data.scores),
        nobody,
        None,
        "shown",
        OpenCampaigns(),
    )
    return seen[-1]


# HiGHS, given every customer and offer in a model of its own, finds nothing better.
def test_the_plan_for_the_store_is_the_optimum_of_an_exact_solver(asked):
    problem, plan = asked
    customers, offers = np.nonzero(problem.eligible)
    cells = np.arange(len(customers))
    net, cost = problem.net[customers, offers], problem.cost[customers, offers]
    one = (np.ones(len(cells)), (customers, cells))
    each = (np.ones(len(cells)), (offers, cells))
    of_offer = sparse.csr_array(each, shape=(problem.net.shape[1], len(cells)))  # some to nobody
    rows = sparse.vstack([sparse.csr_array(one), of_offer, sparse.csr_array([cost])])
    most = np.concatenate([np.ones(customers.max() + 1), problem.capacity, [problem.budget]])
    found = optimize.milp(
        -net,
        integrality=np.ones(len(cells)),
        bounds=(0, 1),
        constraints=optimize.LinearConstraint(rows, ub=most),
        options={"mip_rel_gap": 1e-6},
    )
    assert plan.is_optimal
    assert plan.objective == pytest.approx(-found.fun, rel=2e-6)
    assert plan.objective <= -found.mip_dual_bound + 1e-6


def test_from_little_budget_to_much_the_campaign_grows_until_nobody_is_left_who_pays(offered):
    tree = json.loads((campaign_in(offered) / "campaign.json").read_text(encoding="utf-8"))
    curve = tree["budget_curve"]
    nets, sizes = [one["expected_net"] for one in curve], [one["n_chosen"] for one in curve]
    assert nets == sorted(nets)
    assert sizes[0] < sizes[-1]
    gains = [b - a for a, b in itertools.pairwise(nets)]
    assert gains[-1] <= gains[0]
