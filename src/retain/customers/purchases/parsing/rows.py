"""The rows of a log as SQL: parsed columns, ids too, and the rules by which rows are left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from retain.customers.cells.booleans import NO, YES
from retain.customers.cells.number_format import FileMarks
from retain.customers.purchases.parsing.formulas import Formula, formula_sql, list_columns
from retain.customers.purchases.parsing.numbers import (
    SqlExpression,
    find_file_marks,
    parse_number_column,
)
from retain.customers.purchases.parsing.raw_columns import RAW_TABLE, RawRelation
from retain.customers.purchases.parsing.sql_names import quote_literal
from retain.customers.purchases.parsing.times import parse_time_column
from retain.errors import RetainError
from retain.schema.purchases import LogFormat, LogPolicy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


MAX_MONEY = 9e13
"""Above it, a float does not hold cents exactly."""

SECONDS_PER_DAY = 86_400
_NUMBER_ROLES = ("amount", "items", "minutes", "contacts", "profit")
_EPOCH = date(1970, 1, 1)
_MEASURE_ROLES = ("amount", "items")
_VISIT_ROLES = ("minutes", "contacts")


@dataclass(frozen=True, slots=True)
class RowRule:
    """Rule to leave rows out: a condition on parsed columns, and the role of the faulty cells.

    The role is empty if no cell is at fault.
    """

    name: str
    condition: str
    role: str
    reason: str
    is_unreadable: bool = True


@dataclass(frozen=True, slots=True)
class ParsedRows:
    """The parsed rows as a SELECT, and conditions on its columns.

    ``expressions`` are the parsed columns by name; ``is_visit``, ``is_return`` and ``is_free`` are
    conditions, ``FALSE`` if no row can fulfil them.
    """

    raw: RawRelation
    expressions: Mapping[str, SqlExpression]
    rules: tuple[RowRule, ...]
    is_visit: str
    is_return: str
    is_free: str

    @property
    def may_be_discount(self) -> str:
        """Condition of lines that cost less than nothing and count items all the same."""
        has_both = {"amount", "items"} <= self.expressions.keys()
        return "(amount < 0 AND items > 0)" if has_both else "FALSE"

    @property
    def is_cheap(self) -> bool:
        """True if the rows may be parsed in every query."""
        return all(expression.is_cheap for expression in self.expressions.values())

    @property
    def select(self) -> str:
        """A SELECT of the parsed and raw columns and ``line``, the row of the file if known."""
        columns = ", ".join(f"{column.sql} AS {name}" for name, column in self.expressions.items())
        n_header = self.raw.n_header_lines
        line = "NULL" if n_header is None else f"{self.raw.row_number} + {1 + n_header}"
        return f"SELECT *, {line} AS line, {columns} FROM {RAW_TABLE}"  # noqa: S608 - quoted

    def rule_number_sql(self) -> str:
        """Return SQL of the number of the first rule that applies, from 1, else 0."""
        rules = enumerate(self.rules, start=1)
        whens = " ".join(f"WHEN {rule.condition} THEN {n}" for n, rule in rules)
        return f"CASE {whens} ELSE 0 END"


def parse_rows(
    connection: Connection,
    raw: RawRelation,
    format: LogFormat,  # noqa: A002 - the user's word
    policy: LogPolicy,
    today: date,
) -> ParsedRows:
    """Return how the rows of ``retain_raw`` are parsed and which are left out."""
    values = _parse_columns(connection, raw, format)
    is_visit, is_return, is_free = _visit_sql(raw), _return_sql(raw), _free_sql(raw)
    rules = (
        *_id_and_time_rules(today),
        *_number_rules(raw, values, is_visit),
        *_policy_rules(policy, is_return, is_free),
    )
    return ParsedRows(raw, values, rules, is_visit, is_return, is_free)


def _parse_columns(
    connection: Connection,
    raw: RawRelation,
    format: LogFormat,  # noqa: A002 - the user's word
) -> dict[str, SqlExpression]:
    values = {
        "customer": parse_id_column(connection, raw),
        "t": parse_time_column(connection, raw, format),
    }
    operands = {cell.removeprefix("raw_") for role in raw.formulas for cell in raw.list_cells(role)}
    numbers = dict.fromkeys((*_NUMBER_ROLES, *sorted(operands)))
    marks = find_file_marks(connection, raw, (*numbers, "discount"), format)
    parsed = {
        role: parse_number_column(connection, raw, role, marks)
        for role in numbers
        if role in raw.column_names
    }
    parsed |= {role: _compute(raw, formula, parsed) for role, formula in raw.formulas.items()}
    values |= {role: parsed[role] for role in _NUMBER_ROLES if role in parsed}
    if "order" in raw.column_names:
        values["order_id"] = SqlExpression("CAST(raw_order AS VARCHAR)", is_cheap=True)
    if "category" in raw.column_names:
        values["category_text"] = SqlExpression("CAST(raw_category AS VARCHAR)", is_cheap=True)
    if "discount" in raw.column_names:
        values["promo"] = parse_discount_column(connection, raw, marks)
    return values


def _compute(
    raw: RawRelation, formula: Formula, parsed: Mapping[str, SqlExpression]
) -> SqlExpression:
    """Return a formula of parsed columns, NULL if one of them is NULL."""
    operands = {name: parsed[raw.find_role(name)] for name in list_columns(formula)}
    return SqlExpression(
        formula_sql(formula, {name: one.sql for name, one in operands.items()}),
        is_cheap=all(one.is_cheap for one in operands.values()),
        messages=tuple(dict.fromkeys(text for one in operands.values() for text in one.messages)),
        decimal_mark=next((one.decimal_mark for one in operands.values() if one.decimal_mark), ""),
    )


# --- conditions ----------------------------------------------------------------------------------


def _visit_sql(raw: RawRelation) -> str:
    """Return the condition of rows with minutes or contacts and without a purchase."""
    measures = [role for role in _MEASURE_ROLES if raw.has(role)]
    visits = [role for role in _VISIT_ROLES if raw.has(role)]
    if not measures or not visits:
        return "FALSE"
    all_zero = " AND ".join(f"coalesce({role}, 0) = 0" for role in measures)
    any_positive = " OR ".join(f"coalesce({role}, 0) > 0" for role in visits)
    return f"({all_zero} AND ({any_positive}))"


def _return_sql(raw: RawRelation) -> str:
    negative = [f"coalesce({role}, 0) < 0" for role in _MEASURE_ROLES if raw.has(role)]
    return f"({' OR '.join(negative)})" if negative else "FALSE"


def _free_sql(raw: RawRelation) -> str:
    """Return the condition of purchases of amount zero, or of no items if no amount is mapped."""
    measures = [role for role in _MEASURE_ROLES if raw.has(role)]
    if not measures:
        return "FALSE"
    return f"(coalesce({measures[0]}, 0) = 0 AND NOT {_return_sql(raw)} AND NOT {_visit_sql(raw)})"


def _id_and_time_rules(today: date) -> tuple[RowRule, ...]:
    end = ((today - _EPOCH).days + 1) * SECONDS_PER_DAY
    return (
        RowRule(
            "no customer", "customer IS NULL", "customer", "without a customer", is_unreadable=False
        ),
        RowRule("no time", "t IS NULL", "time", "without a time that can be read"),
        RowRule("future", f"t >= {end}", "time", f"later than {today.isoformat()}, in the future"),
    )


def _number_rules(
    raw: RawRelation, values: Mapping[str, SqlExpression], is_visit: str
) -> tuple[RowRule, ...]:
    rules = []
    for role in ("amount", "items", *_VISIT_ROLES, "profit"):
        if not raw.has(role):
            continue
        unreadable = f"({role} IS NULL OR abs({role}) > {MAX_MONEY:.0f})"
        invalid = f"({raw.is_given_sql(role)} AND {unreadable})"
        decimal_mark = values[role].decimal_mark
        mark = f" with decimal mark {decimal_mark!r}" if decimal_mark else ""
        reason = f"without {role} that can be read as a number of at most 9e13{mark}"
        if role in _MEASURE_ROLES:
            invalid = f"({invalid} OR ({role} IS NULL AND NOT {is_visit}))"
        elif role in _VISIT_ROLES:
            invalid = f"({invalid} OR coalesce({role}, 0) < 0)"
            reason = f"without {role} that can be read as a number from 0 to 9e13{mark}"
        rules.append(RowRule(f"no {role}", invalid, role, reason))
    if "discount" in raw.column_names:
        invalid = "raw_discount IS NOT NULL AND promo IS NULL"
        reason = "of a discount that is neither yes nor no nor a number of at least 0"
        rules.append(RowRule("no discount", invalid, "discount", reason))
    return tuple(rules)


def _policy_rules(policy: LogPolicy, is_return: str, is_free: str) -> tuple[RowRule, ...]:
    rules = []
    role = "amount" if "amount" in is_return else "items"
    if policy.returns == "drop" and is_return != "FALSE":
        reason = "below zero (data.policy.returns=drop)"
        rules.append(RowRule("returns", is_return, role, reason, is_unreadable=False))
    if policy.zero_amount == "drop" and is_free != "FALSE":
        reason = "of nothing (data.policy.zero_amount=drop)"
        rules.append(RowRule("zero_amount", is_free, role, reason, is_unreadable=False))
    return tuple(rules)


_WHOLE_NUMBER = "-?(0|[1-9][0-9]{0,18})([.]0*)?"  # some tools export 7 as 7.0
_MISSING_IDS = ("nan", "null", "none", "<na>", "\\n")  # written by tools for a missing id
_MAX_EXACT_FLOAT = 2**53  # beyond it a float is not exact


def parse_id_column(connection: Connection, raw: RawRelation) -> SqlExpression:
    """Return the ids of ``retain_raw``: BIGINT if all are without leading zeros, else VARCHAR.

    Raises
    ------
    RetainError
        The column holds neither numbers nor text.
    """
    cell = "raw_customer"
    if raw.is_whole("customer"):
        return SqlExpression(f"CAST({cell} AS BIGINT)", is_cheap=True)
    if raw.is_text("customer"):
        return _parse_text_ids(connection, cell)
    if not raw.is_number("customer"):
        found = f"it holds {raw.types['customer']}"
        raise RetainError.at(raw.describe_column("customer"), found, "expected ids")
    if _is_true_for_all(connection, f"{cell} = trunc({cell}) AND abs({cell}) < {_MAX_EXACT_FLOAT}"):
        return SqlExpression(f"CAST({cell} AS BIGINT)", is_cheap=True)
    return SqlExpression(f"CAST({cell} AS VARCHAR)", is_cheap=True)


def _parse_text_ids(connection: Connection, cell: str) -> SqlExpression:
    missing = f"lower({cell}) IN ({', '.join(quote_literal(word) for word in _MISSING_IDS)})"
    value = f"TRY_CAST(split_part({cell}, '.', 1) AS BIGINT)"
    whole = f"regexp_full_match({cell}, {quote_literal(_WHOLE_NUMBER)}) AND {value} IS NOT NULL"
    query = f"SELECT bool_and({whole} OR {missing}), bool_or({missing}) FROM {RAW_TABLE}"  # noqa: S608
    all_whole, some_missing = connection.execute(query).fetchone() or (False, False)
    if all_whole:
        return SqlExpression(value, is_cheap=False)
    return SqlExpression(
        f"CASE WHEN NOT {missing} THEN {cell} END" if some_missing else cell, is_cheap=True
    )


def _is_true_for_all(connection: Connection, condition: str) -> bool:
    row = connection.execute(f"SELECT bool_and({condition}) FROM {RAW_TABLE}").fetchone()  # noqa: S608
    return bool(row and row[0])


def parse_discount_column(
    connection: Connection, raw: RawRelation, marks: FileMarks
) -> SqlExpression:
    """Return 1, 0, or NULL if the cell is neither yes or no nor a number of at least 0."""
    if raw.types["discount"] == "BOOLEAN":
        return SqlExpression("CAST(raw_discount AS BIGINT)", is_cheap=True)
    value = parse_number_column(connection, raw, "discount", marks)
    by_number = f"CASE WHEN {value.sql} > 0 THEN 1 WHEN {value.sql} = 0 THEN 0 END"
    if not raw.is_text("discount"):
        return SqlExpression(f"CAST({by_number} AS BIGINT)", is_cheap=value.is_cheap)
    answer = "lower(raw_discount)"
    yes, no = _quote_literals(YES), _quote_literals(NO)
    by_answer = f"WHEN {answer} IN ({yes}) THEN 1 WHEN {answer} IN ({no}) THEN 0"
    return SqlExpression(f"CAST(CASE {by_answer} ELSE {by_number} END AS BIGINT)", is_cheap=False)


def _quote_literals(words: Iterable[str]) -> str:
    return ", ".join(quote_literal(word) for word in words)
