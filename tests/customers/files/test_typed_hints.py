"""What a message says to type can be typed as printed, and then works."""

from __future__ import annotations

import csv
import re
import shlex

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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


# --- hostile names and values --------------------------------------------------------------------

HOSTILE = (
    *("%", "()", "a=b", "risk", "K0", "???", "null", "True", "1e5", "007", "1_000", "0.10", "-1"),
    *(
        r"\N",
        "a\\",
        r"\'",
        "it's",
        '"',
        "a\\\\b",
        "${x}",
        "${oc.env:HOME}",
        r"\${x}",
        "$x",
        "$(ls)",
    ),
    *("`ls`", "!x", "~", "^", "@x", "x:y", "a#b", "#", "&", "*", "[", "{a}", "a, b", "a;b", "<>"),
    *(
        "__u0441__",
        "data.id",
        "страна ${город}",
        "a\tb",
        "日本",
        "naïve ’ “",
        "=",
        "+1",
        "on",
        "1:30",
    ),
)


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
        | st.text("\\'\"$ {}[]()=,:;?~#%&|!`a0\n", min_size=1, max_size=9),
        min_size=1,
        max_size=12,
    )
)
@example(list(HOSTILE))
def test_any_texts_are_typed_as_printed(values):
    first = values[0] if values[0] != "???" else "x"  # a key of its own would have no value
    words = type_value("data.missing_values", values), type_value("data.positive", first)
    node = compose_data(*(word for text in words for word in shlex.split(text)))
    assert [str(one) for one in node["missing_values"]] == values
    assert str(node["positive"]) == first


def printed_hints(message):
    """Return the overrides that a message prints, as the shell reads them."""
    hints = []
    for start in (found.start() for found in re.finditer(r"(?<![\w.])[\"']?data\.", message)):
        words = shlex.shlex(message[start:], posix=True)
        words.whitespace_split, words.commenters = True, ""
        try:
            word = words.get_token().rstrip(".,;")
        except ValueError:  # an apostrophe of a sentence
            continue
        if "=" in word and "=NAME" not in word and "=DAY" not in word:
            hints.append(word)
    return hints


AMOUNTS = [f"{n + 3},{n + 380}" for n in range(40)]
DATES = [f"0{n % 9 + 1}/0{n % 7 + 2}/2024" for n in range(40)]
SCENARIOS = {
    "amounts": lambda odd: (AMOUNTS, ["yes", "no"] * 20),
    "dates": lambda odd: (DATES, ["yes", "no"] * 20),
    "odd cell": lambda odd: ([odd, *map(str, range(39))], ["yes", "no"] * 20),
    "some numbers": lambda odd: ([f"{odd}{n}" if n < 15 else str(n) for n in range(40)], None),
    "few levels": lambda odd: ([odd, odd, odd, odd, odd, "1", "2", "3"] * 5, ["yes", "no"] * 20),
    "answers": lambda odd: (map(str, range(40)), [odd, "other"] * 20),
    "three answers": lambda odd: (map(str, range(40)), ["0", "1", odd, "1"] * 10),
    "four answers": lambda odd: (map(str, range(40)), ["moved", odd, "price", "stayed"] * 10),
}


def write_hostile(path, name, cells, answers):
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow(["id", name, "churned", "k"])
        answers = answers or ["yes", "no"] * 20
        for n, (cell, answer) in enumerate(zip(cells, answers, strict=True)):
            writer.writerow([f"c{n}", cell, answer, n % 7])


def read_typed(path, words):
    """Return the sentences with which a table is read, or why it is not."""
    node = compose_data(*words) if words else {}
    node |= {"id": "id", "target": "churned"}
    try:
        return True, read(path=str(path), **node).describe_funnel()
    except RetainError as error:
        return False, str(error)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", ["%", "a=b", "${x}", "007"])
def test_a_hint_about_a_hostile_column_works_or_ends_in_another_sentence(tmp_path, scenario, name):
    check_hints(tmp_path, name, *SCENARIOS[scenario]("odd"))


@pytest.mark.parametrize("scenario", ["odd cell", "few levels", "answers", "three answers"])
@pytest.mark.parametrize("odd", HOSTILE[::5])
def test_a_hint_about_a_hostile_cell_works_or_ends_in_another_sentence(tmp_path, scenario, odd):
    check_hints(tmp_path, "total", *SCENARIOS[scenario](odd))


def check_hints(tmp_path, name, cells, answers):
    path = tmp_path / "table.csv"
    write_hostile(path, name, cells, answers)
    _, sentence = read_typed(path, [])
    hints = printed_hints(sentence)
    for hint in hints:
        assert read_typed(path, [hint])[1] != sentence, hint


@pytest.mark.parametrize("missing", ["n.a.", "?", r"\N", "tbd"])
@pytest.mark.parametrize("answers", [("1", "0"), ("yes", "no")])
def test_a_word_for_missing_is_no_decline(tmp_path, missing, answers):
    path = tmp_path / "table.csv"
    yes, no = answers
    write_hostile(path, "total", map(str, range(40)), [missing, yes, no, no] * 10)
    sentence = read_typed(path, [])[1]
    if missing != "tbd":  # missing anyway
        assert sentence.startswith("40 → 30 (no target)")
        return
    first, second = printed_hints(sentence)
    assert compose_data(first)["missing_values"] == [missing]
    assert read_typed(path, [first])[1].startswith("40 → 30 (no target)")
    assert list(map(str, compose_data(second)["positive"])) == [yes]


def test_a_feature_called_as_rules_call_risk_is_kept_by_the_name_that_is_printed(tmp_path):
    path = tmp_path / "table.csv"
    write_hostile(path, "risk", ["same"] * 40, ["yes", "no"] * 20)
    node = compose_data("data.id=id", "data.target=churned")
    (step,) = [one for one in read(path=str(path), **node).funnel if "left out" in one.name]
    (hint,) = printed_hints(step.reason)
    node = compose_data("data.id=id", "data.target=churned", hint)
    assert "risk_2" in read(path=str(path), **node).columns


@pytest.mark.parametrize(
    "names", [("Total $", "Total €"), ("Total $", "total"), ("a,b", "a;b"), ("risk", "Risk")]
)
@pytest.mark.parametrize("role", [None, "profit"])
def test_columns_that_share_a_canonical_name_are_told_apart_in_what_to_type(tmp_path, names, role):
    path = tmp_path / "table.csv"
    header = ";".join(["id", *(f'"{name}"' for name in names), "k"])
    rows = [f"{n};{n % 7 + 1},380;{n % 5 + 1},125;{n % 3}" for n in range(N)]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    options = {"id": "id", **({"profit": names[1], "profit_unit": "euro"} if role else {})}
    words = []
    for _ in names:
        with pytest.raises(RetainError) as refusal:
            read(path=str(path), **(compose_data(*words) | options))
        problem = str(refusal.value).splitlines()[0]
        words += shlex.split(re.search("Type (.*) for", problem)[1].split(" for ")[0])
    customers = read(path=str(path), **(compose_data(*words) | options))
    values = [*customers.features.iloc[0], *(customers.profit[:1] if role else ())]
    assert sorted(values) == [0, 1125, 1380]
