"""``retain-readout`` called as a user calls it."""

import io
import json
import shlex
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf
from rich.console import Console

from retain.campaign.offers.save_rate import save_rate_quantiles
from retain.campaign.readout.readout import update_catalogue
from retain.cli.compose import Composer
from retain.cli.overrides import Arguments
from retain.cli.readout import readout
from retain.cli.run import run_command
from retain.cli.terminal.readout import print_readout
from retain.schema.campaign import Catalogue
from retain.schema.parsing import parse
from retain.storage.paths import conf_dir
from retain.workflows.readout import offers_yaml

from ..campaign.readout.simulated_campaign import (
    outcomes_table,
    simulate_campaign,
    simulation,
    write_campaign,
)

STRONG = {"call": 0.7, "gift": 0.6, "letter": 0.0}


@pytest.fixture(scope="module")
def campaign():
    """A campaign that helps."""
    design = simulation.Design(simulation.LARGE.sizes, STRONG)
    return simulate_campaign(design)


@pytest.fixture
def files(tmp_path, monkeypatch, campaign):
    """A verdict's folder and an outcomes file, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assignment, declined, kept = campaign
    write_campaign(tmp_path / "verdict", assignment)
    contacted = np.where(assignment.is_treated, "yes", "no")
    outcomes_table(assignment, declined, kept, contacted=contacted).to_csv("later.csv", index=False)
    return tmp_path


def called(*words):
    return run_command(readout, ["resamples=200", *words], "readout")


def test_a_campaign_is_read_out_into_a_folder_of_its_own(files, capsys):
    assert called("campaign=verdict", "outcomes=later.csv") == 0
    written = files / "verdict" / "readout"
    names = {p.relative_to(written).as_posix() for p in written.rglob("*") if p.is_file()}
    tables = {"effects.csv", "offers/simulated_readout.yaml"}
    assert names == {"manifest.json", "readout.json", *tables}
    tree = json.loads((written / "readout.json").read_text())
    assert tree["effects"][0]["conclusion"] == "helped"
    table = pd.read_csv(written / "effects.csv")
    assert len(table) == len(tree["effects"]) == 14
    assert table["customers_saved"][0] == pytest.approx(
        tree["effects"][0]["customers_saved"]["value"]
    )
    output = capsys.readouterr().out
    assert "Overall: it helped" in output
    assert "offers=simulated_readout" in output
    first = (written / "readout.json").read_bytes()
    assert called("campaign=verdict", "outcomes=later.csv") == 0
    assert (written / "readout.json").read_bytes() == first


def test_as_json_a_readout_is_its_document_and_quiet_it_prints_nothing(files, capsys):
    words = ("campaign=verdict", "outcomes=later.csv")
    assert called(*words, "--json") == 0
    written = (files / "verdict" / "readout" / "readout.json").read_text("utf-8")
    assert json.loads(capsys.readouterr().out) == json.loads(written)
    assert called(*words, "--quiet") == 0
    assert capsys.readouterr().out == ""


def spoil_ids(files):
    table = pd.read_csv("later.csv")
    pd.concat([table, table.tail(2)]).to_csv("later.csv", index=False)


def add_foreign(files):
    table = pd.read_csv("later.csv")
    extra = table.tail(1).assign(customer_id=999_999)
    pd.concat([table, extra]).to_csv("later.csv", index=False)


def tamper(files):
    path = files / "verdict" / "campaign.csv"
    path.write_text(path.read_text().replace("control", "treatment", 1))


@pytest.mark.parametrize(
    ("spoil", "words", "message"),
    [
        (spoil_ids, (), "2 ids are repeated: '898', '899'"),
        (
            add_foreign,
            (),
            "1 of 901 customers are not in .*: '999999'.*unknown_customers=drop",
        ),
        (tamper, (), "campaign.csv is not the file campaign.json speaks of"),
        (None, ("outcomes.declined=declinde",), "Did you mean 'declined'"),
        (None, ("outcomes=latre.csv",), "Did you mean 'later.csv'"),
        (None, ("campaign=verdct",), "Did you mean 'verdict'"),
        (None, ("outcomes.unknown_customer=drop",), "Did you mean 'unknown_customers'"),
        (None, ("resamples=10",), "resamples is 10; expected greater than or equal to 200"),
        (None, ("outcomes.unknown_customers=keep",), "is 'keep'; expected 'error' or 'drop'"),
        (None, ("campaign=12345678",), "there is no campaign 12345678"),
        (None, ("campaign=12e45678",), "there is no campaign 12e45678"),
        (None, ("campaign=null",), "type campaign=ID or campaign=FOLDER"),
        (None, ("outcomes=null",), "type outcomes=FILE"),
    ],
)
def test_what_cannot_be_read_out_is_one_clear_error_and_leaves_nothing(
    files, capsys, spoil, words, message
):
    if spoil is not None:
        spoil(files)
    assert called("campaign=verdict", "outcomes=later.csv", *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert pd.Series([captured.err.replace("\n", " ")]).str.contains(message, regex=True).all()
    assert not (files / "verdict" / "readout").exists()


def test_foreign_customers_are_dropped_where_that_is_typed(files, capsys):
    add_foreign(files)
    assert called("campaign=verdict", "outcomes=later.csv", "outcomes.unknown_customers=drop") == 0
    assert "not in the campaign and are left out: 1" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_says_what_to_type(files, capsys):
    (files / "verdict" / "readout").write_text("a file, not a folder")
    assert called("campaign=verdict", "outcomes=later.csv") == 2
    assert "campaign=FOLDER" in capsys.readouterr().err


def test_help_tells_the_keys_and_the_only_choice(capsys):
    assert run_command(readout, ["--help"], "readout") == 0
    output = capsys.readouterr().out
    assert "retain-readout campaign=" in output
    assert "unknown_customers: error" in output
    choices = output.partition("Choices")[2].partition("\n\n")[0].splitlines()[1:]
    assert [line.split()[0] for line in choices] == ["effects"]


@pytest.mark.parametrize(
    ("folder", "words", "compared"),
    [
        ("outputs/one/campaigns/ID", (), "study=one"),
        ("outputs/one+two/campaigns/ID", (), "study=[one,two]"),
        ("mine/one/campaigns/ID", ("outputs=mine",), "study=one outputs=mine"),
        ("mine/my runs/campaigns/ID", (), "\"runs='mine/my runs'\""),
        ("copied", (), "study=NAME"),
    ],
)
def test_the_command_of_the_next_plan_is_whole(files, capsys, folder, words, compared):
    tree = json.loads((files / "verdict" / "campaign.json").read_text("utf-8"))
    folder = folder.replace("ID", tree["id"])
    Path(folder).parent.mkdir(parents=True, exist_ok=True)
    (files / "verdict").rename(folder)
    assert called(f"campaign='{folder}'", "outcomes=later.csv", *words) == 0
    readout_folder = shlex.quote(f"{folder}/readout")
    assert (
        f"campaign with them: retain-compare {compared} offers=simulated_readout "
        f"campaign.replace=true -cd {readout_folder}\n" in capsys.readouterr().out
    )


def test_the_new_catalogue_accepts_the_costs_that_the_old_one_accepted():
    old = simulation.catalogue({"call": 0.1}).model_copy(update={"costs": "accept"})
    stored = SimpleNamespace(alpha=2.0, beta=3.0, minimum=0.0)
    new = update_catalogue(old, [SimpleNamespace(offer="call", catalogue=stored)])
    assert "costs: accept" in offers_yaml(new, "spring")


# The next campaign chooses the file as an option of its group, with the folder beside the others.
def test_the_new_catalogue_is_chosen_with_a_config_dir(files, monkeypatch):
    assert called("campaign=verdict", "outcomes=later.csv") == 0
    conf = files / "conf"
    (conf / "offers").mkdir(parents=True)
    text = "# A command of offers alone.\ndefaults:\n  - _self_\n  - offers: first\n"
    (conf / "plan.yaml").write_text(text)
    shutil.copy(files / "verdict/readout/offers/simulated_readout.yaml", conf / "offers/first.yaml")
    for module in ("compose", "overrides"):
        monkeypatch.setattr(f"retain.cli.{module}.conf_dir", lambda: conf)
    line = Arguments(("offers=simulated_readout",), config_dirs=(files / "verdict" / "readout",))
    (conf / "offers" / "first.yaml").write_text("name: first\noffers: {}\n")
    with Composer(line, "plan") as composer:
        tree = composer.one()["offers"]
    catalogue = parse(Catalogue, tree, "offers")
    found = json.loads((files / "verdict/readout/readout.json").read_text())
    for row in found["save_rates"]:
        stored = catalogue.offers[row["offer"]].save_rate
        assert stored.mean == pytest.approx(row["posterior"]["value"], rel=1e-3)
        used = save_rate_quantiles(stored, (0.025, 0.975))  # as the next plan prints them
        assert [row["catalogue"]["low"], row["catalogue"]["high"]] == used


def test_texts_with_signs_of_the_config_language_stay_texts(campaign):
    catalogue = simulation.catalogue({"call": 0.1})
    words = {"en": "Save ${x} and 1e3: {driver} #1 'now'", "ru": "да"}
    text = catalogue.offers["call"].text.model_copy(update=words)
    offers = {"call": catalogue.offers["call"].model_copy(update={"text": text, "channel": "on"})}
    written = offers_yaml(catalogue.model_copy(update={"offers": offers}), "spring")
    assert written.startswith("# Offers")
    loaded = OmegaConf.to_container(OmegaConf.create(written), resolve=True)
    assert loaded["offers"]["call"]["text"] == words
    assert loaded["offers"]["call"]["channel"] == "on"


def board(tree, folder):
    console = Console(width=80, file=io.StringIO())
    print_readout(console, tree, folder, None)
    return console.file.getvalue()


@pytest.mark.parametrize("save", [STRONG, dict.fromkeys(STRONG, -0.5), dict.fromkeys(STRONG, 0.0)])
@pytest.mark.parametrize("columns", [("declined", "profit"), ("declined",), ("profit",)])
def test_every_kind_of_read_out_is_told_within_80_columns(tmp_path, save, columns):
    from retain.campaign.readout.outcomes import Outcomes
    from retain.campaign.readout.readout import build_readout as read_out

    assignment, declined, kept = simulate_campaign(simulation.Design(simulation.LARGE.sizes, save))
    gone = np.random.default_rng(0).random(len(declined)) < np.where(
        assignment.is_treated, 0.02, 0.2
    )
    known = {
        "declined": np.where(gone, np.nan, declined) if "declined" in columns else None,
        "profit": np.where(gone, np.nan, kept) if "profit" in columns else None,
    }
    contacted = (assignment.is_treated & (np.arange(len(declined)) % 9 > 0)).astype(float)
    outcomes = Outcomes(~gone, **known, contacted=contacted, cost=None, n_unknown_customers=2)
    tree = read_out(assignment, outcomes, resamples=200).document
    lines = board(tree, tmp_path).splitlines()
    long = [line for line in lines if len(line) > 80 and str(tmp_path) not in line]
    assert long == []
    output = " ".join(" ".join(lines).split())
    assert "Outcomes are missing for" in output
    assert "not in the campaign" in output
    word = {-0.5: "it harmed", 0.0: "no significant effect", 0.7: "it helped"}[save["call"]]
    if "declined" in columns:
        assert f"Overall: {word}" in output
        assert "points" in output
    assert ("Stop it until the reason is known" in output) == (save["call"] < 0)


def test_a_campaign_too_small_for_anything_says_so(tmp_path):
    from retain.campaign.readout.outcomes import Outcomes
    from retain.campaign.readout.readout import build_readout as read_out

    assignment, declined, kept = simulate_campaign(
        simulation.Design({"high": {"call": 15}}, {"call": 0.3})
    )
    outcomes = Outcomes(np.ones(15, bool), declined.astype(float), kept, None, None, 0)
    tree = read_out(assignment, outcomes, resamples=200).document
    output = " ".join(board(tree, tmp_path).split())
    assert "Too few customers are observed to compare the two groups" in output
    assert "Too few customers are observed to compute what the campaign brought" in output
    assert "No Qini curve: at least 100 observed" in output


def test_the_command_is_one_of_the_packages(checkout):
    import tomllib

    scripts = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts["retain-readout"] == "retain.cli.entry:readout"
    assert (conf_dir() / "readout.yaml").is_file()
