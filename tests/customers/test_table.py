from __future__ import annotations

import datetime as dt
import decimal
import inspect
import logging
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from retain.customers.table import read
from retain.errors import RetainError
from retain.record.estimates import DisplayName

N = 200


@pytest.fixture(scope="session")
def telco():
    """A made-up table of the usual telecom shape: 21 columns, TotalCharges with blanks."""
    rng = np.random.default_rng(0)
    tenure = rng.integers(0, 30, N)
    yes_no = ["Yes", "No"]
    frame = pd.DataFrame(
        {
            "customerID": [f"{n:04d}-ABCDE" for n in range(N)],
            "gender": rng.choice(["Male", "Female"], N),
            "SeniorCitizen": rng.integers(0, 2, N),
            "tenure": tenure,
            "MonthlyCharges": rng.normal(60, 20, N).round(2),
            "TotalCharges": [f"{n * 60.25}" if n else " " for n in tenure],
            "Contract": rng.choice(["Month-to-month", "One year", "Two year"], N),
        }
    )
    for name in range(13):
        frame[f"Service{name}"] = rng.choice(yes_no, N)
    return frame.assign(Churn=rng.choice(yes_no, N))


@pytest.fixture
def written(tmp_path):
    """Write a table and give its path; columns are given by name."""

    def write(frame: pd.DataFrame | None = None, **columns) -> str:
        path = tmp_path / "table.csv"
        (pd.DataFrame(columns) if frame is None else frame).to_csv(path, index=False)
        return str(path)

    return write


@pytest.fixture
def parquet(tmp_path):
    def write(frame: pd.DataFrame) -> str:
        path = tmp_path / "table.parquet"
        frame.to_parquet(path, index=False)
        return str(path)

    return write


def text(value: str) -> list[str]:
    return [f"{value}{n % 3}" for n in range(N)]


# --- a whole table -------------------------------------------------------------------------------


def test_a_telecom_table_is_read_with_nothing_but_its_three_names(telco, written):
    customers = read(path=written(telco), id="customerID", target="Churn", positive="Yes")
    assert customers.describe_funnel() == "200"
    assert len(customers.columns) == telco.shape[1] - 2 == 19
    assert customers.features.index[0] == "0000-ABCDE"
    assert customers.y.tolist() == (telco["Churn"] == "Yes").astype(int).tolist()
    assert customers.columns["total_charges"].kind == "number"
    assert customers.columns["total_charges"].en == "TotalCharges"
    assert customers.features["total_charges"].isna().sum() == (telco["tenure"] == 0).sum()
    assert customers.features["senior_citizen"].dtype == "float64"
    assert customers.groups == {"other": list(customers.columns)}


def test_parquet_and_csv_of_one_table_are_the_same_customers(telco, written, parquet):
    options = {"id": "customerID", "target": "Churn"}
    first = read(path=written(telco), **options)
    second = read(
        path=parquet(telco.assign(Contract=telco["Contract"].astype("category"))), **options
    )
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("positive", ["Yes", "No", None, True])
def test_the_activity_is_the_answer_as_the_file_writes_it(telco, written, positive):
    customers = read(path=written(telco), id="customerID", target="Churn", positive=positive)
    texts = "Churn = No" if positive == "No" else "Churn = Yes"
    assert customers.target_label == DisplayName(texts, texts)
    assert read(path=written(telco.drop(columns="Churn")), id="customerID").target_label is None


def test_columns_may_be_named_canonically(telco, written):
    customers = read(path=written(telco), id="customer_id", target="churn", keep_columns=["tenure"])
    assert customers.features.index.name == "customer_id"


# --- what cells are ------------------------------------------------------------------------------


def test_numbers_may_have_gaps_in_words(written):
    cells = [*["1", "2.5"] * 90, "", "NA", "NaN", "null", "None", "-", "?", *["3"] * 13]
    customers = read(path=written(pages=cells, kind=text("a")))
    assert customers.columns["pages"].kind == "number"
    assert customers.features["pages"].isna().sum() == 7


