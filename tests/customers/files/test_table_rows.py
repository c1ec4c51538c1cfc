"""Rows of a table that are no customers, rows that cannot be read, and columns left out."""

from __future__ import annotations

import logging
import random

import numpy as np
import pandas as pd
import pytest

from retain.customers.files.totals import MEAN_WORDS, SUM_WORDS
from retain.customers.table import read
from retain.errors import RetainError

N = 120


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"c{n}" for n in range(N)],
            "visits": rng.integers(1, 40, N),
            "spend": rng.gamma(2, 100, N).round(2),
            "city": rng.choice(["Kazan", "Omsk", "Tver"], N),
            "churn": rng.choice(["yes", "no"], N),
        }
    )


@pytest.fixture
def written(tmp_path):
    def write(text: str | bytes, name: str = "shop.csv") -> str:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


@pytest.fixture
def lines(table):
    return table.to_csv(index=False).splitlines()


def read_shop(path: str, **options):
    return read(path=path, id="id", target="churn", **options)


def dropped(customers):
    return [(row.line, row.reason) for row in customers.reading.dropped_rows]


# --- rows that cannot be read --------------------------------------------------------------------


def test_a_bad_row_stops_the_file_with_the_line_to_type_which_reads_it(written, lines):
    lines[10] += ",extra"
    path = written("\n".join(lines))
    with pytest.raises(RetainError, match=r"row 11: 6 cells .*data\.bad_rows=drop$"):
        read_shop(path)
    customers = read_shop(path, bad_rows="drop")
    assert len(customers) == N - 1
    assert dropped(customers) == [(11, "6 cells, the header has 5")]
    assert customers.reading.dropped_rows[0].text == lines[10]


def test_blank_lines_and_titles_do_not_move_the_line_of_a_bad_row(written, lines):
    lines[10] += ",extra"
    text = "\n".join(["Customers", "", *lines[:5], "", *lines[5:]])
    assert dropped(read_shop(written(text), bad_rows="drop"))[0][0] == 14


@pytest.mark.parametrize(("n_bad", "share"), [(4, 0.01), (30, 0.2)])
def test_more_bad_rows_than_their_share_are_refused_with_the_share_to_type(
    written, lines, n_bad, share
):
    for row in range(1, n_bad + 1):
        lines[row] += ",extra"
    path = written("\n".join(lines))
    with pytest.raises(RetainError, match=f"{n_bad} of {N} rows cannot be used") as caught:
        read_shop(path, bad_rows="drop", bad_rows_share=share)
    typed = float(str(caught.value).rpartition("data.bad_rows_share=")[2])
    assert len(read_shop(path, bad_rows="drop", bad_rows_share=typed)) == N - n_bad


def test_three_bad_rows_may_always_be_dropped(written, lines):
    for row in (1, 2, 3):
        lines[row] += ",extra"
    path = written("\n".join(lines))
    assert len(read_shop(path, bad_rows="drop", bad_rows_share=0.0)) == N - 3


def test_rows_swallowed_by_a_quote_are_never_one_cell(written, lines):
    lines[5] = lines[5].replace(",", ',"', 1)
    lines[8] = lines[8].replace(",", ',"', 1)
    path = written("\n".join(lines))
    with pytest.raises(RetainError, match="line 6: a quote is not closed"):
        read_shop(path)
    customers = read_shop(path, bad_rows="drop")
    assert {line for line, _ in dropped(customers)} == {6, 9}


def test_texts_of_several_lines_are_no_bad_rows(written, table):
    table["city"] = ['"Old" town,\nnorth side\n' + one for one in table["city"]]
    path = written(table.to_csv(index=False))
    one, two = read_shop(path), read_shop(path, bad_rows="drop")
    assert one.fingerprint == two.fingerprint
    assert one.reading.dropped_rows == two.reading.dropped_rows == ()


