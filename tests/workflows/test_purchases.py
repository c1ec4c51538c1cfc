"""A purchase log from launch to campaign, and scored again on a later day."""

import json

import pandas as pd
import pytest

from retain.cli.readout import readout
from retain.cli.run import run_command
from retain.cli.score import score

COLUMNS = {
    "customer": "client",
    "time": "when",
    "amount": "sum",
    "items": "pieces",
    "category": "goods",
    "discount": "sale",
}
LOG = (
    "data=purchases",
    "data.path=log.parquet",
    "data.profit_unit=roubles",
    "data.snapshots.n=7",
    *(f"data.columns.{key}={name}" for key, name in COLUMNS.items()),
)
N_CUSTOMERS = 800
"""Enough that the sealed test shows the ranking, without which no campaign is planned."""
QUICK = ("validation.folds=2", "validation.repeats=1")


@pytest.fixture
def swept(here, retain, purchase_log):
    """What a sweep over a log printed."""
    purchase_log(N_CUSTOMERS).to_parquet("log.parquet", index=False)
    code, output = retain("-m", "study=purchases", *LOG, *QUICK, "model=logreg,tree")
    assert code == 0, output
    return output


def test_a_log_goes_from_launch_to_campaign_and_is_scored_again(
    here, swept, retain_compare, capsys
):
    # every leaderboard of a log has the rules of thumb that learning has to beat
    assert {path.name.rsplit("-", 1)[0] for path in here.glob("outputs/purchases/*-*")} == {
        "logreg",
        "tree",
        "recency_rule",
        "bg_nbd",
        "pareto_nbd",
    }
    assert "validation in time: learns from" in swept
    assert "% declined" in swept
    assert "The label with one parameter changed" in swept

    consent = (
        "campaign=default",
        "campaign.consent=assume_given",
        "campaign.control_share=0.2",
        "offers.costs=accept",
    )
    code, output = retain_compare("study=purchases", "resamples=100", *consent)
    assert code == 0, output
    assert "from snapshot to snapshot" in output
    verdict = here / "outputs" / "purchases" / "verdict"
    tree = json.loads((verdict / "verdict.json").read_text(encoding="utf-8"))
    *_, last = tree["by_snapshot"]
    assert last["is_sealed_test"]
    assert last["snapshot"] == tree["split"]["sealed_snapshot"]
    # a campaign speaks to people, once each, at the latest snapshot
    assert tree["versus_random"]["status"] == "shown", tree["versus_random"]
    people = pd.read_csv(verdict / "customers.csv")
    assert len(people) == tree["sealed_test"]["n_customers"] == last["n_rows"]
    assert people["customer_id"].is_unique
    assert people["customer_id"].between(1000, 999 + N_CUSTOMERS).all()
    assert tree["n_scored"] == {"sealed_test": len(people)}
    (campaign,) = (verdict.parent / "campaigns").iterdir()
    offers = pd.read_csv(campaign / "offers.csv")
    assert set(offers["customer_id"]) <= set(people["customer_id"])

    words = (f"verdict={verdict}", "data.snapshot=2025-06-24", "campaign.consent=assume_given")
    assert run_command(score, (*words, "campaign.start=2025-06-23"), "score") == 2
    assert "expected that day or a later one" in " ".join(capsys.readouterr().err.split())
    code = run_command(score, words, "score")
    printed = capsys.readouterr()
    assert code == 0, printed.err
    (home,) = (verdict.parent / "scores").iterdir()
    scored = pd.read_csv(home / "scores.csv")
    assert scored["customer_id"].between(1000, 999 + N_CUSTOMERS).all()
    reasons = pd.read_csv(home / "not_scored.csv")["reason"]
    assert len(scored) + len(reasons) <= N_CUSTOMERS

    check_what_a_newer_log_says(campaign, home, people, capsys)

    # who is scored again at the day of the sealed test is known; at a later one, new
    known = {
        json.loads((home / "score.json").read_text(encoding="utf-8"))["data"]["n_in_comparison"]
    }
    assert known == {0}
    same = (
        f"verdict={verdict}",
        f"data.snapshot={last['snapshot']}",
        "campaign.consent=assume_given",
    )
    assert run_command(score, same, "score") == 0
    assert f"{last['n_rows']} of these ids are in the comparison too" in capsys.readouterr().out
    assert run_command(score, same[:1], "score") == 2
    assert f"data.snapshot=DAY, one after {last['snapshot']}" in capsys.readouterr().err
    late = (*same[:1], "data.snapshot=2031-01-01", *same[2:])
    assert run_command(score, late, "score") == 2
    output = " ".join(capsys.readouterr().err.split())
    assert "nobody is a regular customer on 2031-01-01" in output
    assert "Type data.snapshot=DAY, soon after a purchase of the log" in output