def test_decimal_commas_are_read_in_a_semicolon_table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a;b\n0,5;x\n1,5;y\n1,5;y\n", encoding="utf-8")
    assert read(path=str(path)).features["a"].tolist() == [0.5, 1.5, 1.5]


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        (["2024-01-31", "2024-02-01"], "2024-01-31"),
        (["2024-01-31T10:20:30Z", "2024-02-01 00:00"], "2024-01-31"),
        (["31.01.2024", "1.2.2024"], "2024-01-31"),
        (["1/31/2024", "2/1/2024"], "2024-01-31"),
        (["31/01/2024", "01/02/2024"], "2024-01-31"),
        (["0001-01-31", "9999-12-31"], "0001-01-31"),
        (["31.01.24", "1.2.2024"], "2024-01-31"),
        (["31.01.85", "2024-02-01"], "1985-01-31"),
        (["2024/01/31", "2024.2.1"], "2024-01-31"),
        (["31-01-2024 10:20", "01-02-2024 00:00:30"], "2024-01-31"),
        (["1/31/2024 10:20 PM", "2/1/2024 1:00 AM"], "2024-01-31"),
        (["31-Jan-24", "01-Feb-24"], "2024-01-31"),
        (["2024-01", "2024-02"], "2024-01-01"),
        (["01/2024", "02.2024"], "2024-01-01"),
        ([f"{year}-01-{day:02}" for day in range(31, 0, -2) for year in (24, 23)], "2024-01-31"),
        (["31 Jan 2024", "1 February 2024"], "2024-01-31"),
        (["Jan 31, 2024", "February 1, 2024"], "2024-01-31"),
    ],
)
def test_dates_become_days_since_1970(written, dates, day):
    cells = (dates * 20)[:40]
    days = read(path=written(since=cells, kind=text("a")[:40])).features["since"]
    assert days.iloc[0] == (dt.date.fromisoformat(day) - dt.date(1970, 1, 1)).days


def test_dates_that_can_be_read_both_ways_are_refused_with_the_lines_to_type(written):
    path = written(since=["01/02/2024", "03/04/2024"] * 9)
    texts = (
        r"column 'since': '01/02/2024' may be a date with the day first or with the month first"
        r".* Type data\.date_format\.since=%d/%m/%Y or data\.date_format\.since=%m/%d/%Y"
    )
    with pytest.raises(RetainError, match=texts):
        read(path=path)
    for date_format, day in (("%d/%m/%Y", "2024-02-01"), ("%m/%d/%Y", "2024-01-02")):
        days = read(path=path, date_format={"since": date_format}).features["since"]
        assert days.iloc[0] == (dt.date.fromisoformat(day) - dt.date(1970, 1, 1)).days


def test_another_column_of_dates_says_whether_the_day_comes_first(written):
    dates = ["01/02/2024", "03/04/2024"] * 9
    features = read(path=written(since=dates, until=["31/12/2024", *dates[1:]])).features
    assert features["since"].iloc[0] == (dt.date(2024, 2, 1) - dt.date(1970, 1, 1)).days


def test_truth_values_and_mixed_cells_are_categories(written):
    cells = ["1", "2", "high", "low"] * 50
    customers = read(path=written(agreed=[True, False] * 100, level=cells))
    assert [column.kind for column in customers.columns.values()] == ["category", "category"]
    assert set(customers.features["agreed"]) == {"True", "False"}


def test_a_number_column_with_a_few_other_cells_is_refused_unless_it_is_said_to_be_text(written):
    path = written(**{"Total sum": ["1", "2"] * 98 + ["many", "few", "3", "4"]})
    texts = (
        r"column 'Total sum': 2 cells are not a number as the others: 'many', 'few'; .*"
        r"data\.categorical_columns=\[total_sum\]"
    )
    with pytest.raises(RetainError, match=texts):
        read(path=path)
    assert (
        read(path=path, categorical_columns=["total_sum"]).columns["total_sum"].kind == "category"
    )


def test_a_date_column_with_a_few_other_cells_is_refused(written):
    days = [f"{n % 28 + 1:02d}.01.2024" for n in range(N - 2)]
    with pytest.raises(RetainError, match=r"'since': 2 cells are not a date as the others: '30.02"):
        read(path=written(since=[*days, "30.02.2024", "later"]))