def test_quotes_behind_a_backslash_are_quotes(written, table):
    table["city"] = ['the "old" town, north', "C:\\dir\\", "Kazan"] * (N // 3)
    plain = table.to_csv(index=False)
    customers = read_shop(written(plain.replace('""', '\\"')))
    assert customers.features["city"].tolist() == table["city"].tolist()


def test_a_cell_that_is_no_number_is_missing_or_drops_its_row(written, lines):
    cells = lines[7].split(",")
    lines[7] = ",".join([cells[0], "unknown", *cells[2:]])
    path = written("\n".join(lines))
    with pytest.raises(RetainError, match=r"data\.missing_values=\[unknown\].*data\.bad_rows=drop"):
        read_shop(path)
    assert np.isnan(read_shop(path, missing_values=["Unknown"]).features.loc["c6", "visits"])
    customers = read_shop(path, bad_rows="drop")
    assert len(customers) == N - 1
    assert dropped(customers) == [(8, customers.reading.dropped_rows[0].reason)]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"bad_rows": "skip"}, "data.bad_rows: it is 'skip'; expected error or drop"),
        ({"bad_rows_share": 2}, "data.bad_rows_share: it is 2; expected a share"),
        ({"totals_rows": "no"}, "data.totals_rows: it is 'no'; expected auto, drop or keep"),
        ({"header_line": 0}, "data.header_line: it is 0; expected the line"),
    ],
)
def test_a_wrong_option_is_refused(written, lines, options, text):
    with pytest.raises(RetainError, match=text):
        read_shop(written("\n".join(lines)), **options)


# --- rows that are no customers ------------------------------------------------------------------


@pytest.mark.parametrize("word", SUM_WORDS)
@pytest.mark.parametrize("known", [True, False])
def test_a_row_of_totals_is_left_out_whatever_its_word(written, table, lines, word, known):
    sums = f"{table['visits'].sum()},{table['spend'].sum():.0f}"
    text = "\n".join([*lines, f"{word.capitalize()}:,{sums},,"])
    kinds = None if known else {"visits": "number", "spend": "number", "city": "category"}
    customers = read(
        path=written(text), id="id", target="churn" if known else None, known_kinds=kinds
    )
    assert len(customers) == N
    assert dropped(customers) == [(N + 2, "it sums up the other rows")]


@pytest.mark.parametrize("word", MEAN_WORDS)
def test_a_row_of_means_is_left_out(written, table, lines, word):
    means = f"{table['visits'].mean():.2f},{table['spend'].mean():.2f}"
    assert len(read_shop(written("\n".join([*lines, f"{word},{means},,no"])))) == N


def test_a_last_row_that_sums_up_the_others_needs_no_word(written, table, lines):
    sums = f"{table['visits'].sum()},{table['spend'].sum():.2f}"
    assert len(read_shop(written("\n".join([*lines, f"c999,{sums},Omsk,no"])))) == N
    assert len(read_shop(written("\n".join([*lines, f",{sums},,"])))) == N


def test_a_customer_called_total_has_to_be_told_from_totals(written, lines):
    path = written("\n".join([*lines, "Total,12,80.5,Omsk,no"]))
    with pytest.raises(
        RetainError, match=r"line 122: 'Total' .*totals_rows=drop.*totals_rows=keep"
    ):
        read_shop(path)
    assert len(read_shop(path, totals_rows="keep")) == N + 1
    assert len(read_shop(path, totals_rows="drop")) == N


def test_rows_without_an_id_are_left_out_with_the_reason(written, lines):
    lines[4] = lines[4].removeprefix("c3")
    customers = read_shop(written("\n".join(lines)))
    assert dropped(customers) == [(5, "no id in column 'id'")]
    assert customers.describe_funnel() == "120 rows → 119 (no id)"


@pytest.mark.parametrize("pollute", ["empty", "header", "edge", "unnamed"])
def test_what_exports_add_is_skipped_and_told(written, table, lines, pollute, caplog):
    plain = read_shop(written("\n".join(lines)))
    if pollute == "empty":
        lines[50:50] = [",,,,"] * 3
    elif pollute == "header":
        lines[50:50] = [lines[0]]
    elif pollute == "edge":
        lines[1:] = [f"{line}," for line in lines[1:]]
    else:
        lines = [f"{line},,," for line in lines]
    with caplog.at_level(logging.INFO):
        customers = read_shop(written("\n".join(lines)))
    assert customers.fingerprint == plain.fingerprint
    assert customers.funnel or "which is ignored" in caplog.text or "left out" in caplog.text


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "above",
    [["sep={}"], ["Customers"], ["Customers", "", "Period: May"], ["Customers{0}{0}{0}{0}"]],
)
def test_lines_above_the_header_are_skipped_and_told(written, table, separator, above, caplog):
    text = table.to_csv(index=False, sep=separator)
    plain = read_shop(written(text))
    with caplog.at_level(logging.INFO):
        head = "".join(f"{line.format(separator)}\n" for line in above)
        customers = read_shop(written(head + text))
    assert customers.fingerprint == plain.fingerprint
    assert "titles skipped" in caplog.text or "names the separator" in caplog.text


