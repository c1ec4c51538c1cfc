"""Runs beside each other have the numbers of the comparison itself."""

import json

import pytest

from retain.dashboard.comparison import compare_rows
from retain.dashboard.index import OutputsReader
from retain.verdict.curves import mean_curves
from retain.verdict.difference import compare_pair
from retain.workflows.runs import read_run_scores


@pytest.fixture(scope="module")
def rows(made):
    return OutputsReader(made).read().study("models").rows[:4]


def test_each_run_is_held_against_the_first(rows):
    found = compare_rows([(row, "") for row in rows])
    records = [row.directory.read() for row in rows]
    scores = [
        read_run_scores(row.directory, record) for row, record in zip(rows, records, strict=True)
    ]
    assert found.runs[0].difference is None
    for at in (1, 2, 3):
        run = found.runs[at]
        expected = compare_pair(records[0], records[at], (scores[0], scores[at]))
        assert run.difference == expected
        assert run.gap == expected.metrics[0]
        assert sum(run.fold_gaps) / len(run.fold_gaps) == pytest.approx(run.gap.difference.value)
        assert dict(run.curves) == mean_curves(scores[at])
        assert run.letter == "ABCD"[at]


def test_one_run_has_no_difference_and_no_settings(rows):
    found = compare_rows([(rows[0], "winner")])
    assert found.settings == {}
    assert found.paired_runs == ()
    assert found.runs[0].tag == "winner"


def test_the_components_seed_is_no_setting_of_its_own(rows):
    found = compare_rows([(row, "") for row in rows])
    assert "seed" in found.settings
    assert not [key for key in found.settings if key.endswith("random_state")]


def test_runs_on_other_folds_say_why_they_cannot_be_compared(copied):
    one, other = OutputsReader(copied).read().studies[0].rows[:2]
    tree = json.loads(other.directory.record.read_text("utf-8"))
    tree["split"]["fingerprint"] = "e" * 64
    other.directory.record.write_text(json.dumps(tree), "utf-8")
    run = compare_rows([(one, ""), (other, "")]).runs[1]
    assert run.difference is None
    assert "splits" in run.unlike


def test_a_run_whose_record_is_gone_is_still_named(copied):
    one, other = OutputsReader(copied).read().studies[0].rows[:2]
    one.directory.record.unlink()
    found = compare_rows([(one, ""), (other, "")])
    assert [run.row.id for run in found.runs] == [one.id, other.id]
    assert found.settings == {}
    assert found.metrics == ()