def test_every_column_that_cannot_be_read_is_told_at_once(written):
    cells = [1] * 199 + ["x"]
    with pytest.raises(RetainError, match=r"column 'a': .*\n.*column 'b': "):
        read(path=written(a=cells, b=cells))


def test_names_of_any_script_are_made_canonical_and_unique(written):
    frame = pd.DataFrame(
        {"Тип сервиса": text("a"), "total": text("b"), "Total": text("c"), "%": text("d")}
    )
    columns = read(path=written(frame)).columns
    assert list(columns) == ["тип_сервиса", "total", "total_2", "column"]
    assert [column.en for column in columns.values()] == ["Тип сервиса", "total", "Total", "%"]


# --- columns that are left out -------------------------------------------------------------------


@pytest.fixture
def odd(written):
    return written(
        one=[7] * N,
        empty=[None] * N,
        code=[f"c{n}" for n in range(N)],
        number=range(N),
        amount=[n + 0.5 for n in range(N)],
        day=[str(dt.date(2020, 1, 1) + dt.timedelta(n)) for n in range(N)],
        kind=text("a"),
    )


def test_columns_that_tell_nothing_or_who_is_who_are_left_out_and_told(odd):
    customers = read(path=odd)
    assert list(customers.columns) == list(customers.features) == ["amount", "day", "kind"]
    assert customers.describe_funnel() == "200 → 200 (columns left out)"
    reason = customers.funnel[0].reason
    assert "'one' is constant; 'empty' is empty; 'code' is different in every row" in reason
    assert "To keep one: data.keep_columns=[one]" in reason


def test_columns_named_in_keep_stay(odd):
    customers = read(path=odd, keep_columns=["one", "empty", "code", "number"])
    assert len(customers.columns) == 7
    assert customers.funnel == ()


def test_a_table_without_any_useful_column_is_refused(written):
    with pytest.raises(
        RetainError, match=r"no feature is left; columns left out: 'one' is constant"
    ):
        read(path=written(one=[1] * N))


# --- ids -----------------------------------------------------------------------------------------


def test_whole_ids_are_whole_numbers_and_others_texts(written):
    assert read(path=written(id=range(N), a=text("a")), id="id").features.index.dtype == "int64"
    ids = [f"{n:05d}" for n in range(N)]  # leading zeros belong to the id
    assert read(path=written(id=ids, a=text("a")), id="id").features.index[0] == "00000"


def test_without_an_id_the_row_number_is_the_id_and_told(written, caplog):
    with caplog.at_level(logging.INFO):
        customers = read(path=written(a=text("a")))
    assert customers.features.index.tolist() == list(range(1, N + 1))
    assert "no data.id, so the row number is the id" in caplog.text


def test_ids_that_repeat_are_refused(written):
    path = written(id=[1, 1, 2, 2, 3], a=list("abcab"))
    with pytest.raises(RetainError, match=r"column 'id': 2 ids are repeated: '1', '2'; expec"):
        read(path=path, id="id")


def test_a_column_of_ids_that_are_mostly_missing_is_refused(written):
    path = written(id=["1", None, "NA"], a=list("abb"))
    texts = r"column 'id': 2 rows have no id of 3; expected ids, or data\.id=null"
    with pytest.raises(RetainError, match=texts):
        read(path=path, id="id")


def test_ids_that_differ_in_invisible_characters_only_are_refused_as_repeated(written, caplog):
    for blank in ("\u200b", "\ufeff", "\u00a0", "\u200d"):
        path = written(id=["c1", f"c1{blank}", "c2"], a=list("aba"))
        with pytest.raises(RetainError, match=r"column 'id': 1 id is repeated: 'c1'"):
            read(path=path, id="id")
        with caplog.at_level(logging.INFO):
            path = written(id=["c0", f"c1{blank}", "c2"], a=list("aba"))
            assert read(path=path, id="id").features.index.tolist() == ["c0", "c1", "c2"]
    assert "ids without the invisible characters U+200C and U+200D" in caplog.text


# The audit refuses an identifier among the features, with numbers; it has to see it for that.
def test_an_id_that_a_group_names_becomes_a_feature(written):
    path = written(id=range(N), a=text("a"))
    customers = read(path=path, id="id", groups={"site": ["id"]})
    assert customers.columns["id"].group == "site"
    assert customers.features["id"].tolist() == list(range(N))