def test_titles_above_texts_alone_need_the_line_of_the_header(written, table):
    texts = table.assign(visits="often", spend=table["city"])
    texts["spend"] = random.Random(0).choices(["much", "little"], k=N)  # noqa: S311
    path = written("Customers\n" + texts.to_csv(index=False))
    with pytest.raises(RetainError, match=r"data\.header_line=2, or data\.header_line=1"):
        read_shop(path)
    assert len(read_shop(path, header_line=2)) == N


@pytest.mark.parametrize("first", ["{n}", "c{n}"])
def test_a_file_without_names_is_refused_unless_its_first_line_is_said_to_be_names(written, first):
    path = written(
        "\n".join(f"{first.format(n=n)},{n % 7 + 20},{n}.5" for n in range(5, 80)) + "\n"
    )
    with pytest.raises(RetainError, match=r"line 1, .* no names of columns.*data\.header_line=1"):
        read(path=path)
    assert len(read(path=path, header_line=1)) == 74


@pytest.mark.parametrize("names", ["2019,2020,2021", "0,1,2", "visits,7,30", "q1,q2,q3"])
def test_years_ranges_and_names_are_names(written, names):
    rows = [f"{n % 9},{n % 7},{n}.5" for n in range(5, 80)]
    assert len(read(path=written("\n".join([names, *rows]) + "\n"))) == 75


LONG = "n" * 10_000
ODD_FILES = {
    "only a byte order mark": (b"\xef\xbb\xbf", "is empty; expected a header and rows"),
    "a byte order mark and a line end": (b"\xef\xbb\xbf\r\n", "is empty; expected a header and"),
    "only a header": (b"id,churn,spend", "holds a header and no rows; expected customers"),
    "one name": (b"id", "holds a header and no rows; expected customers"),
    "one name and a line end": (b"id\n", "holds a header and no rows; expected customers"),
    "endless names": (f"{LONG},{LONG}2\n1,2\n".encode(), "name has 10,001 characters, 'nnn"),
    "a column twice": (b"id,v,v\n1,2,3\n", "several columns named 'v'; expected a different"),
    "a column twice but for spaces": ("id,a b,a\u00a0b\n1,2,3\n".encode(), "several columns named"),
}


@pytest.mark.parametrize("name", ODD_FILES)
def test_an_odd_file_is_refused_with_one_sentence(written, name):
    data, sentence = ODD_FILES[name]
    with pytest.raises(RetainError, match=sentence) as refused:
        read_shop(written(data))
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("change", [str, str.upper, lambda line: f'"{line}"'.replace(",", '","')])
@pytest.mark.parametrize("at", [1, 60, N + 1])
def test_a_header_that_is_repeated_as_a_row_is_left_out(written, lines, change, at):
    plain = read_shop(written("\n".join(lines)))
    lines.insert(at, change(lines[0]))
    customers = read_shop(written("\n".join(lines)))
    assert customers.fingerprint == plain.fingerprint
    assert dropped(customers) == [(at + 1, "the header again")]


@pytest.mark.parametrize("cells", ["{n}", "{n},5", "{n}.5", "c{n}"])
def test_a_file_of_one_column_has_one_column(written, cells):
    values = [cells.format(n=n % 50) for n in range(N)]
    customers = read(path=written("\n".join(["v", *values]) + "\n"))
    assert list(customers.columns) == ["v"]
    expected = values if cells == "c{n}" else [float(one.replace(",", ".")) for one in values]
    assert customers.features["v"].tolist() == expected


def test_very_many_columns_left_out_are_counted_not_listed(written):
    names = [f"x{n}" for n in range(400)]
    rows = [",".join(str(row * (n == 0) + 5) for n in range(400)) for row in range(N)]
    customers = read(path=written("\n".join([",".join(names), *rows])), keep_columns=["x0"])
    (step,) = customers.funnel
    assert "and 379 more (describe=true). To keep one: data.keep_columns=[x1]" in step.reason
    assert [one.detail for one in customers.reading.columns[1:]] == ["constant"] * 399


# --- columns and answers -------------------------------------------------------------------------


def test_dropped_columns_are_no_features_and_need_not_be_there_later(written, table):
    path = written(table.assign(**{"Churn Score": range(N)}).to_csv(index=False))
    customers = read_shop(path, drop_columns=["Churn Score", "city"])
    assert list(customers.columns) == ["visits", "spend"]
    kinds = {"visits": "number", "spend": "number"}
    later = written(table.drop(columns="churn").to_csv(index=False), "later.csv")
    customers = read(path=later, id="id", drop_columns=["churn_score"], known_kinds=kinds)
    assert len(customers) == N


