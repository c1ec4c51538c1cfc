"""Translation of DuckDB's SQL to Spark's: the allowed nodes, and nodes that must not be."""

import pytest

from retain.customers.purchases.engines.spark_sql import translate_to_spark
from retain.customers.purchases.features.query import FeatureQuery
from retain.customers.purchases.features.snapshots import SnapshotCalendar
from retain.customers.purchases.features.sql_script import render_sql
from retain.customers.purchases.features.store_level import StoreLevels
from retain.errors import RetainError
from retain.schema.purchases import LabelRule, RegularityRule

pytest.importorskip("sqlglot", reason="sqlglot is not installed; type: make cluster")

LABEL = LabelRule(
    measure="orders",
    horizon=90,
    lookback=180,
    decline_ratio=0.5,
    regularity=RegularityRule(periods=2, days=90),
    min_history=None,
)
EVERYTHING = frozenset(
    ("amount", "items", "order", "category", "promo", "minutes", "contacts", "profit")
)


@pytest.mark.parametrize("columns", [frozenset(), EVERYTHING], ids=["bare", "everything"])
@pytest.mark.parametrize("kinds", [0, 70, 900])
@pytest.mark.parametrize("has_target", [True, False])
def test_every_statement_of_the_table_is_on_the_list(columns, kinds, has_target):
    snapshots = (400, 430) if has_target else (430,)
    sums = dict.fromkeys(("amount", "items", "promo", "told", "returned"), (2,) * 601)
    levels = StoreLevels(0, (1,) * 601, snapshots, sums)
    query = FeatureQuery(
        SnapshotCalendar(0, 600, snapshots), LABEL, (30, 90), columns, kinds, has_target, levels
    )
    script = render_sql(query)
    for name in script.__dataclass_fields__:
        statement = getattr(script, name)
        assert statement is None or translate_to_spark(statement).startswith(
            ("SELECT", "WITH", "/*")
        )


def test_a_statement_is_written_in_the_words_of_spark():
    statement = 'SELECT CAST(FLOOR(t / 86400) AS BIGINT) AS "a day" FROM purchases'
    assert translate_to_spark(statement) == statement.replace('"', "`")


# SQLGlot translates each to something that may give another result in Spark.
@pytest.mark.parametrize(
    "expression",
    [
        "EPOCH_MS(t)",  # becomes its inverse, a time of milliseconds
        "EPOCH(t)",  # a float: DuckDB rounds it to a whole number where Spark cuts
        "ROUND(x, 2)",
        "HASH(customer)",
        "STRPTIME(t, '%Y')",
        "DATE_DIFF('day', a, b)",
        "TIMEZONE('Europe/Moscow', t)",
        "CAST(x AS HUGEINT)",
        "SUM(x) OVER (ORDER BY t)",
        "x LIKE 'a%'",
        "a || b",
        "RANDOM()",
        "REGEXP_FULL_MATCH(x, 'a$')",
        "reflect('java.lang.System', 'exit', 1)",
    ],
)
def test_what_is_not_on_the_list_is_refused(expression):
    with pytest.raises(RetainError, match="on no list of what DuckDB and Spark answer alike"):
        translate_to_spark(f"SELECT {expression} FROM purchases")  # noqa: S608


@pytest.mark.parametrize(
    "statement", ["DROP TABLE purchases", "SELECT * FROM read_csv('/etc/passwd')", "COPY t TO 'x'"]
)
def test_nothing_but_a_select_of_relations_gets_through(statement):
    with pytest.raises(RetainError, match="on no list"):
        translate_to_spark(statement)


def test_sqlglot_takes_milliseconds_of_a_time_for_a_time_of_milliseconds():
    import sqlglot

    turned = sqlglot.transpile("SELECT EPOCH_MS(t)", read="duckdb", write="spark")
    assert turned == ["SELECT TIMESTAMP_MILLIS(t)"], "it is right now: put EPOCH_MS on the list"


def test_names_are_quoted_as_each_dialect_quotes_them():
    translated = translate_to_spark('SELECT "a ""b"" `c`" AS x, \'it\'\'s\' AS y FROM purchases')
    assert translated == "SELECT `a \"b\" ``c``` AS x, 'it\\'s' AS y FROM purchases"