# --- the target ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "positive", "meant"),
    [
        (["Yes", "No"], None, "Yes"),
        (["Yes", "No"], "No", "No"),
        (["Yes", "No"], "yes", "Yes"),
        (["Yes", "No"], True, "Yes"),
        (["Yes", "No"], 1, "Yes"),
        (["да", "нет"], None, "да"),
        (["1", "0"], None, "1"),
        (["1", "0"], 0, "0"),
        (["1.0", "0.0"], "1", "1.0"),
        ([True, False], None, True),
        ([True, False], "true", True),
        (["left", "stayed"], "left", "left"),
    ],
)
def test_the_positive_answer_is_understood(written, answers, positive, meant):
    path = written(answer=answers * 50, a=text("a")[:100])
    target = read(path=path, target="answer", positive=positive).y
    assert target.tolist() == [int(answer == meant) for answer in answers * 50]
    assert target.dtype == "int64"


@pytest.mark.parametrize("blank", ["", "NA", "-"])
def test_a_target_of_one_answer_and_empty_cells_is_read_as_the_user_says(written, blank):
    path = written(churn=["Yes", blank, blank, "yes"] * 25, a=text("a")[:100])
    texts = (
        r"column 'churn': 'Yes' in 50 rows, and 50 cells are empty\. .*none: "
        r"data\.positive=Yes\. If an empty cell means a decline: \"data\.positive=''\""
    )
    with pytest.raises(RetainError, match=texts):
        read(path=path, target="churn")
    for positive, meant, label in (
        ("Yes", [1, 0, 0, 1], "churn = Yes"),
        (True, [1, 0, 0, 1], "churn = Yes"),
        (["yes"], [1, 0, 0, 1], "churn = Yes"),
        ("", [0, 1, 1, 0], "churn = (empty)"),
    ):
        customers = read(path=path, target="churn", positive=positive)
        assert customers.y.tolist() == meant * 25
        assert customers.target_label == DisplayName(label, label)


def test_a_positive_answer_that_does_not_exist_is_refused(written):
    path = written(answer=["left", "stayed"] * 50)
    texts = (
        "data.positive is 'lef'; expected one of 'left', 'stayed', .*'answer'. Did you mean 'left'"
    )
    with pytest.raises(RetainError, match=texts):
        read(path=path, target="answer", positive="lef")


def test_an_unclear_answer_has_to_be_named(written):
    with pytest.raises(
        RetainError, match=r"has values 'left', 'stayed', and neither .*data\.positive"
    ):
        read(path=written(answer=["left", "stayed"] * 50), target="answer")


@pytest.mark.parametrize(
    ("answers", "texts"),
    [
        (
            ["a", "b", "c"],
            "column 'answer': it has 3 values: 'a', 'b', 'c'; expected .*exactly two",
        ),
        (["a", "a", "a"], "it has 1 value: 'a'"),
        (["NA", "?", "-"], "it has no values; expected a target of exactly two values"),
    ],
)
def test_a_target_has_two_values(written, answers, texts):
    with pytest.raises(RetainError, match=texts):
        read(path=written(answer=answers * 9, b=list("xyz") * 9), target="answer")


def test_rows_without_a_target_are_left_out_and_told(written):
    answers = ["yes", "no", None, "NA"] * 50
    customers = read(path=written(answer=answers, a=text("a")), target="answer")
    assert customers.describe_funnel() == "200 → 100 (no target)"
    assert customers.funnel[0].reason == "no value in column 'answer'"
    assert customers.y.tolist() == [1, 0] * 50


# --- profit, consent, groups, derived ------------------------------------------------------------


def test_profit_is_a_number_with_a_unit_and_no_feature(written):
    path = written(profit=["1.5", "2", "NA", "-1"] * 50, a=text("a"))
    customers = read(path=path, profit="profit", profit_unit="euro a year")
    assert customers.profit.iloc[[0, 1, 3]].tolist() == [1.5, 2.0, -1.0]
    assert math.isnan(customers.profit.iloc[2])
    assert customers.profit_unit == "euro a year"
    assert list(customers.columns) == ["a"]