def test_missing_values_are_missing_in_any_column_and_any_case(written, table, caplog):
    table.loc[:4, "city"] = ["n.d.", "N.D.", "Kazan", "Omsk", "Tver"]
    table.loc[5:6, "visits"] = -1
    with caplog.at_level(logging.INFO):
        features = read_shop(
            written(table.to_csv(index=False)), missing_values=["n.d.", -1]
        ).features
    assert features["city"].isna().sum() == 2
    assert features["visits"].isna().sum() == 2
    assert "missing by data.missing_values: 'visits' 2; 'city' 2" in caplog.text


def test_answers_may_differ_in_case(written, table):
    table["churn"] = ["Yes", "yes", "YES", "No", "NO", "no"] * (N // 6)
    customers = read_shop(written(table.to_csv(index=False)))
    assert customers.y.tolist() == [1, 1, 1, 0, 0, 0] * (N // 6)
    assert customers.target_label.en == "churn = Yes"


def test_several_answers_may_mean_a_decline(written, table):
    table["churn"] = ["moved", "price", "stayed", "service"] * (N // 4)
    path = written(table.to_csv(index=False))
    with pytest.raises(RetainError, match=r"4 values.*data\.positive=\[moved,price\]"):
        read_shop(path)
    customers = read_shop(path, positive=["moved", "Price", "service"])
    assert customers.y.tolist() == [1, 1, 0, 1] * (N // 4)
    assert customers.target_label.en == "churn = moved or price or service"
    with pytest.raises(RetainError, match="names 4 of 4 values"):
        read_shop(path, positive=["moved", "price", "stayed", "service"])


@pytest.mark.parametrize(
    "name", ["Retained", "is_active", "stayed", "Loyal", "Активен", "renewed", "Remains"]
)
def test_a_target_that_says_who_stays_has_to_be_told(written, table, name):
    table[name] = [1, 0] * (N // 2)
    path = written(table.drop(columns="churn").to_csv(index=False))
    with pytest.raises(RetainError, match=r"data\.positive=1 or data\.positive=0"):
        read(path=path, id="id", target=name)
    assert read(path=path, id="id", target=name, positive=0).y.tolist() == [0, 1] * (N // 2)


@pytest.mark.parametrize("name", ["churn", "inactive", "not_retained", "left", "Exited"])
def test_a_target_that_says_who_leaves_needs_no_more(written, table, name, caplog):
    table[name] = [1, 0, 0, 0] * (N // 4)
    columns = table if name == "churn" else table.drop(columns="churn")
    with caplog.at_level(logging.INFO):
        read(path=written(columns.to_csv(index=False)), id="id", target=name)
    assert f"declines: 30 of 120 (25 %), where {name} = 1" in caplog.text


def test_each_column_is_described(written, table):
    table.loc[:11, "city"] = None
    customers = read_shop(
        written(table.assign(one=1, more=2).to_csv(index=False)), drop_columns=["more"]
    )
    seen = {one.name: one for one in customers.reading.columns}
    assert {name: one.type for name, one in seen.items()} == {
        "id": "id",
        "visits": "number",
        "spend": "number",
        "city": "category",
        "churn": "target",
        "one": "left out",
        "more": "left out",
    }
    assert seen["city"].detail == "3 levels"
    assert seen["city"].missing == pytest.approx(0.1)
    assert seen["one"].detail == "constant"
    assert seen["id"].examples == ("c0", "c1")


@pytest.mark.parametrize("name", ["risk", "profit", "profit_at_risk", "all", "any", "not"])
def test_a_feature_called_as_rules_call_risk_gets_another_name(written, table, name):
    customers = read_shop(written(table.assign(**{name: table["spend"]}).to_csv(index=False)))
    assert f"{name}_2" in customers.columns
    assert customers.columns[f"{name}_2"].en == name


# --- the cases of a store ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count", "options"),
    [
        ("sepline.csv", 200, {}),
        ("totals2.csv", 200, {}),
        ("trail.csv", 200, {}),
        ("one_missing_id.csv", 599, {}),
        ("one_ragged_row.csv", 299, {"id": "customerID", "target": "Churn", "bad_rows": "drop"}),
        ("retained.csv", 600, {"target": "retained", "positive": 0}),
        ("new_total.csv", 60, {"target": None}),
    ],
)
def test_the_tables_of_a_store_are_read(case_tables, name, count, options):
    path = str(case_tables / name)
    assert len(read(**{"path": path, "id": "id", "target": "churn", **options})) == count
