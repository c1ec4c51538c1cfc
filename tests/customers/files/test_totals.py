"""Rows of totals and notes are no customers, whatever their words and wherever they stand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retain.customers.table import read
from retain.errors import RetainError

N = 60
KINDS = {"visits": "number", "spend": "number", "age": "number", "city": "category"}
STATISTICS = {
    "median": np.median,
    "max": np.max,
    "min": np.min,
    "mean": np.mean,
    "count": len,
    "std": lambda values: np.std(values, ddof=1),
}


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"c{n}" for n in range(N)],
            "visits": rng.integers(1, 40, N),
            "spend": rng.gamma(2, 100, N).round(2),
            "age": rng.integers(18, 80, N),
            "city": rng.choice(["Kazan", "Omsk", "Tver"], N),
            "churn": rng.choice(["yes", "no"], N),
        }
    )


@pytest.fixture
def read_lines(tmp_path):
    def read_them(lines, *, scoring=False, **options):
        path = tmp_path / "shop.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        role = (
            {"known_kinds": KINDS} if scoring or "known_kinds" in options else {"target": "churn"}
        )
        return read(**{"path": str(path), "id": "id", **role, **options})

    return read_them


def aggregate(table, word, function):
    numbers = (f"{function(table[name]):.6g}" for name in ("visits", "spend", "age"))
    return f"{word},{','.join(numbers)},,"


@pytest.mark.parametrize("scoring", [False, True])
@pytest.mark.parametrize("at", ["first", "middle", "above the last", "last"])
@pytest.mark.parametrize(
    "word", ["Insgesamt", "Общо", "Kokku", "** Total **", "Zwischensumme 1", "Any word", "c61"]
)
def test_sums_are_left_out_whatever_their_word_and_place(table, read_lines, word, at, scoring):
    lines = table.to_csv(index=False).splitlines()
    row = {"first": 1, "middle": N // 2, "above the last": N, "last": N + 1}[at]
    body = table.iloc[:N] if at != "above the last" else table.iloc[: N - 1]
    lines[row:row] = [aggregate(body, word, np.sum)]
    customers = read_lines(lines, scoring=scoring)
    assert len(customers) == N
    assert [(one.line, one.reason) for one in customers.reading.dropped_rows] == [
        (row + 1, "it sums up the other rows")
    ]
    assert "To keep such rows: data.totals_rows=keep" in customers.funnel[0].reason
    scored = read_lines(lines, scoring=True, totals_rows="keep")
    assert len(scored) == N + 1


@pytest.mark.parametrize("scoring", [False, True])
@pytest.mark.parametrize("word", ["Median", "Max", "Min", "Average", "Count", "StDev", "Минимум"])
def test_statistics_with_their_word_are_left_out(table, read_lines, word, scoring):
    names = {"average": "mean", "stdev": "std", "минимум": "min"}
    function = STATISTICS[names.get(word.lower(), word.lower())]
    lines = [*table.to_csv(index=False).splitlines(), aggregate(table, word, function)]
    assert len(read_lines(lines, scoring=scoring)) == N


@pytest.mark.parametrize("statistic", ["mean", "median", "count"])
def test_statistics_that_no_customer_has_need_no_word(table, read_lines, statistic):
    row = aggregate(table, "Ø", STATISTICS[statistic])
    assert len(read_lines([*table.to_csv(index=False).splitlines(), row], scoring=True)) == N


def test_several_rows_of_statistics_are_left_out(table, read_lines):
    rows = [aggregate(table, "Total", np.sum)]
    rows += [aggregate(table, name, function) for name, function in STATISTICS.items()]
    lines = [*table.to_csv(index=False).splitlines(), *rows]
    assert len(read_lines(lines, scoring=True)) == N
    words = [aggregate(table, f"x{n}", one) for n, one in enumerate((np.sum, np.mean))]
    assert len(read_lines([*lines[: N + 1], *words], scoring=True)) == N


def test_subtotals_of_groups_and_their_total_are_left_out(table, read_lines):
    lines = table.to_csv(index=False).splitlines()
    parts = [table.iloc[:25], table.iloc[25:40], table.iloc[40:]]
    rows = [lines[0]]
    for n, part in enumerate(parts):
        rows += part.to_csv(index=False).splitlines()[1:]
        rows.append(aggregate(part, f"Group {n} Total", np.sum))
    rows.append(aggregate(table, "Grand Total", np.sum))
    assert len(read_lines(rows, scoring=True)) == N


@pytest.mark.parametrize("scoring", [False, True])
@pytest.mark.parametrize(
    "note", ["Exported on 2024-05-01", "Page 1 of 3", "© Shop", "--- end ---", "60 rows"]
)
def test_notes_are_left_out_in_training_and_in_scoring(table, read_lines, note, scoring):
    lines = [*table.to_csv(index=False).splitlines(), f"{note},,,,,"]
    customers = read_lines(lines, scoring=scoring)
    assert [one.reason for one in customers.reading.dropped_rows] == [
        "it is a note and has no other cells"
    ]
    with pytest.raises(RetainError, match=r"row 62: 1 cells .* data\.bad_rows=drop$"):
        read_lines([*lines[:-1], note], scoring=scoring)
    assert len(read_lines([*lines[:-1], note], scoring=scoring, bad_rows="drop")) == N


# An id of several words, or without one that is like a note, may be that of a customer.
@pytest.mark.parametrize("last", ["Ann Smith,,,,,", "c61,,,,,", "Max,12,80.5,30,Omsk,no"])
def test_a_customer_without_cells_or_called_max_stays(table, read_lines, last):
    named = table.assign(id=[f"Ann {n}" for n in range(N)]) if "Ann" in last else table
    lines = [*named.to_csv(index=False).splitlines(), last]
    assert len(read_lines(lines, scoring=True)) == N + 1


@pytest.mark.parametrize(
    "rows",
    [
        ["a,1", "b,2", "c,3"],
        ["a,1,4", "b,2,5", "c,3,9"],
        [*(f"c{n},{n}" for n in range(1, 9)), "c9,36"],
    ],
)
def test_sums_over_few_rows_or_columns_are_no_evidence(read_lines, rows):
    header = "id,visits,spend"[: len("id,visits") if rows[0].count(",") == 1 else None]
    customers = read_lines([header, *rows], known_kinds={"visits": "number"})
    assert len(customers) == len(rows)
    assert customers.reading.dropped_rows == ()


def test_one_sum_of_many_rows_may_be_either_and_the_line_to_type_decides(read_lines):
    values = [n * 1.37 for n in range(1, 20)]
    lines = ["id,visits", *(f"c{n},{one:.2f}" for n, one in enumerate(values))]
    lines.append(f"c99,{sum(round(one, 2) for one in values):.2f}")
    options = {"known_kinds": {"visits": "number"}}
    with pytest.raises(RetainError, match=r"line 21: 'c99'.*totals_rows=drop.*totals_rows=keep"):
        read_lines(lines, **options)
    assert len(read_lines(lines, **options, totals_rows="keep")) == 20
    assert len(read_lines(lines, **options, totals_rows="drop")) == 19


# Among tables of small whole numbers, sums and statistics are hit by chance.
def test_customers_are_hardly_ever_taken_for_totals(read_lines):
    rng = np.random.default_rng(7)
    for _ in range(60):
        n, k = int(rng.integers(3, 50)), int(rng.integers(1, 12))
        values = {
            f"x{j}": rng.integers(0, int(rng.integers(2, 30)), n)
            if j % 2
            else rng.normal(0, 1, n).round(int(rng.integers(1, 4)))
            for j in range(k)
        }
        frame = pd.DataFrame({"id": [f"c{i}" for i in range(n)], **values})
        lines = frame.assign(city=rng.choice(["A", "B", ""], n)).to_csv(index=False).splitlines()
        assert len(read_lines(lines, known_kinds={"x0": "number"})) == n


# --- subtotals -----------------------------------------------------------------------------------


def with_subtotals(table, size, label, *, above=False):
    """The lines of a table with a row that sums up each group of so many customers."""
    lines = table.to_csv(index=False).splitlines()
    found = [lines[0]]
    for number, start in enumerate(range(0, N, size)):
        group = lines[1 + start : 1 + start + size]
        total = [aggregate(table[start : start + size], label.format(number), np.sum)]
        found += total + group if above else group + total
    return found


@pytest.mark.parametrize("scoring", [False, True])
@pytest.mark.parametrize("above", [False, True])
@pytest.mark.parametrize("size", [3, 6, 20])
@pytest.mark.parametrize("label", ["Region {}", "s{}"])
def test_rows_that_sum_up_a_group_each_are_left_out_whatever_their_names(
    read_lines, table, label, size, above, scoring
):
    table["spend"] = table["spend"].round()
    lines = with_subtotals(table, size, label, above=above)
    customers = read_lines(lines, scoring=scoring)
    assert customers.features.index.tolist() == table["id"].tolist()
    named = [*lines, aggregate(table, "Total", np.sum)]
    assert read_lines(named, scoring=scoring).features.index.tolist() == table["id"].tolist()


def test_customers_who_equal_the_sum_of_others_by_chance_stay(read_lines):
    rng = np.random.default_rng(1)
    for _ in range(20):
        rows = [f"c{n},{rng.integers(1, 4)},{rng.integers(1, 4)},A,no" for n in range(N)]
        lines = ["id,visits,orders,city,churn", *rows]
        kinds = {"visits": "number", "orders": "number"}
        assert len(read_lines(lines, known_kinds=kinds)) == N