def test_profit_that_is_no_number_is_refused(written, parquet):
    with pytest.raises(RetainError, match="column 'profit': 100 cells are not a number: 'x'"):
        read(path=written(profit=["x", "1"] * 100), profit="profit", profit_unit="euro")
    frame = pd.DataFrame({"profit": pd.date_range("2020", periods=9), "a": list("abc") * 3})
    with pytest.raises(RetainError, match="column 'profit': it holds dates; expected numbers"):
        read(path=parquet(frame), profit="profit", profit_unit="euro")


def test_profit_without_a_unit_is_refused(written):
    with pytest.raises(RetainError, match=r"data\.profit_unit: it is None; expected what one unit"):
        read(path=written(profit=[1, 2]), profit="profit")


def test_consent_is_read_and_a_missing_one_is_none(written):
    path = written(agreed=["Yes", "no", None, "TRUE"] * 50, a=text("a"))
    customers = read(path=path, consent="agreed")
    assert customers.contactable.tolist() == [True, False, False, True] * 50
    assert list(customers.columns) == ["a"]
    assert "agreed" in read(path=path, consent="agreed", groups={"site": "agreed"}).columns


def test_consent_that_is_not_yes_or_no_is_refused(written):
    with pytest.raises(
        RetainError, match="column 'agreed': it holds 'maybe'; expected answers such"
    ):
        read(path=written(agreed=["yes", "maybe"] * 50), consent="agreed")


def test_groups_take_names_of_both_kinds_and_the_rest_is_other(telco, written):
    groups = {"purchase": ["MonthlyCharges", "total_charges"], "product": ["Contract"]}
    found = read(path=written(telco), id="customerID", target="Churn", groups=groups).groups
    assert found["purchase"] == ["monthly_charges", "total_charges"]
    assert found["product"] == ["contract"]
    assert len(found["other"]) == 16


def test_derived_features_are_checked_against_the_columns(telco, written):
    part = {"group": "purchase", "operation": "ratio", "of": ["total_charges", "tenure"]}
    options = {"path": written(telco), "id": "customerID", "target": "Churn"}
    assert read(**options, derived={"rate": part}).derived_features[0].inputs == (
        "total_charges",
        "tenure",
    )
    part["of"] = ["total_charge", "tenure"]
    with pytest.raises(
        RetainError, match=r"'total_charge' is not one of .*Did you mean 'total_char"
    ):
        read(**options, derived={"rate": part})


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ({"id": "customerid"}, "data.id: column 'customerid' is missing; .*mean 'customerID'"),
        ({"target": "Chrun"}, "data.target: column 'Chrun' is missing; .*mean 'Churn'"),
        (
            {"keep_columns": ["tenur"]},
            "data.keep_columns: column 'tenur' is missing; .*mean 'tenure'",
        ),
        (
            {"categorical_columns": ["tenur"]},
            "data.categorical_columns: column 'tenur' is missing; .*mean 'tenure'",
        ),
        ({"groups": {"site": ["tenur"]}}, "data.groups.site: column 'tenur' is missing"),
        ({"groups": {"a": ["tenure"], "b": ["tenure"]}}, "'tenure' is in group 'a' already"),
        ({"groups": {"a": ["Churn"]}, "target": "Churn"}, "'Churn' is the target, never a feature"),
        (
            {"groups": {"a": ["tenure"]}, "profit": "tenure", "profit_unit": "euro"},
            "'tenure' is the profit, never a feature",
        ),
        (
            {"id": "tenure", "target": "tenure"},
            "data.id and data.target name one column, 'tenure'; expected one role each",
        ),
    ],
)
def test_a_name_that_is_wrong_is_refused(telco, written, options, texts):
    with pytest.raises(RetainError, match=texts):
        read(path=written(telco), **options)


# --- Parquet -------------------------------------------------------------------------------------


