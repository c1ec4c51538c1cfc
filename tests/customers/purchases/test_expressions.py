"""The two small languages of a log: formulas of columns, and conditions on rows."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from retain.customers.purchases.cleaning.row_filter import RowFilter
from retain.customers.purchases.parsing.conditions import (
    ColumnTest,
    Junction,
    Negation,
    parse_condition,
    type_filter,
)
from retain.customers.purchases.parsing.formulas import (
    Operand,
    Operation,
    formula_sql,
    list_columns,
    parse_formula,
)
from retain.errors import RetainError

duckdb = pytest.importorskip("duckdb")

MANY = settings(max_examples=150, deadline=None)
names = st.text(
    st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=12
)
plain_numbers = st.integers(0, 9999).map(str) | st.decimals(0, 99, places=2).map("{:f}".format)


def formulas():
    """Return formulas of any shape, as their parser returns them."""
    operands = st.builds(Operand, names, st.just(value=True)) | st.builds(
        Operand, plain_numbers, st.just(value=False)
    )

    def extend(inner):
        negative = st.builds(Operation, st.just("-"), st.none(), inner)
        return st.builds(Operation, st.sampled_from("+-*"), inner, inner) | negative

    return st.recursive(operands, extend, max_leaves=12)


def conditions():
    """Return conditions of any shape, as their parser returns them."""
    numbers = st.decimals(-999, 999, places=2)
    days = st.dates(date(1900, 1, 1), date(2100, 1, 1))
    values = names | numbers | days
    tests = (
        st.builds(ColumnTest, names, st.sampled_from(("=", "<", ">=")), st.tuples(values))
        | st.builds(ColumnTest, names, st.just("in"), st.lists(values, min_size=1).map(tuple))
        | st.builds(ColumnTest, names, st.just("missing"))
    )

    def extend(inner):
        parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.builds(Negation, inner) | st.builds(
            Junction, st.sampled_from(("and", "or")), parts
        )

    return st.recursive(tests, extend, max_leaves=8)


@MANY
@given(formula=formulas())
def test_a_printed_formula_is_read_as_the_same_formula(formula):
    assume(list_columns(formula))  # one of numbers alone is refused
    assert parse_formula("key", str(formula)) == formula


@MANY
@given(condition=conditions())
def test_a_printed_condition_is_read_as_the_same_condition(condition):
    assert parse_condition(str(condition)) == condition


@MANY
@given(formula=formulas())
def test_a_formula_is_computed_by_the_usual_rules(formula):
    columns = list_columns(formula)
    values = {name: float(n + 2) for n, name in enumerate(columns)}
    sql = formula_sql(formula, {name: f"CAST('{v}' AS DOUBLE)" for name, v in values.items()})

    def compute(part):
        if isinstance(part, Operand):
            return values[part.text] if part.is_column else float(part.text)
        right = compute(part.right)
        if part.left is None:
            return -right
        left = compute(part.left)
        return {"+": left + right, "-": left - right, "*": left * right}[part.sign]

    assert duckdb.execute(f"SELECT {sql}").fetchone() == (compute(formula),)


@MANY
@given(text=st.text(st.sampled_from("ab1 '\"()*+-=<>!,;.\\/%\n") | st.characters(), max_size=30))
def test_any_text_is_an_expression_or_a_mistake_in_one_sentence(text):
    for parse in (parse_condition, lambda source: parse_formula("data.columns.amount", source)):
        message, found = "", None
        try:
            found = parse(text)
        except RetainError as error:
            message = str(error)
        assert message.startswith(("data.where: ", "data.columns.amount: ")) or (
            parse(str(found)) == found
        )


HOSTILE = (
    "'); DROP TABLE retain_raw; --",
    "' OR '1' = '1",
    "x' UNION SELECT content FROM read_text('/etc/passwd') --",
    "\" FROM read_csv('/etc/passwd') --",
    "a\\",
    "${oc.env:HOME}",
    "$1",
    "?",
    "\n--\n",
    "/* x */",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_values(opened, csv_log, text):
    cell = '"' + text.replace('"', '""') + '"'
    log = csv_log(f"customer,time,status\n1,2024-01-02,{cell}\n2,2024-01-03,paid\n")
    condition = str(ColumnTest("status", "=", (text.strip(),)))
    assert opened(log, where=condition).rows("customer") == [(1,)]
    assert opened(log, where=f"not ({condition})").rows("customer") == [(2,)]


@pytest.mark.parametrize("name", [*HOSTILE, "in", "and", "Unit Price", "n * price", "цена"])
def test_hostile_names_are_names(opened, csv_log, name):
    quoted = '"' + name.strip().replace('"', '""') + '"'
    log = csv_log(f"customer,time,{quoted}\n1,2024-01-02,4\n2,2024-01-03,5\n")
    assert opened(log, amount=f"2 * {quoted}").rows("cents") == [(800,), (1000,)]
    assert opened(log, where=f"{quoted} > 4").rows("customer") == [(2,)]


@MANY
@given(condition=conditions())
def test_sql_of_a_condition_has_nodes_of_conditions_alone(condition):
    """No text or name can become a call, a table or a statement of its own."""
    from retain.customers.purchases.cleaning import row_filter

    class Writer:
        def test_sql(self, test):
            as_set = ColumnTest(test.column, "in", test.values)
            values = [row_filter.literal_sql(as_set, value) for value in test.values]
            return f"(x IN ({', '.join(values)}))" if values else "(x IS NULL)"

    sql = row_filter.condition_sql(condition, Writer())
    text = duckdb.execute("SELECT json_serialize_sql(?::VARCHAR)", [f"SELECT {sql}"]).fetchone()[0]
    tree = json.loads(text)
    assert not tree["error"]
    assert len(tree["statements"]) == 1
    functions, tables = [], []

    def walk(node):
        if isinstance(node, dict):
            functions.extend([node["function_name"]] if "function_name" in node else [])
            tables.extend([node] if node.get("type") in ("BASE_TABLE", "TABLE_FUNCTION") else [])
            node = list(node.values())
        for part in node if isinstance(node, list) else ():
            walk(part)

    walk(tree)
    assert set(functions) <= {"-"}  # the sign of a number
    assert tables == []


def test_signs_and_words_of_a_condition():
    one = ColumnTest("n", "=", (Decimal(3),))
    assert parse_condition("n == 3") == parse_condition("(n=3)") == one
    assert parse_condition("n <> 3") == parse_condition("NOT n = 3") == Negation(one)
    assert parse_condition("day >= 2024-02-29").values == (date(2024, 2, 29),)
    assert parse_condition("n NOT IN (-1.50, 'x', y)") == Negation(
        ColumnTest("n", "in", (Decimal("-1.50"), "x", "y"))
    )
    assert parse_condition("n is not missing") == Negation(ColumnTest("n", "missing"))
    both = parse_condition("a = 1 or b = 2 and c = 3")
    assert isinstance(both, Junction)
    assert both.word == "or"
    assert len(both.parts) == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "it is empty; expected the name of a column"),
        ("status", "it ends after 'status'; expected =, !=, <"),
        ("status =", "it ends after 'status ='; expected a word, a number or a text in quotes"),
        ("status = 'paid", "a quote is not closed: 'paid; expected a second quote"),
        ("status in paid", r"'paid' stands after 'status in'; expected '\('"),
        ("status in (paid", r"it ends after .*; expected '\)'"),
        ("status like 'p%'", "'like 'p%'' stands after 'status'|\"like 'p%'\" stands after"),
        (
            "'status' = paid",
            "'status' in single quotes is a text; expected .* double quotes: status",
        ),
        ("a = 1 && b = 2", "the sign '&' has no meaning; expected and"),
        ("a = 1 | b = 2", "the sign '|' has no meaning; expected or"),
        ("a = 3D", "'3D' is no number; expected a number, or '3D' in quotes"),
        ("a = 1 b = 2", "'b = 2' stands after 'a = 1'; expected and, or, or the end"),
        ("a is paid", "'paid' stands after 'a is'; expected the word missing"),
        ("day = 2024-02-30", "2024-02-30 is no day; expected a day as YYYY-MM-DD"),
        ("a = and", "'and' stands after 'a ='; expected a word"),
        ("(" * 60 + "a = 1", "brackets lie more than 40 deep in each other; expected fewer"),
        ("a = 'x\0'", "it holds NUL; expected text"),
        ("a" * 3000, "it has 3,000 characters; expected at most 2,000"),
        ("f(x) = 1", r"'\(x\) = 1' stands after 'f'; expected =, !="),
        ("a = 1; DROP TABLE b", "the sign ';' has no meaning; expected names and numbers"),
    ],
)
def test_a_mistake_in_a_condition_is_told_with_what_to_type(source, message):
    with pytest.raises(RetainError, match=f"^data.where: (?:{message})") as told:
        parse_condition(source)
    assert str(told.value).endswith(".")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("-1", "it names no column; expected one or more columns, as in data"),
        ("2 * (3 - 1)", "it names no column"),
        ("n *", "it ends after 'n \\*'; expected a column, a number or '\\('"),
        ("n / 2", "the sign '/' has no meaning; expected names and numbers"),
        ("n * 'price'", "'price' in single quotes is a text; expected .* double quotes: price"),
        ("n price *", "'price \\*' stands after 'n'; expected '\\+', '-' or '\\*'"),
        ("abs(n) * 2", "'\\(n\\) \\* 2' stands after 'abs'; expected '\\+'"),
        ("(n * 2", "it ends after '\\(n \\* 2'; expected '\\)'"),
        ("-" * 50 + "n", "brackets lie more than 40 deep"),
        ("+".join("n" * 300), "it has 600 words and signs; expected 200"),
        ("n * 1e3", "'1e3' is no number; expected a number, or '1e3' in quotes"),
    ],
)
def test_a_mistake_in_a_formula_is_told_with_what_to_type(source, message):
    with pytest.raises(RetainError, match=f"^data.columns.amount: {message}") as told:
        parse_formula("data.columns.amount", source)
    assert 'data.columns.amount="quantity * unit_price"' in str(told.value)


@pytest.mark.parametrize("value", ["EUR", "it's", 'a "b"', "a$b", "back\\slash", "two words"])
@pytest.mark.parametrize("column", ["currency", "Order currency", 'the "one"', "валюта"])
def test_a_filter_that_is_to_be_typed_is_the_filter(column, value):
    import shlex

    from retain.cli.override_parser import parse_overrides

    (word,) = shlex.split(type_filter(column, value))
    ((_, override),) = parse_overrides([word])
    assert parse_condition(override.value()) == ColumnTest(column, "=", (value,))


def test_the_default_filter_reads_every_row():
    assert RowFilter() == RowFilter(None, None)
