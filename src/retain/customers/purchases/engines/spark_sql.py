"""Translation of DuckDB's SQL to Spark's, limited to what gives the same result in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.sql_names import PLAIN_TEXT
from retain.errors import RetainError

if TYPE_CHECKING:
    from sqlglot import exp


ALLOWED_NODES = (
    "Select From Join Where Group Having Union With CTE Subquery Table TableAlias Alias Column "
    "Star Identifier Literal Null Boolean Paren DataType DataTypeParam Window"
)
"""Nodes of a statement that compute nothing."""
ALLOWED_OPERATORS = (
    "Add Sub Mul Div IntDiv Mod Neg EQ NEQ LT LTE GT GTE Is Not And Or Between In "
    "BitwiseLeftShift BitwiseRightShift BitwiseAnd BitwiseOr"
)
"""Operators on integers, and comparisons; ``Div`` gives floats in both."""
ALLOWED_FUNCTIONS = (
    "Case If Cast Coalesce Nullif Abs Floor IsNan Least Trim Count Sum Min Max BitwiseOrAgg "
    "Translate"
)
"""Functions with a node class in SQLGlot."""
SPARK_NAMES = {"BIT_COUNT": "BIT_COUNT", "EPOCH_US": "UNIX_MICROS"}
"""Functions without a node class, and their names in Spark."""
ALLOWED_TYPES = frozenset(
    ("BIGINT", "INT", "DOUBLE", "DECIMAL", "TEXT", "VARCHAR", "TIMESTAMPNTZ", "BOOLEAN")
)


def translate_to_spark(statement: str) -> str:
    """Return a SELECT of DuckDB's dialect in Spark's.

    Raises
    ------
    RetainError
        The statement has a node that is not allowed, or SQLGlot is not installed.
    """
    return to_spark_sql(_drop_order(parse_duckdb_sql(statement)))


def _drop_order(tree: exp.Expr) -> exp.Expr:
    """Return a statement whose parts are in any order: DuckDB only sums faster in an order."""
    from sqlglot import exp

    for node in list(tree.find_all(exp.Order)):
        if isinstance(node.parent, exp.Select) and not node.parent.args.get("limit"):
            node.pop()
    return tree


def parse_duckdb_sql(statement: str) -> exp.Expr:
    """Return the syntax tree of a statement in DuckDB's dialect."""
    try:
        import sqlglot
    except ImportError:
        raise RetainError("data.engine=spark needs SQLGlot; pip install 'retain[spark]'") from None
    return sqlglot.parse_one(statement, dialect="duckdb").transform(_drop_schema)


def to_spark_sql(tree: exp.Expr) -> str:
    """Return a DuckDB syntax tree as Spark's SQL, after a check that every node is allowed."""
    for node in tree.walk():
        if not _is_allowed(node):
            message = (
                f"{node.sql(dialect='duckdb')} is on no list of what DuckDB and Spark answer alike"
            )
            raise RetainError(f"{message}; expected functions of {__name__}.")
    return str(tree.transform(_rename_function).sql(dialect="spark"))


def _drop_schema(node: exp.Expr) -> exp.Expr:
    """Return ``main.trim(x)``, as DuckDB stores it in views, without the schema."""
    import sqlglot
    from sqlglot import exp

    if isinstance(node, exp.Dot) and node.this.name == "main":
        function = node.expression.sql(dialect="duckdb").replace('"', "", 2)
        return sqlglot.parse_one(function, dialect="duckdb")
    return node


def _is_allowed(node: exp.Expr) -> bool:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        return str(node.this).upper() in SPARK_NAMES
    if isinstance(node, exp.RegexpFullMatch):
        return bool(node.expression.name == PLAIN_TEXT)
    if isinstance(node, exp.DataType):
        return node.this.name in ALLOWED_TYPES
    return type(node).__name__ in f"{ALLOWED_NODES} {ALLOWED_OPERATORS} {ALLOWED_FUNCTIONS}".split()


def _rename_function(node: exp.Expr) -> exp.Expr:
    """Return Spark's equivalent of a node.

    Spark counts microseconds of instants, so a time without zone is cast as UTC. The test that
    saves DuckDB the trimming of plain text is replaced by False: Spark trims every text.
    """
    from sqlglot import exp

    if isinstance(node, exp.RegexpFullMatch):
        return exp.false()
    if not isinstance(node, exp.Anonymous):
        return node
    name = SPARK_NAMES[str(node.this).upper()]
    if name != "UNIX_MICROS":
        return exp.Anonymous(this=name, expressions=node.expressions)
    instant = exp.Cast(this=node.expressions[0], to=exp.DataType.build("TIMESTAMPTZ"))
    return exp.Anonymous(this=name, expressions=[instant])
