"""Secrets in the environment stay there, whatever is recorded."""

import json
from pathlib import Path

import pytest

SECRET = "s3cr3t-of-somebody"  # noqa: S105 - an invented one
QUESTION = "study.question='who leaves, ${oc.env:SECRET}?'"


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv("SECRET", SECRET)
    monkeypatch.setenv("NUMBER", "2")


def records():
    return [json.loads(path.read_text()) for path in Path("outputs/adhoc").glob("*/record.json")]


def test_a_value_from_the_environment_is_recorded_as_its_reference(
    retain, retain_compare, tiny, with_charts
):
    code, output = retain(*tiny, "model=tree", QUESTION)
    assert code == 0, output
    code, printed = retain_compare("study=adhoc", "resamples=100")
    assert code == 0, printed
    (record,) = records()
    assert record["config"]["study"]["question"] == "who leaves, ${oc.env:SECRET}?"
    assert SECRET not in output + printed
    holding = [
        p for p in Path("outputs").rglob("*") if p.is_file() and SECRET in p.read_text("latin-1")
    ]
    assert holding == []


def test_whoever_refers_to_such_a_value_is_recorded_as_a_reference_too(retain, tiny):
    words = ("outputs=outputs/${oc.env:SECRET}", "study.question='in ${outputs}'")
    code, output = retain(*tiny, "model=tree", *words)
    assert code == 0, output
    (path,) = Path("outputs", SECRET).glob("*/*/record.json")
    config = json.loads(path.read_text())["config"]
    assert config["outputs"] == "outputs/${oc.env:SECRET}"
    assert config["study"]["question"] == "in ${outputs}"


def test_the_same_line_finds_its_run_whatever_the_value(retain, tiny, monkeypatch):
    retain(*tiny, "model=tree", QUESTION)
    monkeypatch.setenv("SECRET", "another")
    _, output = retain(*tiny, "model=tree", QUESTION)
    assert "1 done before" in output
    assert len(records()) == 1


@pytest.mark.parametrize(
    "word",
    [
        "model.max_depth='${oc.decode:${oc.env:NUMBER}}'",
        "seed='${oc.decode:${oc.env:NUMBER}}'",
        "study.name='${oc.env:SECRET}'",
        "data.customers='${oc.decode:${oc.env:NUMBER}}'",
    ],
)
def test_a_value_that_can_change_a_result_has_to_be_typed(retain, tiny, word):
    code, output = retain("validation.folds=2", "model=tree", word)
    assert code == 2
    assert f"{word.partition('=')[0]} takes its value from the environment" in output
    assert not Path("outputs").exists()


def test_a_document_of_a_comparison_holds_no_value_of_the_environment(retain_compare):
    code, output = retain_compare("study=adhoc", "campaign.budget='${oc.decode:${oc.env:NUMBER}}'")
    assert code == 2
    assert "campaign.budget takes its value from the environment" in output
    code, output = retain_compare("study=adhoc", "selection.rule='${oc.env:SECRET}'")
    assert code == 2
    assert "selection.rule takes its value from the environment" in output


# A record of somebody else's must not read the environment of who compares it.
def test_what_a_record_refers_to_is_not_looked_up(retain, retain_compare, shop, here, monkeypatch):
    table = shop(120).features.assign(left=shop(120).target).reset_index(names="id")
    table.to_csv(here / f"{SECRET}.csv", index=False)
    words = ("data=table", "data.path=${oc.env:SECRET}.csv", "data.id=id", "data.target=left")
    code, output = retain(*words, "model=tree", "validation.folds=2", "validation.repeats=1")
    assert code == 0, output
    code, output = retain_compare("study=adhoc", "resamples=100")
    assert code == 0, output
    assert "the record takes data.path from the environment" in " ".join(output.split())
    code, output = retain_compare("study=adhoc", "resamples=100", "data.path=${oc.env:SECRET}.csv")
    assert code == 0, output
    assert "The sealed test was opened once" in output
