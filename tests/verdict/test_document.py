import json
import math

import pytest

from retain.record.documents import parse_document
from retain.record.verdict_document import VERDICT_SCHEMA, VerdictDocument
from retain.verdict.difference import compare_pair
from retain.verdict.document import ComparisonExtras, as_json, document
from retain.verdict.gate import check_gate
from retain.verdict.sealed_test import Ledger, SealedTest
from retain.verdict.verdict import compare_runs


@pytest.fixture
def records(make_record):
    smote = {"sampler": {"name": "smote"}, "calibration": {"name": "sigmoid"}}
    return [
        make_record(id="00000001"),
        make_record(id="00000002", auc=(0.91, 0.90, 0.9, 0.92, 0.9, 0.89), **smote),
        make_record(id="00000003", auc=(0.6, 0.61, 0.6, 0.62, 0.6, 0.6), model={"name": "tree"}),
        make_record(id="00000009", state="failed", reason="boom", metrics={}),
    ]


@pytest.fixture
def found(records, comparison):
    """The document of a verdict, with the findings given."""

    def made(**changes):
        findings = {
            "studies": ("models",),
            "question": "Which?",
            "interrupted": 1,
            "commands": ("retain -m study=models",),
            "gate": None,
            "diffs": (),
            "curves": None,
            "sealed": None,
            "customer_results": None,
            "explanations": None,
        }
        return document(
            compare_runs(records, comparison), ComparisonExtras(**{**findings, **changes})
        )

    return made


def test_what_is_written_is_read_back_by_the_same_class(found):
    text = as_json(found())
    assert parse_document(VerdictDocument, text, "verdict.json") == found()
    assert json.loads(text)["schema"] == VERDICT_SCHEMA


# One run a line, so that two verdicts can be laid side by side.
def test_each_run_has_a_line_of_its_own(found):
    lines = as_json(found()).splitlines()
    assert sum('"rank": ' in line for line in lines) == 3


def test_the_document_tells_choice_ties_effects_and_what_is_left_out(found):
    tree = found()
    assert tree.selection.best.id == tree.winner.id
    assert tree.tied[0] == tree.leaderboard[0]["id"]
    assert tree.key_columns[:2] == ("model", "sampler")
    assert {effect.factor for effect in tree.main_effects} >= {"model", "sampler"}
    (other,) = tree.excluded_runs
    assert (other.id, other.reason) == ("00000009", "boom")
    assert tree.n_interrupted == 1


def test_intervals_can_be_worked_out_again_from_folds_and_quantiles(found):
    tree = found()
    for row in tree.leaderboard:
        folds = tree.fold_values[row["id"]]["roc_auc"]
        assert sum(folds) / len(folds) == pytest.approx(row["roc_auc"])
        assert str(len(folds) - 1) in tree.t_quantiles


def test_several_studies_have_a_name_together(found):
    assert found(studies=("models", "samplers")).study == "models+samplers"


def test_a_gate_and_two_runs_are_told_where_they_were_asked_for(found, records, comparison):
    tree = found(
        gate=tuple(check_gate(compare_runs(records[:1], comparison), {"roc_auc": 0.99})),
        diffs=(compare_pair(records[0], records[1], requested=True),),
    )
    assert tree.gate.passed is False
    assert tree.gate.metrics[0].missed_by == pytest.approx(0.09)
    assert tree.diffs[0].requested is True


def test_from_the_second_opening_on_a_caution_says_so(found, records, tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    once = SealedTest(20, {}, tuple(ledger.add(records[0], 0.9)))
    twice = SealedTest(20, {}, tuple(ledger.add(records[1], 0.9)))
    assert found(sealed=once).cautions == ()
    (caution,) = found(sealed=twice).cautions
    assert (caution.code, caution.numbers) == ("sealed_reopened", {"n_accesses": 2})


def test_a_number_that_is_none_is_refused_rather_than_written(found):
    document = found().model_copy(update={"alpha": math.nan})
    with pytest.raises(ValueError, match="Out of range float values"):
        as_json(document)
