"""Counts of the rows that are left out, with the reasons, and of returns, free rows and visits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retain.customers.cells.numbers import truncate
from retain.customers.customers import CleaningStep
from retain.customers.purchases.parsing.raw_columns import RAW_TABLE
from retain.customers.purchases.parsing.rows import SECONDS_PER_DAY, ParsedRows, RowRule
from retain.customers.purchases.parsing.time_zones import floor_div_sql
from retain.errors import RetainError, examples
from retain.schema.purchases import LogPolicy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


MAX_UNREADABLE_SHARE = 0.05  # with more, the log is probably read the wrong way
ROW_UNIT = "purchases"


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Rows by the number of their rule (0: valid), and counts and days of the valid rows.

    ``days`` has the last second of each day, by the number of the day since 1970-01-01.
    """

    by_rule: dict[int, int]
    n_returns: int
    n_free: int
    n_visits: int
    n_discounts: int
    first_second: int
    last_second: int
    days: dict[int, int]

    @property
    def n_rows(self) -> int:
        """Number of all rows."""
        return sum(self.by_rule.values())

    @property
    def n_valid(self) -> int:
        """Number of rows to keep."""
        return self.by_rule.get(0, 0)


def count_rows(connection: Connection, rows: ParsedRows) -> RowCounts:
    """Count the rows in one scan."""
    kinds = (
        f"{rows.is_return} AS is_return, {rows.is_free} AS is_free, {rows.is_visit} AS is_visit, "
        f"{rows.may_be_discount} AS may_be_discount"
    )
    checked = f"SELECT {rows.rule_number_sql()} AS rule, {kinds}, t FROM ({rows.select})"  # noqa: S608
    groups = connection.execute(
        "SELECT rule, is_return, is_free, is_visit, may_be_discount, "  # noqa: S608
        f"{floor_div_sql('t', SECONDS_PER_DAY)} AS day, count(*), min(t), max(t) "
        f"FROM ({checked}) GROUP BY ALL ORDER BY day"
    ).fetchall()
    by_rule: dict[int, int] = {}
    days: dict[int, int] = {}
    for rule, *_, day, count, _, last in groups:
        by_rule[rule] = by_rule.get(rule, 0) + count
        if rule == 0:
            days[day] = max(last, days.get(day, last))
    valid = [group for group in groups if group[0] == 0]
    n_returns, n_free, n_visits, n_discounts = (
        sum(group[6] for group in valid if group[n]) for n in (1, 2, 3, 4)
    )
    first = min((group[7] for group in valid), default=0)
    last_second = max(days.values(), default=0)
    return RowCounts(by_rule, n_returns, n_free, n_visits, n_discounts, first, last_second, days)


def check_rows(
    connection: Connection, rows: ParsedRows, counts: RowCounts, policy: LogPolicy
) -> tuple[CleaningStep, ...]:
    """Return the funnel's lines about rows that are left out, returns, free rows and visits.

    Raises
    ------
    RetainError
        More than 5 % of the rows are unreadable, no row is left, or rows exist whose policy is
        ``error``.
    """
    rules = {n: rule for n, rule in enumerate(rows.rules, start=1) if counts.by_rule.get(n)}
    reasons = {n: _describe_rule(connection, rows, n, rule) for n, rule in rules.items()}
    _check_unreadable_share(rows, counts, rules, reasons)
    left, steps = counts.n_rows, []
    for n, rule in rules.items():
        before, left = left, left - counts.by_rule[n]
        steps.append(CleaningStep(rule.name, before, left, reasons[n], unit=ROW_UNIT))
    if left == 0:
        raise RetainError(
            f"{rows.raw.name}: no purchase is left: {_join_reasons(counts, reasons)}."
        )
    return (*steps, *_apply_policies(connection, rows, counts, policy))


