"""The closed loop by the commands: a campaign, its readout, the next campaign by its effects."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retain.campaign.known_customers import ID
from retain.cli.run import run_command

STORE = ("data.customers=600", "validation.folds=2", "validation.repeats=1", "features=all")
CATALOGUE = """
name: two
offers:
  call:
    label: {{en: A call, ru: Звонок}}
    text: {{en: "Hello!", ru: "Здравствуйте!"}}
    channel: phone
    needs_consent: true
    contact_cost: 0.1
    redemption_cost: 0.0
    discount: 0.0
    redemption_rate_stayers: 0.0
    save_rate: {{alpha: 6.0, beta: 14.0}}
{more}"""
GIFT = """
  gift:
    label: {en: A gift, ru: Подарок}
    text: {en: "Hello!", ru: "Здравствуйте!"}
    channel: phone
    needs_consent: true
    contact_cost: 9.0
    redemption_cost: 0.0
    discount: 0.0
    redemption_rate_stayers: 0.0
    save_rate: {alpha: 2.0, beta: 18.0}
"""
COMPARE = (
    "study=adhoc",
    "explain=none",
    "campaign=default",
    "resamples=200",
    "-cd",
    "mine",
    "offers=two",
)
LEARN = ("effects=mean", "effects.folds=3", "model@effects.outcome=logreg")


@pytest.fixture(scope="module")
def looped(tmp_path_factory, fork_server):
    """A study, the campaign of its comparison, and outcomes of customers whom a call helps."""
    from retain.cli.compare import compare
    from retain.cli.readout import readout
    from retain.cli.run import run

    folder = tmp_path_factory.mktemp("looped")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("mine/offers").mkdir(parents=True)
        Path("mine/offers/two.yaml").write_text(CATALOGUE.format(more=""), encoding="utf-8")
        assert run_command(run, ("-m", "model=logreg", *STORE), "run") == 0
        words = (*COMPARE, "campaign.control_share=0.4")
        assert run_command(compare, words, "compare") == 0
        (campaign,) = Path("outputs/adhoc/campaigns").iterdir()
        table, random = pd.read_csv(campaign / "campaign.csv"), np.random.default_rng(1)
        risk = np.where(table["arm"] == "treatment", 0.3, 0.7)
        table["declined"] = (random.random(len(table)) < risk).astype(int)
        table[["customer_id", "declined"]].to_csv("later.csv", index=False)
        words = (f"campaign={campaign}", "outcomes=later.csv", "resamples=200", *LEARN)
        assert run_command(readout, words, "readout") == 0
        Path("mine/offers/two.yaml").write_text(CATALOGUE.format(more=GIFT), encoding="utf-8")
    return folder


@pytest.fixture
def loop(looped, here):
    """A copy of it, and the campaign's folder."""
    shutil.copytree(looped, here, dirs_exist_ok=True)
    (campaign,) = Path("outputs/adhoc/campaigns").iterdir()
    return campaign


@pytest.fixture
def retain_score(capsys, fork_server):
    """``retain-score`` with the words given; the exit code and what was printed."""
    from retain.cli.score import score

    def called(*words):
        code = run_command(score, words, "score")
        output = capsys.readouterr()
        return code, output.out + output.err

    return called


def verdict():
    return json.loads(Path("outputs/adhoc/verdict/verdict.json").read_text(encoding="utf-8"))


@pytest.mark.slow  # a sweep, a readout and a comparison
def test_the_next_campaign_goes_by_measured_effects(loop, retain_compare, retain_score):
    known = pd.read_parquet(loop / "customers.parquet")
    assert list(known[ID]) == [str(one) for one in pd.read_csv(loop / "campaign.csv")[ID]]
    source = f"effects.from={loop}"
    code, output = retain_compare(*COMPARE, *LEARN, source, "campaign.replace=true")
    assert code == 0, output
    shown = " ".join(output.split())
    assert f"learned from {loop.name} (" in shown
    assert "points fewer declines (95 % CI" in shown
    assert "A new offer keeps the save rate that is assumed: gift." in shown
    effects = verdict()["campaign"]["effects"]
    (call,) = effects["offers"]
    assert call["effect"]["low"] < 0.4 < call["effect"]["high"] + 0.05
    assert effects["prior_offers"] == ["gift"]
    trial = json.loads((loop / "readout/trial/trial.json").read_text("utf-8"))
    assert loop.name in (loop / "readout/trial/report.html").read_text("utf-8")
    (one,) = effects["sources"]
    assert (one["name"], one["sha256"]) == (loop.name, trial["table"]["sha256"])
    (planned, _) = verdict()["campaign"]["offers"]
    risk = pd.read_csv("outputs/adhoc/verdict/customers.csv")["risk"].mean()
    assert planned["save_rate"]["value"] == pytest.approx(call["effect"]["value"] / risk, rel=0.3)
    # the next customers, by the same effects and without
    score = ("verdict=outputs/adhoc", "data.seed=5", "export.dialect=en")
    code, output = retain_score(*score, *LEARN, f"effects.from={loop}/readout")
    assert code == 0, output
    assert "Measured effects take the place" in output
    code, output = retain_score(*score, "campaign.replace=true")
    assert code == 0, output
    assert "this one with assumed save rates" in " ".join(output.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["effects.from=CAMPAIGN"], "effects.from: no learner is named; expected effects="),
        (["effects=mean"], "it does not say from which campaigns to learn"),
        (["effects=mean", "effects.from=outputs"], "holds no trial.json; expected the folder"),
        (["effects=mean", "effects.from=[CAMPAIGN,CAMPAIGN/readout]"], "are one trial; expected"),
        (["effects=mean", "effects.from=CAMPAIGN", "campaign=none"], "campaign=none plans nothing"),
        (["effects=mean", "effects.from=CAMPAIGN", "offers=demo"], "no arm is an offer of this"),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused_at_once(loop, retain_compare, words, message):
    chosen = [word.replace("CAMPAIGN", str(loop)) for word in words]
    base = [word for word in COMPARE if not word.startswith(("offers=", "campaign="))]
    for word in ("offers=two", "campaign=default"):
        group = word.partition("=")[0]
        chosen += [] if any(one.startswith(f"{group}=") for one in words) else [word]
    before = verdict()
    code, output = retain_compare(*base, *chosen)
    assert code == 2
    assert message in " ".join(output.split())
    assert verdict() == before


def test_a_campaign_without_a_readout_says_what_to_type(loop, retain_compare):
    shutil.rmtree(loop / "readout")
    code, output = retain_compare(*COMPARE, "effects=mean", f"effects.from={loop}")
    assert code == 2
    assert f"type retain-readout campaign={loop} outcomes=FILE effects=" in " ".join(output.split())
