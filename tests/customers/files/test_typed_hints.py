"""What a message says to type can be typed as printed, and then works."""

from __future__ import annotations

import shlex

import pytest

from retain.cli.compose import Composer
from retain.cli.overrides import parse_args
from retain.customers.table import read
from retain.errors import RetainError, type_value

NAMES = (
    "total",
    "страна",
    "визиты, шт.",
    "траты (₽)",
    "код=1",
    "it's",
    "a b",
    "[x]",
    "{y}",
    "城市",
)
N = 40


def compose_data(*words):
    """Return the data node that a command line composes, without its own keys."""
    line = parse_args(["data=table", "data.path=x.csv", *words])
    with Composer(line, "run") as composer:
        node = composer.one()["data"]
    return {key: value for key, value in node.items() if key not in ("name", "_target_", "path")}


@pytest.mark.parametrize("name", NAMES)
def test_a_column_of_any_name_is_typed_as_printed(name):
    (word,) = shlex.split(type_value("data.keep_columns", [name, "b"]))
    assert compose_data(word)["keep_columns"] == [name, "b"]
    (word,) = shlex.split(type_value("data.id", name))
    assert compose_data(word)["id"] == name


@pytest.mark.parametrize(
    ("word", "key", "value"),
    [
        ("data.keep_columns=[страна]", "keep_columns", ["страна"]),
        ("data.groups={сайт: [страницы, минуты]}", "groups", {"сайт": ["страницы", "минуты"]}),
        ("data.groups.сайт=[страницы]", "groups", {"сайт": ["страницы"]}),
        ("data.number_format.сумма='1.234,56'", "number_format", {"сумма": "1.234,56"}),
    ],
)
def test_names_in_any_script_need_no_quotes(word, key, value):
    assert compose_data(word)[key] == value


def write_table(tmp_path, name, cells):
    path = tmp_path / "table.csv"
    rows = [f"{n};{cell};{n % 3}" for n, cell in enumerate(cells)]
    path.write_text("\n".join([f"id;{name};k", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["total", "сумма, ₽", "Sales (EUR)"])
@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["3,380", "4,125"], [(3380.0, 4125.0), (3.38, 4.125)]),
        (["3.380", "4.125"], [(3380.0, 4125.0), (3.38, 4.125)]),
        (["01/02/2024", "03/04/2024"], [(19754.0, 19816.0), (19724.0, 19786.0)]),
        (
            ["01/02/24", "03/04/24"],
            [(19754.0, 19816.0), (19724.0, 19786.0), (11377.0, 12166.0)],
        ),
        (["20.10.22", "21.11.22"], [(19285.0, 19317.0), (18557.0, 18953.0)]),
        (["10.2020", "11.2021"], [(18536.0, 18932.0), (10.202, 11.2021)]),
        (["12E4", "1E05"], [(120_000.0, 100_000.0), ("12E4", "1E05")]),
        (["01016", "9001"], [(1016.0, 9001.0), ("01016", "9001")]),
    ],
)
def test_two_readings_are_refused_with_the_lines_that_give_each(tmp_path, name, cells, values):
    path = write_table(tmp_path, name, cells * (N // 2))
    with pytest.raises(RetainError, match=r" may be .* Type .* or ") as refused:
        read(path=str(path), id="id")
    words = shlex.split(str(refused.value).split("Type ")[1])
    lines = [word.rstrip(".") for word in words if word.startswith("data.")]
    for line, expected in zip(lines, values, strict=True):
        node = compose_data(line)
        customers = read(path=str(path), **{**node, "id": "id"})
        (key,) = [key for key in customers.columns if key != "k"]
        assert tuple(customers.features[key].iloc[:2]) == expected


def test_what_empty_cells_of_a_target_mean_is_typed_as_printed(tmp_path):
    path = write_table(tmp_path, "churn", ["Yes", "", ""] * 20)
    with pytest.raises(RetainError, match="20 rows, and 40 cells are empty") as refused:
        read(path=str(path), id="id", target="churn")
    lines = [word for word in shlex.split(str(refused.value)) if word.startswith("data.")]
    for line, n_declines in zip(lines, (20, 40), strict=True):
        node = compose_data(line.rstrip("."))
        customers = read(path=str(path), **{**node, "id": "id", "target": "churn"})
        assert int(customers.y.sum()) == n_declines


def test_data_decimal_and_data_thousands_decide_for_all_columns(tmp_path):
    path = str(write_table(tmp_path, "total", ["3,380", "4,125"] * 20))
    assert read(path=path, thousands=",").features["total"].iloc[0] == 3380
    assert read(path=path, decimal=",").features["total"].iloc[0] == 3.38
    assert read(path=path, decimal=".").features["total"].iloc[0] == 3380
    with pytest.raises(RetainError, match=r"data\.decimal: it is ';'; expected one of '\.', ','"):
        read(path=path, decimal=";")
    with pytest.raises(RetainError, match=r"data\.number_format\.total: it is '1234'; expected"):
        read(path=path, number_format={"total": "1234"})


def test_few_levels_with_some_numbers_are_a_category_that_is_told(tmp_path, caplog):
    path = str(write_table(tmp_path, "children", ["1", "2", "3+"] * 20))
    assert read(path=path, id="id").columns["children"].kind == "category"
    assert "column 'children' is a category, as it holds '3+'" in caplog.text


def test_most_cells_numbers_is_refused_unless_a_category_is_asked_for(tmp_path):
    cells = [f"{n}.5" if n % 3 else f"see note {n}" for n in range(90)]
    path = str(write_table(tmp_path, "сумма", cells))
    with pytest.raises(RetainError, match=r"most cells look like numbers") as refused:
        read(path=path, id="id")
    (word,) = shlex.split(str(refused.value).rpartition(": ")[2])
    node = compose_data(word, "data.keep_columns=[сумма]")
    assert read(path=path, **{**node, "id": "id"}).columns["сумма"].kind == "category"


# A word beside a number may be its sign or its scale.
@pytest.mark.parametrize(
    "odd", ["35.80 CR", "35.80D", "35.80 refund", "1.03 thousand", "9940 cents", "16.5 percent"]
)
def test_a_unit_beside_some_numbers_is_refused(tmp_path, odd):
    cells = [f"{n}.79" for n in range(100, 160)]
    path = str(write_table(tmp_path, "total", [*cells, odd]))
    with pytest.raises(
        RetainError, match=r"60 cells are without .*; expected it in all cells, or in"
    ):
        read(path=path, id="id")


@pytest.mark.parametrize("sign", ["$", "€", "USD", "руб."])
def test_the_sign_of_a_currency_beside_some_numbers_changes_nothing(tmp_path, sign):
    cells = [f"{n}.79" for n in range(100, 160)]
    path = str(write_table(tmp_path, "total", [*cells, f"35.80 {sign}"]))
    assert read(path=path, id="id").features["total"].iloc[-1] == 35.80


# Arrow reads a file of more than a megabyte in blocks, and 5,000 rows may lie across two.
def test_marks_are_found_in_a_file_of_several_blocks(tmp_path):
    path, filler = tmp_path / "wide.csv", "x" * 400
    rows = [f"{n};{n % 800 + 100.755:.3f};{n % 7};{filler}" for n in range(4_000)]
    path.write_text("\n".join(["id;total;k;text", *rows]) + "\n", encoding="utf-8")
    with pytest.raises(RetainError, match=r"column 'total': .* may be "):
        read(path=str(path), id="id")
    found = read(path=str(path), id="id", decimal=".")
    assert found.features["total"].iloc[1] == 101.755
