"""A table of a user's own: what is told of it, what is left out, and what is typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retain.record.documents import parse_document
from retain.record.verdict_document import VerdictDocument
from retain.report.page.page import page

LINE = ("data=table", "data.path=my.csv", "data.id=id", "data.target=left", "validation.folds=2")
N = 120


@pytest.fixture
def table(here):
    rng = np.random.default_rng(0)
    left = rng.random(N) < 0.4
    frame = pd.DataFrame(
        {
            "id": [f"c{n}" for n in range(N)],
            "pages": (rng.normal(9, 2, N) - left).round(2),
            "spend": rng.gamma(2, 90, N).round(2),
            "town": rng.choice(["Omsk", "Tver"], N),
            "left": np.where(left, "yes", "no"),
        }
    )
    frame.to_csv("my.csv", index=False)
    return frame


def write_lines(change):
    path = Path("my.csv")
    path.write_text("\n".join(change(path.read_text().splitlines())), encoding="utf-8")


def test_what_was_read_is_printed_and_nothing_runs(retain, table):
    code, output = retain(*LINE, "describe=true")
    assert code == 0
    assert "declines: " in output
    assert re.search(r"town +category: 2 levels +'\w+', '\w+'", output)
    assert not Path("outputs").exists()


def test_what_was_read_needs_no_target(retain, table):
    code, output = retain("data=table", "data.path=my.csv", "describe=true")
    assert code == 0
    assert "left out: different in every row" in output


def test_what_was_read_of_a_contract_is_printed_and_nothing_runs(retain, here):
    code, output = retain("data=demo", "data.customers=90", "describe=true")
    assert code == 0
    assert "market_file.csv: utf-8, separator ','" in output
    assert re.search(r"service_level +category: 2 levels +'\w+', '\w+'", output)
    assert not Path("outputs").exists()


def test_what_was_read_of_a_log_is_printed_and_nothing_runs(retain, here):
    pytest.importorskip("duckdb")
    days = pd.date_range("2022-01-01", "2023-12-31", freq="15D")
    rows = [f"{who};{day:%d.%m.%Y};{who + 1},50" for who in range(20) for day in days]
    Path("log.csv").write_text("\n".join(["who;at;sum", *rows]) + "\n", encoding="utf-8")
    roles = ("data.columns.customer=who", "data.columns.time=at", "data.columns.amount=sum")
    line = ("data=purchases", "data.path=log.csv", *roles, "data.profit_unit=euros")
    code, output = retain(*line, "data.cache=null", "describe=true")
    assert code == 0
    assert "columns: customer 'who', time 'at', amount 'sum'" in output
    assert "separator ';', decimal mark ','" in output
    assert re.search(r"orders_180 +number +'12', '11'|orders_180 +number +'12'", output)
    assert not Path("outputs").exists()


def test_dropped_rows_are_written_with_their_lines_and_removed_when_there_are_none(retain, table):
    whole = Path("my.csv").read_text()
    write_lines(lambda lines: [*lines[:5], f"{lines[5]},=cmd", *lines[6:]])
    code, output = retain(*LINE)
    assert code == 2
    typed = shlex.split(re.search(r"(data\.bad_rows=\S+)", output)[1])
    code, output = retain(*LINE, *typed, "study.name=mine")
    assert code == 0
    assert "bad rows 120 → 119 rows: line 6: 6 cells, the header has 5" in output
    (row,) = pd.read_csv("outputs/mine/dropped_rows.csv").to_dict("records")
    assert row["line"] == 6
    assert row["text"].endswith(",=cmd")
    Path("my.csv").write_text(whole, encoding="utf-8")
    retain(*LINE, *typed, "study.name=mine")
    assert not Path("outputs/mine/dropped_rows.csv").exists()


def test_the_record_tells_what_was_read(retain, table, records):
    retain(*LINE)
    (record,) = records("adhoc").values()
    assert [one["name"] for one in record["data"]["columns"]] == list(table)
    assert record["data"]["columns"][1]["type"] == "number"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda t: t.assign(pages=t["pages"].astype(str).where(t.index != 3, "n. d., I")), "miss"),
        (lambda t: t.assign(left=t["left"].map({"yes": "moved, far", "no": "it's"})), "positive"),
        (lambda t: t.assign(left=t["town"].where(t.index % 3 > 0, "a (b)")), "positive"),
    ],
)
def test_what_a_refusal_says_to_type_is_typed(retain, table, change, key):
    change(table).to_csv("my.csv", index=False)
    code, output = retain(*LINE, "describe=true")
    assert code == 2
    words = [word for word in shlex.split(output.replace("\n", " ")) if word.startswith("data.")]
    typed = next(word for word in words if word.startswith(f"data.{key}")).rstrip(".,;")
    code, output = retain(*LINE, "describe=true", typed)
    assert code == 0, output


def test_a_leak_below_the_limit_is_a_caution_at_launch_in_the_verdict_and_on_the_page(
    retain, retain_compare, table
):
    score = np.random.default_rng(7).normal(0, 1, N) + 1.8 * table["left"].eq("yes")
    table.assign(score=score.round(3)).to_csv("my.csv", index=False)
    _, output = retain(*LINE, "study.name=mine")
    assert "audit caution strong_feature: feature 'score' (AUC 0.9" in output
    assert "data.drop_columns=[score]" in output
    retain_compare("study=mine", "explain=none", "resamples=100")
    text = Path("outputs/mine/verdict/verdict.json").read_text()
    verdict = parse_document(VerdictDocument, text, "verdict.json")
    assert "strong_feature" in [one.code for one in verdict.cautions]
    assert "One feature alone" not in verdict.summary
    shown = page(verdict, "en")
    assert "strong_feature" in shown
    assert "alone as good as a whole model" in shown
    assert "What was read: " in shown
    _, output = retain(*LINE, "study.name=mine", "data.drop_columns=[score]")
    assert "strong_feature" not in output


@pytest.mark.parametrize("profit", ["0", "-3.5", ""])
def test_a_profit_that_nobody_brings_is_refused_and_left_out_as_typed(retain, table, profit):
    table.assign(gain=profit).to_csv("my.csv", index=False)
    money = ("data.profit=gain", "data.profit_unit=euro")
    code, output = retain(*LINE, *money)
    assert code == 2
    assert "none of 120 customers has a profit above 0" in " ".join(output.split())
    typed = re.search(r"data\.profit=null", output)[0]
    code, output = retain(*LINE, *money, typed)
    assert code == 0, output
