"""Customers to be scored whose cells cannot be read are told one by one; the others go on."""

import re

import numpy as np
import pandas as pd
import pytest

from retain.customers import table
from retain.customers.contract import reader
from retain.errors import RetainError


def changed(folder, name, old, new):
    path = folder / name
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())


def left_out(customers):
    """Reason by customer, of all that the funnel left out."""
    return {id_: step.reason for step in customers.funnel for id_ in step.dropped}


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("market_file.csv", "104,Снизилась,премиум", "104,Снизилась,платина", "is 'платина'"),
        ("market_file.csv", "104,Снизилась,премиум,да,3.5", "104,Снизилась,премиум,да,x", "not a"),
        ("market_file.csv", "104,Снизилась,премиум,да", "104,Снизилась,премиум,", "missing"),
        ("market_money.csv", "104,текущий_месяц,4124.5\r\n", "", "no row of period 'current'"),
        ("market_time.csv", "104,текущий_месяц,11", "104,текущий_месяц,-11", "at least 0"),
        ("money.csv", "104;4,24", "104;many", "'many'"),
        ("money.csv", "104;4,24\r\n", "", r"not in profit \(money.csv\)"),
    ],
)
def test_who_breaks_the_contract_is_left_out_of_those_to_be_scored_with_the_reason(
    small_dir, contract, name, old, new, reason
):
    changed(small_dir, name, old, new)
    with pytest.raises(RetainError, match=reason):
        reader.read(dir=str(small_dir), **contract)
    customers = reader.read(dir=str(small_dir), has_target=False, **contract)
    assert customers.features.index.tolist() == [n for n in range(101, 113) if n != 104]
    assert list(left_out(customers)) == [104]
    assert re.search(reason, left_out(customers)[104])


def test_who_stands_in_one_file_alone_is_left_out_too(small_dir, contract):
    changed(small_dir, "money.csv", "104;4,24", "104;4,24\r\n999;1,5")
    customers = reader.read(dir=str(small_dir), has_target=False, **contract)
    assert customers.features.index.tolist() == list(range(101, 113))
    assert "999" in left_out(customers)[999]
    assert customers.features.notna().all(axis=None)


def test_files_of_which_nobody_can_be_read_are_refused(small_dir, contract):
    path = small_dir / "money.csv"
    path.write_text(re.sub(r"\d+,\d+", "x", path.read_text()))
    with pytest.raises(
        RetainError, match=r"^profit \(money.csv\), column .*: 12 cells are not a number"
    ):
        reader.read(dir=str(small_dir), has_target=False, **contract)


LEARNT = {"pages": "number", "colour": "category", "since": "number", "trend": "number"}
TREND = {"trend": {"group": "site", "operation": "difference", "of": ["pages", "since"]}}


@pytest.fixture
def new(tmp_path):
    """Reads a table whose columns are given, as a model's new customers or not."""

    def read(learnt=LEARNT, **columns):
        frame = pd.DataFrame({**GOOD, **columns})
        frame.to_csv(tmp_path / "new.csv", index=False)
        return table.read(
            path=str(tmp_path / "new.csv"), id="id", derived=TREND, known_kinds=learnt
        )

    return read


GOOD = {
    "id": [1, 2, 3, 4],
    "pages": [5.0, 6.0, 7.5, 8.0],
    "colour": ["red", "red", "blue", None],
    "since": ["1970-01-02", "1970-01-03", "1970-01-04", "1970-01-05"],
}


# Four customers may be alike in what tells thousands apart.
def test_columns_a_model_learnt_from_are_kept_whatever_their_cells(new):
    customers = new(pages=[5.0] * 4, colour=[1, 2, 3, 4])
    assert list(customers.columns) == ["pages", "colour", "since"]
    assert customers.columns["colour"].kind == "category"
    assert customers.features["colour"].tolist() == ["1", "2", "3", "4"]
    assert customers.features["since"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert len(customers) == 4


def test_a_cell_that_is_no_number_costs_its_customer_the_score_and_nobody_else(new):
    customers = new(
        id=range(1, 13),
        pages=["5", "many", "", *"456789123"],
        colour=["red"] * 12,
        since=["1970-01-02"] * 3 + ["soon"] + ["1970-01-03"] * 8,
    )
    assert customers.features.index.tolist() == [1, 3, *range(5, 13)]
    assert np.isnan(customers.features.loc[3, "pages"])
    text = left_out(customers)
    assert re.search("'pages': 1 cell is not a number: 'many'", text[2])
    assert re.search("'since': 1 cell is not a number: 'soon'", text[4])


def test_an_empty_column_is_of_the_kind_it_was(new):
    features = new(pages=[None] * 4, colour=[None] * 4).features
    assert features["pages"].dtype == "float64"
    assert features["colour"].dtype == "str"
    assert features[["pages", "colour"]].isna().all(axis=None)


def test_a_column_without_any_number_is_another_column(new):
    with pytest.raises(RetainError, match="'pages': 4 cells are not a number: 'a', 'b'"):
        new(pages=["a", "b", "c", "d"])


def test_features_that_are_missing_are_all_named(new):
    with pytest.raises(RetainError, match="lack features 'minutes', 'visits', which those"):
        new(learnt={**LEARNT, "minutes": "number", "visits": "number"})
    with pytest.raises(RetainError, match=r"lack feature 'page', .*Did you mean 'pages'"):
        new(learnt={**LEARNT, "page": "number"})
