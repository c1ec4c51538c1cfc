"""The columns of the page of runs."""

import base64
import json

import numpy as np
import pytest

from retain.dashboard.runs_table import encode, table_data, tabulate_runs
from retain.report.page.embedded_data import STEPS_PER_UNIT


@pytest.fixture(scope="module")
def table(index):
    return tabulate_runs(index.studies)


def decode(column, n):
    at = column["at"] or [0] * n
    return [None if code < 0 else column["levels"][code] for code in at]


def test_the_columns_hold_every_run_the_best_first(table, index):
    data = table_data(table, 10**9)
    means = [row.estimate("roc_auc")[0] for row in table.rows]
    assert means == sorted(means, reverse=True)
    assert data["id"] == [row.id for row in table.rows]
    assert np.allclose(np.array(data["numbers"]["roc_auc"]) / STEPS_PER_UNIT, means, atol=5e-7)
    models = next(key for key in data["keys"] if key["name"] == "model")
    assert decode(models, 48) == [row.config["model"]["name"] for row in table.rows]


def test_folds_are_32_bit_floats_in_the_order_of_the_runs(table):
    data = table_data(table, 10**9)
    for name, text in data["folds"].items():
        folds = np.frombuffer(base64.b64decode(text), "<f4").reshape(48, data["n_folds"])
        for row, own in zip(table.rows, folds, strict=True):
            assert np.allclose(own, row.fold_values(name), atol=1e-6)


def test_folds_take_no_more_than_they_may_and_roc_auc_comes_first(table):
    data = table_data(table, 48 * 10 * 6)
    assert list(data["folds"]) == ["roc_auc"]
    assert sum(map(len, data["folds"].values())) <= 48 * 10 * 6
    assert table_data(table, 10)["folds"] == {}


def test_reasons_are_left_out_where_they_may_quote_customers(table):
    assert table_data(table, 0, reasons=False)["reason"] == {"levels": [""], "at": None}


def test_levels_are_sorted_by_size_and_nothing_is_minus_one():
    assert encode([True, None, 1e-4, 10, 9, "a"]) == {
        "levels": ["0.0001", "9", "10", "a", "true"],
        "at": [4, -1, 0, 2, 1, 3],
    }


def test_a_long_setting_is_cut_and_keeps_its_place():
    one, other = "x" * 300, "x" * 301
    assert encode([one, other, "a"]) == {"levels": ["a", "x" * 200], "at": [1, 1, 0]}


def test_the_columns_are_plain_json(table):
    assert json.loads(json.dumps(table_data(table, 10**6), allow_nan=False))


def test_no_runs_make_an_empty_table():
    data = table_data(tabulate_runs([]), 10**6)
    assert data["id"] == []
    assert data["metrics"] == []
