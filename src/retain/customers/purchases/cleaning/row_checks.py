"""The rows of a log counted: which are left out and why, which are returns; or a refusal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retain.customers.customers import Step
from retain.customers.files.numbers import truncate
from retain.customers.purchases.parsing.raw_columns import RAW
from retain.customers.purchases.parsing.rows import Fault, Rows
from retain.errors import RetainError, examples
from retain.schema.purchases import LogPolicy

if TYPE_CHECKING:
    import duckdb


UNREADABLE = 0.05
"""The share of rows that may be unreadable: more of them, and the log is read the wrong way."""

OF = "purchases"


@dataclass(frozen=True, slots=True)
class RowCounts:
    """How many rows have each fault (its number, from 1) and what the others are."""

    by_fault: dict[int, int]
    returned: int
    free: int
    visits: int
    first: int
    last: int

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.by_fault.values())

    @property
    def kept(self) -> int:
        """Rows without a fault."""
        return self.by_fault.get(0, 0)


def count_rows(connection: duckdb.DuckDBPyConnection, rows: Rows) -> RowCounts:
    """The rows counted in one scan."""
    kinds = f"{rows.returned} AS returned, {rows.free} AS free, {rows.visit} AS visit"
    judged = f"SELECT {rows.fault()} AS fault, {kinds}, t FROM ({rows.select})"  # noqa: S608
    found = connection.execute(
        "SELECT fault, returned, free, visit, count(*), min(t), max(t) "  # noqa: S608
        f"FROM ({judged}) GROUP BY ALL"
    ).fetchall()
    by_fault: dict[int, int] = {}
    for fault, _, _, _, count, _, _ in found:
        by_fault[fault] = by_fault.get(fault, 0) + count
    good = [row for row in found if row[0] == 0]
    counts = [sum(row[4] for row in good if row[n]) for n in (1, 2, 3)]
    first = min((row[5] for row in good), default=0)
    last = max((row[6] for row in good), default=0)
    return RowCounts(by_fault, counts[0], counts[1], counts[2], first, last)


def check_rows(
    connection: duckdb.DuckDBPyConnection, rows: Rows, tally: RowCounts, policy: LogPolicy
) -> tuple[Step, ...]:
    """The funnel's lines about what is left out and what returns and free rows become.

    Raises
    ------
    RetainError
        More than 5 % of the rows are unreadable, no row is left, or a policy refuses rows there
        are.
    """
    faults = [(n, fault) for n, fault in enumerate(rows.faults, start=1) if tally.by_fault.get(n)]
    told = {n: _told(connection, rows, n, fault) for n, fault in faults}
    _refuse_unreadable(rows, tally, faults, told)
    left, steps = tally.rows, []
    for n, fault in faults:
        left -= tally.by_fault[n]
        steps.append(Step(fault.name, left + tally.by_fault[n], left, told[n], of=OF))
    if left == 0:
        why = "; ".join(f"{rows_are(tally.by_fault[n])} {told[n]}" for n, _ in faults)
        raise RetainError(f"{rows.raw.told}: no purchase is left: {why}.")
    return (*steps, *_by_policy(connection, rows, tally, policy))


def _refuse_unreadable(
    rows: Rows, tally: RowCounts, faults: Iterable[tuple[int, Fault]], told: dict[int, str]
) -> None:
    wrong = [n for n, fault in faults if fault.unreadable]
    count = sum(tally.by_fault[n] for n in wrong)
    if count <= UNREADABLE * tally.rows:
        return
    which = "; ".join(f"{rows_are(tally.by_fault[n])} {told[n]}" for n in wrong)
    share = f"{count} of {tally.rows} rows ({count / tally.rows:.1%}) cannot be read"
    hint = (
        " Say how times are written with data.format.time_format." if _of_time(rows, wrong) else ""
    )
    raise RetainError(f"{rows.raw.told}: {share}: {which}; expected at most 5 %.{hint}")


def _of_time(rows: Rows, wrong: Iterable[int]) -> bool:
    return any(rows.faults[n - 1].name == "no time" for n in wrong)


def _told(connection: duckdb.DuckDBPyConnection, rows: Rows, number: int, fault: Fault) -> str:
    column = f"column {rows.raw.names[fault.role]!r}"
    shown = _examples(connection, rows, f"({rows.fault()}) = {number}", fault.role)
    return f"{fault.reason} ({column}{shown})"


def _examples(connection: duckdb.DuckDBPyConnection, rows: Rows, when: str, role: str) -> str:
    """The least cells of such rows, and the row of the first where the file tells it."""
    cell = f"CAST(raw_{role} AS VARCHAR)"
    found = connection.execute(
        f"SELECT DISTINCT {cell} AS cell FROM ({rows.select}) "  # noqa: S608
        f"WHERE {when} AND {cell} IS NOT NULL ORDER BY cell LIMIT 6"
    ).fetchall()
    listed = f": {examples([truncate(cell) for (cell,) in found[:5]])}" if found else ": blank"
    more = " …" if len(found) > 5 else ""
    return f"{listed}{more}{_row(connection, rows, when)}"


def _row(connection: duckdb.DuckDBPyConnection, rows: Rows, when: str) -> str:
    if rows.raw.header is None:
        return ""
    row = connection.execute(f"SELECT min(line) FROM ({rows.select}) WHERE {when}").fetchone()  # noqa: S608
    return f", first in row {row[0]}" if row and row[0] is not None else ""


def _by_policy(
    connection: duckdb.DuckDBPyConnection, rows: Rows, tally: RowCounts, policy: LogPolicy
) -> Iterable[Step]:
    role = "amount" if "amount" in rows.values else "items"
    refused = (
        ("returns", policy.returns, tally.returned, rows.returned, "below zero", "net or drop"),
        ("zero_amount", policy.zero_amount, tally.free, rows.free, "of nothing", "keep or drop"),
    )
    for name, chosen, count, when, what, others in refused:
        if count and chosen == "error":
            where = f"({rows.fault()}) = 0 AND {when}"
            shown = _examples(connection, rows, where, role)
            found = f"{rows.raw.where(role)}: {rows_are(count)} {what}{shown}"
            raise RetainError(f"{found}; policy.{name}=error. Type data.policy.{name}={others}.")
    said = (
        ("returns", tally.returned, "taken off what was bought, no purchase of their own"),
        ("zero_amount", tally.free, "of nothing, kept as purchases"),
        ("visits", tally.visits, "without amount and items, only minutes or contacts"),
    )
    for name, count, how in said:
        if count:
            yield Step(name, tally.kept, tally.kept, f"{rows_are(count)} {how}", of=OF)


def rows_are(count: int) -> str:
    """The beginning of a sentence about so many rows.

    >>> rows_are(1), rows_are(3)
    ('1 row is', '3 rows are')
    """
    return "1 row is" if count == 1 else f"{count} rows are"


def refuse_empty(connection: duckdb.DuckDBPyConnection, told: str) -> int:
    """How many rows ``retain_raw`` has; none of them refuses the log."""
    row = connection.execute(f"SELECT count(*) FROM {RAW}").fetchone()  # noqa: S608
    if not row or row[0] == 0:
        raise RetainError(f"{told} has columns and no rows; expected purchases.")
    return int(row[0])