def _check_unreadable_share(
    rows: ParsedRows, counts: RowCounts, rules: dict[int, RowRule], reasons: dict[int, str]
) -> None:
    unreadable = {n: reasons[n] for n, rule in rules.items() if rule.is_unreadable}
    count = sum(counts.by_rule[n] for n in unreadable)
    if count <= MAX_UNREADABLE_SHARE * counts.n_rows:
        return
    share = f"{count} of {counts.n_rows} rows ({count / counts.n_rows:.1%}) cannot be read"
    hint = ""
    if any(rules[n].name == "no time" for n in unreadable):
        hint = " Say how times are written with data.format.time_format."
    message = f"{rows.raw.name}: {share}: {_join_reasons(counts, unreadable)}"
    raise RetainError(f"{message}; expected at most 5 %.{hint}")


def _join_reasons(counts: RowCounts, reasons: dict[int, str]) -> str:
    return "; ".join(f"{format_row_count(counts.by_rule[n])} {text}" for n, text in reasons.items())


def _describe_rule(connection: Connection, rows: ParsedRows, number: int, rule: RowRule) -> str:
    if not rule.role:
        return rule.reason
    column = f"column {rows.raw.name_column(rule.role)!r}"
    cells = _describe_cells(connection, rows, f"({rows.rule_number_sql()}) = {number}", rule.role)
    return f"{rule.reason} ({column}{cells})"


def _describe_cells(connection: Connection, rows: ParsedRows, condition: str, role: str) -> str:
    """Return the smallest cells of such rows, and the row of the first if known."""
    cell = rows.raw.cell_sql(role)
    cells = connection.execute(
        f"SELECT DISTINCT {cell} AS cell FROM ({rows.select}) "  # noqa: S608
        f"WHERE {condition} AND {cell} IS NOT NULL ORDER BY cell LIMIT 6"
    ).fetchall()
    listed = f": {examples([truncate(text) for (text,) in cells[:5]])}" if cells else ": blank"
    more = " …" if len(cells) > 5 else ""
    return f"{listed}{more}{_first_row_hint(connection, rows, condition)}"


def _first_row_hint(connection: Connection, rows: ParsedRows, condition: str) -> str:
    if rows.raw.n_header_lines is None:
        return ""
    sql = f"SELECT min(line) FROM ({rows.select}) WHERE {condition}"  # noqa: S608
    row = connection.execute(sql).fetchone()
    return f", first in row {row[0]}" if row and row[0] is not None else ""


def _apply_policies(
    connection: Connection, rows: ParsedRows, counts: RowCounts, policy: LogPolicy
) -> Iterable[CleaningStep]:
    role = "amount" if "amount" in rows.expressions else "items"
    n_returns, n_free = counts.n_returns, counts.n_free
    for name, value, count, condition, description, others in (
        ("returns", policy.returns, n_returns, rows.is_return, "below zero", "net or drop"),
        ("zero_amount", policy.zero_amount, n_free, rows.is_free, "of nothing", "keep or drop"),
    ):
        if count and value == "error":
            condition_sql = f"({rows.rule_number_sql()}) = 0 AND {condition}"
            cells = _describe_cells(connection, rows, condition_sql, role)
            column = rows.raw.describe_column(role)
            found = f"{column}: {format_row_count(count)} {description}{cells}"
            raise RetainError(
                f"{found}; data.policy.{name}=error. Type data.policy.{name}={others}."
            )
    for name, count, description in (
        ("returns", n_returns, "taken off what was bought, no purchase of their own"),
        ("zero_amount", n_free, "of nothing, kept as purchases"),
        ("visits", counts.n_visits, "without amount and items, only minutes or contacts"),
    ):
        if count:
            reason = f"{format_row_count(count)} {description}"
            yield CleaningStep(name, counts.n_valid, counts.n_valid, reason, unit=ROW_UNIT)


def format_row_count(count: int) -> str:
    """Return the beginning of a sentence about rows.

    >>> format_row_count(1), format_row_count(3)
    ('1 row is', '3 rows are')
    """
    return "1 row is" if count == 1 else f"{count} rows are"


def check_not_empty(connection: Connection, source_name: str) -> int:
    """Return the number of rows of ``retain_raw``, or raise if there is none."""
    row = connection.execute(f"SELECT count(*) FROM {RAW_TABLE}").fetchone()  # noqa: S608
    if not row or row[0] == 0:
        raise RetainError(f"{source_name} has columns and no rows; expected purchases.")
    return int(row[0])
