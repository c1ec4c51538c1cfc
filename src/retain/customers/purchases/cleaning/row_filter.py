"""The rows of a log that are read: those of the filter, without customers to be excluded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from retain.customers.customers import CleaningStep
from retain.customers.purchases.cleaning.row_checks import MAX_UNREADABLE_SHARE, ROW_UNIT
from retain.customers.purchases.parsing.conditions import (
    EXAMPLE,
    KEY,
    ColumnTest,
    Condition,
    Negation,
    Value,
    list_tests,
    type_literal,
)
from retain.customers.purchases.parsing.numbers import find_file_marks, parse_number_column
from retain.customers.purchases.parsing.raw_columns import RAW_TABLE, RawRelation
from retain.customers.purchases.parsing.rows import SECONDS_PER_DAY, parse_id_column
from retain.customers.purchases.parsing.sql_names import quote_literal
from retain.customers.purchases.parsing.time_zones import floor_div_sql
from retain.customers.purchases.parsing.times import parse_time_column
from retain.customers.purchases.parsing.tokens import quote_name
from retain.errors import RetainError, examples, nearest
from retain.schema.purchases import LogFormat

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


UNFILTERED = "retain_unfiltered"
"""All rows of a log that is no table, of which ``retain_raw`` is a view if some are left out."""
_ROW_NUMBER = "row_number"
_EPOCH = date(1970, 1, 1)
_MAX_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class RowFilter:
    """The condition of rows to read, and ids of customers to leave out; None for all rows."""

    condition: Condition | None = None
    exclude: tuple[str, ...] | None = None


def check_ids(values: object) -> tuple[str, ...] | None:
    """Return the ids of ``data.exclude`` as texts, None for null.

    Raises
    ------
    RetainError
        The value is no list of texts and whole numbers.

    >>> check_ids([0, "guest"])
    ('0', 'guest')
    """
    if values is None:
        return None
    listed = list(values) if isinstance(values, list | tuple) else [None]
    if not all(isinstance(one, str) or type(one) is int for one in listed):
        expected = "expected a list of ids, such as data.exclude=[0,guest]"
        raise RetainError.at("data.exclude", f"it is {values!r}"[:200], expected)
    return tuple(str(one) for one in listed)


def filter_rows(
    connection: Connection,
    raw: RawRelation,
    n_rows: int,
    row_filter: RowFilter,
    log_format: LogFormat,
) -> tuple[RawRelation, int, tuple[CleaningStep, ...]]:
    """Return ``retain_raw`` with the rows to read, their number, and the funnel's lines.

    A missing cell equals nothing, so that every row fulfils a condition or its negation.

    Raises
    ------
    RetainError
        A value does not fit its column, or no row is left.
    """
    condition, excluded = row_filter.condition, row_filter.exclude or ()
    if condition is None and not excluded:
        return raw, n_rows, ()
    kept = "TRUE"
    if condition is not None:
        kept = condition_sql(condition, _TestWriter(connection, raw, log_format))
    spared = _spared_sql(connection, raw, excluded)
    query = f"SELECT count_if({kept}), count_if({kept} AND {spared}) FROM {RAW_TABLE}"  # noqa: S608
    n_kept, n_left = (int(n or 0) for n in connection.execute(query).fetchone() or (0, 0))
    steps = []
    if condition is not None:
        reason = (
            f"left out by data.where: {condition}{_describe_absent(connection, raw, condition)}"
        )
        steps.append(CleaningStep("where", n_rows, n_kept, reason, unit=ROW_UNIT))
    if excluded:
        reason = f"of customers to be excluded (data.exclude): {examples(excluded)}"
        steps.append(CleaningStep("exclude", n_kept, n_left, reason, unit=ROW_UNIT))
    if n_left == 0:
        reasons = "; ".join(f"{step.n_before - step.n_after} {step.reason}" for step in steps)
        raise RetainError(f"{raw.name}: no row is left: {reasons}.")
    return _replace_rows(connection, raw, f"{kept} AND {spared}"), n_left, tuple(steps)


def _replace_rows(connection: Connection, raw: RawRelation, condition: str) -> RawRelation:
    """Return ``retain_raw`` as a table or view of some rows, which keep their numbers."""
    kind = "TABLE" if raw.is_stored else "VIEW"
    connection.execute(f"ALTER {kind} {RAW_TABLE} RENAME TO {UNFILTERED}")
    columns = "*" if raw.n_header_lines is None else f"*, {raw.row_number} AS {_ROW_NUMBER}"
    select = f"SELECT {columns} FROM {UNFILTERED} WHERE {condition}"  # noqa: S608
    connection.execute(f"CREATE {kind} {RAW_TABLE} AS {select}")
    if raw.is_stored:
        connection.execute(f"DROP TABLE {UNFILTERED}")
    return replace(raw, row_number=_ROW_NUMBER)


def _spared_sql(connection: Connection, raw: RawRelation, excluded: Sequence[str]) -> str:
    """Return the condition of rows of other customers, and of none."""
    if not excluded:
        return "TRUE"
    customer = f"CAST({parse_id_column(connection, raw).sql} AS VARCHAR)"
    return f"NOT {_is_in_sql(customer, map(quote_literal, excluded))}"


def _is_in_sql(cell: str, values: Iterable[str]) -> str:
    return f"coalesce({cell} IN ({', '.join(values)}), FALSE)"


# --- conditions as SQL ---------------------------------------------------------------------------


def condition_sql(condition: Condition, writer: _TestWriter) -> str:
    """Return a condition as SQL that is true or false for every row."""
    if isinstance(condition, ColumnTest):
        return writer.test_sql(condition)
    if isinstance(condition, Negation):
        return f"(NOT {condition_sql(condition.inner, writer)})"
    joint = f" {condition.word.upper()} "
    return f"({joint.join(condition_sql(part, writer) for part in condition.parts)})"


@dataclass(frozen=True, slots=True)
class _TestWriter:
    """Writes tests of columns as SQL."""

    connection: Connection
    raw: RawRelation
    log_format: LogFormat

    def test_sql(self, test: ColumnTest) -> str:
        role = self.raw.find_role(test.column)
        if test.operator == "missing":
            return f"(raw_{role} IS NULL)"
        kinds: dict[type, list[str]] = {}
        for value in test.values:
            kinds.setdefault(type(value), []).append(literal_sql(test, value))
        cells = ((self._cell_sql(test, role, kind), values) for kind, values in kinds.items())
        if test.operator in ("=", "in"):
            return f"({' OR '.join(_is_in_sql(cell, values) for cell, values in cells)})"
        ((cell, (value,)),) = cells
        return f"coalesce({cell} {test.operator} {value}, FALSE)"

    def _cell_sql(self, test: ColumnTest, role: str, kind: type) -> str:
        """Return the cell as text, a number, or the number of its day."""
        if kind is date:
            return self._day_sql(test, role)
        if kind is Decimal:
            return self._number_sql(test, role)
        if self.raw.is_text(role) or self.raw.types[role] == "BOOLEAN":
            return f"CAST(raw_{role} AS VARCHAR)"
        if self.raw.types[role].startswith("ENUM") or self.raw.types[role] == "UUID":
            return f"raw_{role}"
        found = f"column {test.column!r} holds {self.raw.types[role]}, and {test} asks for a text"
        shown = quote_name(test.column)
        raise RetainError.at(KEY, found, f"expected a number without quotes, such as {shown} = 1")

    def _day_sql(self, test: ColumnTest, role: str) -> str:
        if role != "time":
            found = f"{test} asks column {test.column!r} for a day"
            time = quote_name(self.raw.column_names["time"])
            expected = f"expected the column of times, {time}, or a text in quotes"
            raise RetainError.at(KEY, found, expected)
        seconds = parse_time_column(self.connection, self.raw, self.log_format).sql
        query = f"SELECT count(raw_time), count({seconds}) FROM {RAW_TABLE}"  # noqa: S608
        n_cells, n_read = self.connection.execute(query).fetchone() or (0, 0)
        if n_cells - n_read > MAX_UNREADABLE_SHARE * n_cells:
            found = (
                f"{n_cells - n_read} of {n_cells} times cannot be read, and {test} asks for days"
            )
            expected = (
                "expected at most 5 %; say how times are written with data.format.time_format"
            )
            raise RetainError.at(KEY, found, expected)
        return floor_div_sql(seconds, SECONDS_PER_DAY)

    def _number_sql(self, test: ColumnTest, role: str) -> str:
        marks = find_file_marks(self.connection, self.raw, (role,), self.log_format)
        if self.raw.is_text(role) or self.raw.is_number(role):
            sql = parse_number_column(self.connection, self.raw, role, marks).sql
            query = f"SELECT count({sql}), min(raw_{role}) FROM {RAW_TABLE}"  # noqa: S608
            n_numbers, cell = self.connection.execute(query).fetchone() or (0, None)
            if n_numbers or cell is None:
                return sql
            shown = f"such as {cell!r}"
        else:
            shown = f"of type {self.raw.types[role]}"
        found = (
            f"column {test.column!r} holds no numbers but cells {shown}, and {test} asks for one"
        )
        text = type_literal(str(test.values[0]))
        expected = f"expected a text in quotes, such as {quote_name(test.column)} = {text}"
        raise RetainError.at(KEY, found, expected)


def literal_sql(test: ColumnTest, value: Value) -> str:
    """Return a value of a test as SQL: a DOUBLE, the number of a day, or a text."""
    if isinstance(value, Decimal):
        return f"CAST('{value:f}' AS DOUBLE)"
    if isinstance(value, date):
        return str((value - _EPOCH).days)
    if test.operator not in ("=", "in"):
        found = f"{test} compares texts, which have no order"
        raise RetainError.at(KEY, found, f"expected =, in, a number or a day, as in {EXAMPLE}")
    return quote_literal(value)


def _describe_absent(connection: Connection, raw: RawRelation, condition: Condition) -> str:
    """Return a message about texts of a condition that no row has, empty if there is none."""
    absent = []
    for test in list_tests(condition):
        texts = [value for value in test.values if isinstance(value, str)]
        if not texts:
            continue
        cell = f"CAST(raw_{raw.find_role(test.column)} AS VARCHAR)"
        found = f"SELECT DISTINCT {cell} FROM {RAW_TABLE} WHERE {cell} IS NOT NULL"  # noqa: S608
        cells = connection.execute(f"{found} ORDER BY 1 LIMIT {_MAX_LISTED + 1}").fetchall()
        if len(cells) > _MAX_LISTED:
            continue
        known = [str(one) for (one,) in cells]
        absent += [
            f"no row has {test.column} {text!r}{_nearest_hint(text, known)}"
            for text in texts
            if text not in known
        ]
    return "".join(f"; {message}" for message in absent)


def _nearest_hint(text: str, known: Sequence[str]) -> str:
    name = nearest(text, known)
    return f", but {examples(known)}" if name is None else f", but {name!r}"
