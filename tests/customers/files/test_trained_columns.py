"""Customers to be scored are read as the training file was, or refused."""

from __future__ import annotations

import pytest

from retain.customers.table import read
from retain.errors import RetainError

N = 60


@pytest.fixture
def score(tmp_path):
    """Return a function that reads new customers with the columns of a training file."""

    def write(name, header, rows, separator):
        path = tmp_path / name
        lines = [separator.join(row) for row in (header, *rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return str(path)

    def read_both(training, new, *, column="x", separators=(";", ";"), **options):
        rows = [
            (f"c{n}", str(n % 7), training[n % len(training)], "yes" if n % 3 else "no")
            for n in range(N)
        ]
        path = write("old.csv", ("id", "k", column, "churn"), rows, separators[0])
        trained = read(path=path, id="id", target="churn")
        rows = [(f"n{n}", "3", cell) for n, cell in enumerate(new)]
        path = write("new.csv", ("id", "k", column), rows, separators[1])
        kinds = {name: one.kind for name, one in trained.columns.items()}
        sources = {name: one.source for name, one in trained.columns.items()}
        found = read(path=path, id="id", known_kinds=kinds, known_sources=sources, **options)
        return found.features[column].tolist()

    return read_both


GROUPED, DECIMAL = ["1.234,50", "656,10", "2.000,25"], ["3,380", "2,7"]
DAY_FIRST, MONTH_FIRST = ["31/01/2024", "15/02/2023"], ["01/31/2024", "02/15/2023"]
BIRTHS = [f"{day}.0{day % 9 + 1}.{3 * day + 1}" for day in range(10, 29)] + ["31.01.32", "30.01.39"]
MONTHS = [f"{n:02}.2020" for n in range(1, 13)]


@pytest.mark.parametrize(
    ("training", "new", "values"),
    [
        (GROUPED, ["1.234", "2.500"], [1234.0, 2500.0]),
        (DECIMAL, ["3,380", "656"], [3.38, 656.0]),
        (["1,234.50", "656.10"], ["1,234", "2,500"], [1234.0, 2500.0]),
        (DAY_FIRST, ["03/04/2024"], [19816.0]),
        (MONTH_FIRST, ["03/04/2024"], [19786.0]),
        (MONTHS, ["10.2020"], [18536.0]),
        (["12.3%", "45%"], ["9.5 %"], [9.5]),
        (["1.2k", "900"], ["1200"], [1200.0]),
        (["1:30", "2:45"], ["0:10"], [10.0]),
        (BIRTHS, ["03.04.35"], [-12692.0]),
    ],
)
def test_what_allows_two_readings_is_read_as_in_the_training_data(score, training, new, values):
    assert score(training, new) == values


@pytest.mark.parametrize(
    ("training", "new", "values"),
    [
        (GROUPED, ["1,234.5", "656"], [1234.5, 656.0]),
        (DECIMAL, ["3.380.000", "656"], [3380000.0, 656.0]),
        (DAY_FIRST, ["01/31/2024", "03/04/2024"], [19753.0, 19786.0]),
        (DAY_FIRST, ["2024-01-31"], [19753.0]),
    ],
)
def test_another_format_that_is_certain_is_read(score, training, new, values):
    assert score(training, new) == values


@pytest.mark.parametrize(
    ("training", "new"),
    [
        (["12.3%", "45%"], ["0.123", "0.45"]),
        (["0.123", "0.45"], ["12.3%", "45%"]),
        (["€12.3", "€45"], ["$12.3", "$45"]),
        (["1.2 T€", "3.4 T€"], ["1200.5 €", "3400 €"]),
        (["1.2%", "45%"], ["1.2‰", "45‰"]),
        (["1:30", "2:45"], ["90.5", "165"]),
    ],
)
def test_numbers_of_another_unit_are_refused_unless_the_user_says_they_mean_the_same(
    score, training, new
):
    with pytest.raises(RetainError, match=r"data\.number_format\.x=1234\.56") as refusal:
        score(training, new)
    assert "the model was trained on" in str(refusal.value)
    assert score(training, new, number_format={"x": "1234.56"})


@pytest.mark.parametrize(
    ("training", "new", "message"),
    [
        (["2024-01-05", "2023-02-03"], ["45296", "45000"], "holds numbers.*trained on dates"),
        (["2024-01-05", "2023-02-03"], ["19727"], "holds numbers.*trained on dates"),
        (["12", "400"], ["2024-01-05"], "holds dates.*trained on numbers"),
        (["12", "400"], ["12", "2024-01-05", "2024-01-06"], "holds dates"),
    ],
)
def test_dates_in_place_of_numbers_are_refused_and_so_are_numbers_in_place_of_dates(
    score, training, new, message
):
    with pytest.raises(RetainError, match=message):
        score(training, new)


def test_a_file_that_speaks_against_the_format_of_the_training_data_is_refused(score):
    with pytest.raises(RetainError, match=r"may be 1234 or 1\.234"):
        score(GROUPED, ["1.234", "2.500"], separators=(";", ","))


def test_a_sign_of_a_currency_may_be_left_out_and_that_is_said(score, caplog):
    assert score(["€12.3", "€45.5"], ["12.3"]) == [12.3]
    assert "numbers without a unit; the model was trained on amounts in €" in caplog.text


# --- names ---------------------------------------------------------------------------------------


def read_columns(tmp_path, columns, **options):
    path = tmp_path / "table.csv"
    lines = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read(path=str(path), id="id", **options)


COLUMNS = {
    "id": [f"c{n}" for n in range(N)],
    "Total $": [f"{n % 9}.25" for n in range(N)],
    "Total €": [f"{n % 7}.75" for n in range(N)],
    "churn": ["yes" if n % 3 else "no" for n in range(N)],
}


def score_columns(tmp_path, names):
    trained = read_columns(tmp_path, COLUMNS, target="churn")
    kinds = {name: one.kind for name, one in trained.columns.items()}
    sources = {name: one.source for name, one in trained.columns.items()}
    new = {new: COLUMNS[old] for new, old in names.items()}
    found = read_columns(tmp_path, new, known_kinds=kinds, known_sources=sources)
    return trained.features, found.features[list(kinds)]


def test_columns_of_one_canonical_name_are_told_apart_in_any_order(tmp_path):
    names = {"id": "id", "Total €": "Total €", "Total $": "Total $"}
    old, new = score_columns(tmp_path, names)
    assert new.equals(old)


def test_names_may_differ_in_case_and_spaces_but_not_in_signs(tmp_path):
    old, new = score_columns(tmp_path, {"id": "id", "total€": "Total €", "TOTAL $": "Total $"})
    assert new.equals(old)
    with pytest.raises(RetainError, match="these customers lack feature 'total', which"):
        score_columns(tmp_path, {"id": "id", "Total €": "Total €", "Total £": "Total $"})
