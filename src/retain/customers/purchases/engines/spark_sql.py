"""DuckDB's SQL as Spark's, through a list of what means the same in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.sql_names import PLAIN
from retain.errors import RetainError

if TYPE_CHECKING:
    from sqlglot import exp


SHAPES = (
    "Select From Join Where Group Having Union With CTE Subquery Table TableAlias Alias Column "
    "Star Identifier Literal Null Boolean Paren DataType DataTypeParam"
)
"""Parts of a statement that compute nothing."""
OPERATORS = (
    "Add Sub Mul Div IntDiv Mod Neg EQ NEQ LT LTE GT GTE Is Not And Or Between "
    "BitwiseLeftShift BitwiseRightShift BitwiseAnd BitwiseOr"
)
"""On whole numbers, but for ``Div``, which makes floats in both, and comparisons."""
FUNCTIONS = (
    "Case If Cast Coalesce Nullif Abs Floor IsNan Trim Count Sum Min Max BitwiseOrAgg Translate"
)
"""Functions SQLGlot knows, by its names."""
NAMED = {"BIT_COUNT": "BIT_COUNT", "EPOCH_US": "UNIX_MICROS"}
"""Functions it knows by name alone, and what Spark calls them."""
TYPES = frozenset(
    ("BIGINT", "INT", "DOUBLE", "DECIMAL", "TEXT", "VARCHAR", "TIMESTAMPNTZ", "BOOLEAN")
)


def spark_sql(statement: str) -> str:
    """A SELECT in DuckDB's dialect as Spark understands it.

    Raises
    ------
    RetainError
        When something in it is not on the list, or SQLGlot is not installed.
    """
    return to_spark_sql(parse_duckdb_sql(statement))


def parse_duckdb_sql(statement: str) -> exp.Expr:
    """The tree of a statement in DuckDB's dialect."""
    try:
        import sqlglot
    except ImportError:
        raise RetainError("data.engine=spark needs SQLGlot; pip install 'retain[spark]'") from None
    return sqlglot.parse_one(statement, dialect="duckdb").transform(_unqualified)


def to_spark_sql(tree: exp.Expr) -> str:
    """A tree of DuckDB's as Spark's SQL, every node of it held against the list."""
    for node in tree.walk():
        if not _listed(node):
            message = (
                f"{node.sql(dialect='duckdb')} is on no list of what DuckDB and Spark answer alike"
            )
            raise RetainError(f"{message}; expected functions of {__name__}.")
    return str(tree.transform(_renamed).sql(dialect="spark"))


def _unqualified(node: exp.Expr) -> exp.Expr:
    """``main.trim(x)``, as DuckDB tells a view it keeps, by the function's name alone."""
    import sqlglot
    from sqlglot import exp

    if isinstance(node, exp.Dot) and node.this.name == "main":
        named = node.expression.sql(dialect="duckdb").replace('"', "", 2)
        return sqlglot.parse_one(named, dialect="duckdb")
    return node


def _listed(node: exp.Expr) -> bool:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        return str(node.this).upper() in NAMED
    if isinstance(node, exp.RegexpFullMatch):
        return bool(node.expression.name == PLAIN)
    if isinstance(node, exp.DataType):
        return node.this.name in TYPES
    return type(node).__name__ in f"{SHAPES} {OPERATORS} {FUNCTIONS}".split()


def _renamed(node: exp.Expr) -> exp.Expr:
    """What Spark has for a node that it calls, or does, otherwise.

    Microseconds since 1970 are of an instant there, which a time without zone is in UTC. That a
    text is plain saves DuckDB the trimming; Spark trims every text, to the same end.
    """
    from sqlglot import exp

    if isinstance(node, exp.RegexpFullMatch):
        return exp.false()
    if not isinstance(node, exp.Anonymous):
        return node
    name = NAMED[str(node.this).upper()]
    if name != "UNIX_MICROS":
        return exp.Anonymous(this=name, expressions=node.expressions)
    instant = exp.Cast(this=node.expressions[0], to=exp.DataType.build("TIMESTAMPTZ"))
    return exp.Anonymous(this=name, expressions=[instant])
