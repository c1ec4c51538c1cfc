"""Flags say how output appears: ``--quiet`` prints nothing, ``--json`` the result alone."""

import json
from importlib import metadata

import pytest

SWEEP = ("-m", "model=dummy,tree", "data.customers=160", "validation.repeats=1")
COMPARE = ("study=adhoc", "resamples=100", "explain=none", "campaign=none")


@pytest.fixture
def swept(here, retain):
    retain(*SWEEP)


def test_a_quiet_sweep_prints_nothing_and_does_the_same(retain, records):
    assert retain(*SWEEP, "--quiet") == (0, "")
    assert set(records("adhoc")) == {"dummy", "tree"}


def test_a_quiet_command_still_says_what_is_wrong(retain):
    code, said = retain("model=tre", "--quiet")
    assert code == 2
    assert "Did you mean 'tree'?" in said


def test_the_version_is_that_of_retain(retain, retain_compare):
    for command in (retain, retain_compare):
        assert command("--version") == (0, f"retain {metadata.version('retain')}\n")


def test_a_sweep_as_json_names_each_run_and_its_state(retain):
    _, planned = retain(*SWEEP, "dry_run=true", "--json")
    assert [run["state"] for run in json.loads(planned)["runs"]] == ["new", "new"]
    code, said = retain(*SWEEP, "--json")
    found = json.loads(said)
    assert code == 0
    assert found["study"] == "adhoc"
    assert [(run["name"], run["state"]) for run in found["runs"]] == [
        ("model=dummy", "done"),
        ("model=tree", "done"),
    ]


def test_a_comparison_as_json_is_its_verdict(swept, here, retain_compare):
    code, said = retain_compare(*COMPARE, "--json")
    assert code == 0
    written = (here / "outputs" / "adhoc" / "verdict" / "verdict.json").read_text("utf-8")
    assert json.loads(said) == json.loads(written)


def test_a_gate_as_json_tells_by_how_much_it_was_missed(swept, retain_compare):
    code, said = retain_compare(*COMPARE, "gate.roc_auc=0.999", "gate_only=true", "--json")
    assert code == 3
    (gate,) = json.loads(said)["gate"]
    assert (gate["name"], gate["passed"]) == ("roc_auc", False)
    assert gate["missed_by"] == pytest.approx(0.999 - gate["value"])