def check_what_a_newer_log_says(campaign, home, people, capsys):
    """What became of them is in a newer log, which is read as the study read its own."""
    newer = add_later_purchases(people["customer_id"])
    newer.to_parquet("newer.parquet", index=False)
    read_out = ("data=purchases", "data.path=newer.parquet", "resamples=200")
    assert run_command(readout, (f"campaign={campaign}", *read_out), "readout") == 2
    assert "type data.snapshot=DAY" in " ".join(capsys.readouterr().err.split())
    too_early = (f"campaign={campaign}", *read_out, "data.snapshot=2024-12-01")
    assert run_command(readout, too_early, "readout") == 2
    assert "the day of the customers' features of" in " ".join(capsys.readouterr().err.split())
    of_a_day = (f"campaign={campaign}", *read_out, "data.snapshot=2025-06-24")
    assert run_command(readout, of_a_day, "readout") == 0
    found = json.loads((campaign / "readout" / "readout.json").read_text(encoding="utf-8"))
    by_hand = pd.read_csv(campaign / "campaign.csv").set_index("customer_id")
    came = (
        newer[newer["when"].between("2025-06-24", "2025-09-21 23:59")]
        .groupby("client")["sum"]
        .sum()
    )
    (overall,) = (
        r for r in found["effects"] if r["scope"] == "overall" and r["outcome"] == "profit"
    )
    for arm, mean in (("treatment", "treated_mean"), ("control", "control_mean")):
        ids = by_hand.index[by_hand["arm"] == arm]
        assert overall[mean] == pytest.approx(came.reindex(ids).fillna(0).mean())
    assert run_command(readout, (f"scores={home}", *read_out[:2]), "readout") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Outcomes are the purchases from 2025-06-24 to 2025-09-21" in printed
    assert "log read" in printed


def add_later_purchases(customers):
    """The log, and what some customers bought in the hundred days after it."""
    log = pd.read_parquet("log.parquet")
    some = customers[customers % 3 > 0]
    later = [
        log.iloc[: len(some)].assign(
            client=some.to_numpy(), when=pd.Timestamp("2025-06-24") + pd.Timedelta(days=day)
        )
        for day in range(1, 100, 14)
    ]
    return pd.concat([log, *later])


def test_a_log_read_only_to_be_scored_is_not_learnt_from(here, retain, purchase_log):
    purchase_log(N_CUSTOMERS).to_parquet("log.parquet", index=False)
    code, output = retain("-m", "study=purchases", *LOG, *QUICK, "data.has_target=false")
    assert code == 2
    assert "type data.has_target=true to learn from them" in output


def test_a_log_that_moved_is_found_by_its_path_alone(here, swept, retain_compare):
    (here / "log.parquet").rename(here / "moved.parquet")
    words = ("study=purchases", "resamples=100", "campaign=none", "explain=none")
    code, output = retain_compare(*words)
    assert code == 0
    assert "data.path=PATH" in output
    code, output = retain_compare(*words, "data.path=moved.parquet")
    assert code == 0, output
    assert "The sealed test was opened once" in output


def test_a_log_is_read_once_and_its_tables_are_kept(here, swept, retain):
    kept = list((here / "outputs" / "tables").iterdir())
    assert kept
    written = {path: path.stat().st_mtime_ns for path in kept}
    code, output = retain("-m", "study=purchases", *LOG, *QUICK, "model=logreg,tree")
    assert code == 0, output
    assert "0 done, 0 failed, 0 not applicable, 5 done before" in output
    assert {path: path.stat().st_mtime_ns for path in kept} == written


def test_a_log_chooses_validation_in_time(here, retain, purchase_log):
    purchase_log(N_CUSTOMERS).to_parquet("log.parquet", index=False)
    assert retain(*LOG, "dry_run=true")[0] == 0
    code, output = retain(*LOG, "validation=repeated")
    assert code == 2
    assert "type validation=temporal" in output
