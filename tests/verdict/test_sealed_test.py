import numpy as np
import pandas as pd
import pytest

from retain.errors import RetainError
from retain.learning.metric_selection import select_metrics
from retain.learning.scores import COLUMNS, Scores
from retain.schema.run import Metrics
from retain.verdict.sealed_test import Ledger, SealedTest, score_sealed_test


def test_each_new_winner_opens_the_sealed_test_once(tmp_path, make_record):
    ledger = Ledger(tmp_path / "verdict" / "ledger.jsonl")
    one, two = make_record(id="00000001"), make_record(id="00000002")
    assert len(ledger.add(one, 0.9)) == 1
    assert len(ledger.add(one, 0.9)) == 1
    assert [o.run_id for o in ledger.add(two, 0.91)] == ["00000001", "00000002"]
    assert [o.roc_auc for o in ledger.entries(one.data.fingerprint)] == [0.9, 0.91]


# The sealed customers depend on the data alone: another study of the same data has the same ones.
def test_an_opening_in_a_study_beside_counts_and_other_customers_do_not(tmp_path, make_record):
    here, beside = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    one, two = make_record(id="00000001"), make_record(id="00000002", study="samplers")
    strangers = one.model_copy(update={"data": one.data.model_copy(update={"fingerprint": "f"})})
    Ledger(beside).add(two, 0.8)
    Ledger(beside).add(strangers, 0.7)
    Ledger(beside).add(one, 0.9)
    found = Ledger(here, (beside,)).add(one, 0.9)
    assert sorted(opening.run_id for opening in found) == ["00000001", "00000002"]
    assert here.read_text().count("\n") == 1, "the look stands in this study's ledger too"


def test_how_often_it_was_opened_is_told(tmp_path, make_record):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    once = ledger.add(make_record(id="00000001"), 0.9)
    twice = ledger.add(make_record(id="00000002"), 0.9)
    assert SealedTest(20, {}, tuple(once)).description == "The sealed test was opened once."
    assert "opened 2 times, for different winners" in SealedTest(20, {}, tuple(twice)).description


def test_a_ledger_that_was_edited_is_refused(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"schema": 2, "run_id": "x"}\n')
    with pytest.raises(RetainError, match="it must not be edited"):
        Ledger(path).entries("a" * 64)


# An access that retain 0.1 noted counts, and this version cannot read it.
def test_a_ledger_of_an_older_version_is_refused(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"time": "2026-01-01T00:00:00+00:00", "winner": "00000001"}\n')
    with pytest.raises(RetainError, match=r"line 1 has schema 1, which retain 0\.1 reads"):
        Ledger(path).entries("a" * 64)


def test_every_metric_lies_within_its_interval():
    random = np.random.default_rng(0)
    target = random.integers(0, 2, 150)
    probability = np.clip(0.3 + 0.4 * target + random.normal(0, 0.15, 150), 0, 1)
    rows = zip(range(150), [0] * 150, [0] * 150, target, probability, strict=True)
    scores = Scores(pd.DataFrame(rows, columns=list(COLUMNS)), "sealed_test")
    profit, alone = pd.Series(random.gamma(4, 1, 150)), pd.Series(range(150))
    metrics = select_metrics(Metrics(name="x", top_shares=(0.2,)), with_profit=True)
    found = score_sealed_test(scores, profit, metrics, groups=alone, simulations=100)
    assert set(found) == {metric.name for metric in metrics}
    for name, result in found.items():
        assert result.low <= result.value <= result.high, name
    without = select_metrics(Metrics(name="x", top_shares=(0.2,)), with_profit=False)
    unpaid = score_sealed_test(scores, None, without, groups=alone, simulations=100)
    assert "captured_profit_20" not in unpaid
