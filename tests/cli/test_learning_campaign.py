"""A learning campaign by the commands: random, and said so; its readout plans the next campaign."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retain.cli.readout import readout
from retain.cli.run import run_command
from retain.cli.simulate import simulate

QUICK = ("validation.folds=2", "validation.repeats=1")
OFFER = """
  {name}:
    label: {{en: {name}, ru: Предложение {name}}}
    text: {{en: "Hello!", ru: "Здравствуйте!"}}
    channel: phone
    needs_consent: true
    contact_cost: 0.1
    redemption_cost: 0.0
    discount: 0.0
    redemption_rate_stayers: 0.0
    save_rate: {{alpha: {alpha}, beta: 14.0}}
"""
AIMED = (
    r"target(?!_|\])",
    *("aimed", "optimal", "proven", "best plan", "ranked by", "below the best", "no offer pays"),
    *("таргет", "нацел", "оптимал", "доказан", "плана лучше нет", "упорядочены", "не окупается"),
)
"""What a campaign at random is never called."""


def write_catalogue(**alphas):
    Path("mine/offers").mkdir(parents=True, exist_ok=True)
    offers = "".join(OFFER.format(name=name, alpha=alpha) for name, alpha in alphas.items())
    Path("mine/offers/two.yaml").write_text(f"name: two\noffers:{offers}", encoding="utf-8")


def find_verdict(study):
    return json.loads(Path(f"outputs/{study}/verdict/verdict.json").read_text(encoding="utf-8"))


def campaign_words(page):
    """What the page says of the campaign, its offers and its plan, in both languages."""
    sections = re.findall(r'<section id="(?:campaign|offers|trust)">.*?</section>', page, re.DOTALL)
    assert len(sections) == 3
    return re.sub(r"<[^>]+>", " ", " ".join(sections))


def call(capsys, command, name, *words):
    assert run_command(command, words, name) == 0, capsys.readouterr().err
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_where_nothing_ranks_customers_a_learning_campaign_is_planned_and_never_called_targeted(
    here, shop, retain, retain_compare, with_charts
):
    customers = shop(300)
    noise = np.random.default_rng(0).permutation(customers.target)
    table = customers.features.assign(left=noise, money=customers.profit, agreed="yes")
    table.reset_index(names="id").to_csv("my.csv", index=False)
    source = ("data=table", "data.path=my.csv", "data.id=id", "data.target=left")
    money = ("data.profit=money", "data.profit_unit=coins", "data.consent=agreed")
    write_catalogue(call=6.0, gift=3.0)
    code, output = retain(*source, *money, "model=logreg", "study.name=noise", *QUICK)
    assert code == 0, output
    words = ("campaign=default", "campaign.budget=8", "-cd", "mine", "offers=two", "explain=none")
    code, output = retain_compare("study=noise", *words, "--markdown", "ci.md")
    assert code == 0, output
    found = find_verdict("noise")
    assert found["versus_random"]["status"] == "not_shown"
    info = found["campaign"]["exploration"]
    assert (info["is_learning"], info["because"]) == (True, "ranking_not_shown")
    assert info["given_up"] is None
    assert {one["name"] for one in info["offers"]} == {"call", "gift"}
    folder = Path("outputs/noise/campaigns") / found["campaign"]["id"]
    table = pd.read_csv(folder / "campaign.csv", keep_default_na=False)
    assert set(table["drawn_from"]) == {"call|gift"}
    assert (table["propensity"] == 0.4).all()
    assert table["expected_cost"].sum() <= 8
    page = Path("outputs/noise/verdict/report.html").read_text(encoding="utf-8")
    plain = " ".join(output.split())
    terminal = plain[plain.index("Offers, drawn at random in a learning campaign") :]
    assert "A learning campaign" in terminal
    assert "who is contacted, and with which offer, is drawn at random" in terminal
    section = campaign_words(page)
    assert "A learning campaign" in section
    assert "Пробная кампания" in section
    files = [path for path in folder.iterdir() if path.suffix in {".csv", ".txt", ".md"}]
    files.remove(folder / "columns.csv")  # which explains the columns of all tables
    markdown = Path("ci.md").read_text(encoding="utf-8")
    assert f"Learning campaign {folder.name}: " in markdown
    assert "eligible customers get an offer drawn at random." in markdown
    texts = [terminal, section, markdown, *(path.read_text(encoding="utf-8-sig") for path in files)]
    for text in texts:
        for word in AIMED:
            assert not re.search(word, text, flags=re.IGNORECASE), word
    assert (found["campaign"]["plan"]["method"], found["campaign"]["plan"]["is_optimal"]) == (
        "random",
        False,
    )


# The catalogue is wrong: the gift, assumed to do most, drives customers away. The plan by these
# assumptions gives it to all; what the learning campaign shows makes the second one give the call.
@pytest.mark.slow
def test_the_second_campaign_is_planned_with_what_the_first_one_learned(
    here, retain, retain_compare, capsys
):
    write_catalogue(call=4.0, gift=8.0)
    code, output = retain("model=logreg", "study.name=loop", "data.customers=1300", *QUICK)
    assert code == 0, output
    words = ("study=loop", "explain=none", "campaign=default", "-cd", "mine", "offers=two")
    code, output = retain_compare(*words, "campaign.explore=all", "campaign.control_share=0.33")
    assert code == 0, output
    assert "A learning campaign" in output
    (first,) = Path("outputs/loop/campaigns").iterdir()
    rates = ("save_rate.call=0.5", "save_rate.gift=-0.2")
    call(capsys, simulate, "simulate", f"campaign={first}", *rates)
    outcomes = f"outcomes=outputs/loop/simulated/{first.name}/outcomes.csv"
    learn = ("effects=mean", "effects.folds=3", "model@effects.outcome=logreg")
    words_ = (f"campaign={first}", outcomes, "resamples=200", *learn, "--markdown", "ci.md")
    shown = call(capsys, readout, "readout", *words_)
    assert "Offers drawn at random" in shown
    assert re.search(r"call against control \\| .* \\| helped", Path("ci.md").read_text("utf-8"))
    document = json.loads((first / "readout/readout.json").read_text(encoding="utf-8"))
    effects = {(one["arm"], one["versus"]): one for one in document["explored"]}
    assert effects["call", "control"]["conclusion"] == "helped"
    assert effects["call", "gift"]["conclusion"] == "helped"
    assert effects["gift", "control"]["difference"]["value"] < 0
    source = f"effects.from=[{first}]"
    code, output = retain_compare(*words, *learn, source, "campaign.replace=true")
    assert code == 0, output
    second = find_verdict("loop")["campaign"]
    chosen = {one["name"]: one["n_chosen"] for one in second["offers"]}
    assert chosen["gift"] == 0 < chosen["call"]
    truth = f"truth=outputs/loop/simulated/{first.name}/truth.json"
    call(capsys, simulate, "simulate", f"campaign=outputs/loop/campaigns/{second['id']}", truth)
    by_truth = json.loads(
        Path(f"outputs/loop/simulated/{second['id']}/truth.json").read_text(encoding="utf-8")
    )
    assert by_truth["plan"]["total"]["net"] > 0
    assert by_truth["plan"]["total"]["net"] > 2 * by_truth["earlier"]["total"]["net"]


def test_a_share_to_explore_is_at_most_a_half_or_all(here, retain_compare):
    code, output = retain_compare("study=none", "campaign=default", "campaign.explore=0.7")
    assert code == 2
    assert "campaign.explore is 0.7; expected a share from 0 to 0.5, or all" in output