def test_parquet_types_are_kept(parquet):
    frame = pd.DataFrame(
        {
            "id": np.arange(9, dtype="int64") + 2**60,
            "amount": [decimal.Decimal("1.50"), None, decimal.Decimal("2.25")] * 3,
            "day": pd.date_range("1970-01-02", periods=9, tz="UTC"),
            "date": [dt.date(1970, 1, 3), None, dt.date(1970, 1, 4)] * 3,
            "agreed": [True, False, None] * 3,
            "kind": pd.Categorical(["a", "b", " "] * 3),
            "small": np.array([1, 2, 3] * 3, dtype="int8"),
        }
    )
    features = read(path=parquet(frame), id="id").features
    assert features.index[0] == 2**60
    assert features["amount"].iloc[[0, 2]].tolist() == [1.5, 2.25]
    assert features["day"].tolist() == list(range(1, 10))
    assert features["date"].iloc[0] == 2
    assert math.isnan(features["date"].iloc[1])
    assert features["agreed"].iloc[:2].tolist() == ["True", "False"]
    assert features["kind"].isna().tolist() == [False, False, True] * 3
    assert features["small"].tolist() == [1.0, 2.0, 3.0] * 3


def test_parquet_numbers_can_be_target_consent_and_category(parquet):
    frame = pd.DataFrame(
        {"answer": [1.0, 0.0, None] * 3, "agreed": [1, 0, 1] * 3, "level": [1, 2, 3] * 3}
    )
    customers = read(
        path=parquet(frame), target="answer", consent="agreed", categorical_columns=["level"]
    )
    assert customers.y.tolist() == [1, 0] * 3
    assert customers.contactable.tolist() == [True, False] * 3
    assert customers.features["level"].tolist() == ["1", "2"] * 3


def test_parquet_profit_is_taken_as_it_is(parquet):
    frame = pd.DataFrame({"profit": [1.5, 2.0, None] * 3, "a": list("abc") * 3})
    profit = read(path=parquet(frame), profit="profit", profit_unit="euro").profit
    assert profit.iloc[:2].tolist() == [1.5, 2.0]


def test_infinite_numbers_are_refused(parquet):
    with pytest.raises(RetainError, match="column 'a': it holds infinite values; expected finite"):
        read(path=parquet(pd.DataFrame({"a": [1.0, math.inf], "b": ["x", "y"]})))


def test_an_empty_parquet_column_is_left_out(parquet):
    frame = pd.DataFrame({"a": [None] * 9, "b": list("xyz") * 3})
    assert list(read(path=parquet(frame)).columns) == ["b"]


def test_nested_parquet_columns_are_refused(parquet):
    with pytest.raises(RetainError, match=r"column 'a.*' holds list.*; expected numbers, text"):
        read(path=parquet(pd.DataFrame({"a": [[1], [2]]})))


def test_what_is_no_parquet_is_refused(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_text("id,a\n1,2\n", encoding="utf-8")
    with pytest.raises(RetainError, match="cannot be read as Parquet"):
        read(path=str(path))
    with pytest.raises(RetainError, match=r"'tabel\.parquet' is not in folder .*'table\.parquet'"):
        read(path=str(tmp_path / "tabel.parquet"))


def test_the_config_names_every_option_of_the_reader():
    path = Path(__file__).parents[2] / "conf" / "data" / "table.yaml"
    keys = set(yaml.safe_load(path.read_text(encoding="utf-8"))) - {"name", "_target_"}
    # what a model learnt from is known to the command that scores, and no choice of the user's;
    # columns that the readout's own keys name are typed there
    others = {"known_kinds", "known_sources", "named_columns"}
    assert keys == set(inspect.signature(read).parameters) - others


# A field of more than 131,072 characters is more than Python's own reader of CSV takes.
def test_a_name_longer_than_any_costs_no_traceback(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text(f"customer_id,{'x' * 200_000}\n1,2\n")
    with pytest.raises(
        RetainError, match="has a column whose name has 200,000 characters, 'xxx"
    ) as caught:
        read(path=str(path), id="customer_id", target="churn")
    assert len(str(caught.value)) < 500


# Floats have gaps beyond 2**53, and whole ones of 1e30 are no 64-bit integers.
def test_ids_that_are_floats_beyond_all_integers_are_taken_as_texts(tmp_path):
    ids = [1e30, *map(float, range(1, 60))]
    table = pd.DataFrame({"id": ids, "churn": ["yes", "no"] * 30, "spent": [1, 2, 3] * 20})
    table.to_parquet(tmp_path / "in.parquet")
    customers = read(path=str(tmp_path / "in.parquet"), id="id", target="churn")
    assert len(customers.features) == 60
