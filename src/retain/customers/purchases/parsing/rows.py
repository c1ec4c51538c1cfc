"""What each row of a log is: its values read, and the first thing that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.ids import customer_id, promo
from retain.customers.purchases.parsing.numbers import Reading, number
from retain.customers.purchases.parsing.raw_columns import RAW, RawRelation
from retain.customers.purchases.parsing.times import wall_clock
from retain.schema.purchases import LogFormat, LogPolicy

if TYPE_CHECKING:
    import duckdb

LIMIT = 9e13
"""Above it, cents of money are no exact float any more."""

DAY = 86_400
_EPOCH = date(1970, 1, 1)
_MEASURED = ("amount", "items")
_ASIDE = ("minutes", "contacts")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why rows are left out: ``when`` over the read columns, ``role`` whose cells are to blame."""

    name: str
    when: str
    role: str
    reason: str
    unreadable: bool = True


@dataclass(frozen=True, slots=True)
class Rows:
    """The read rows as a SELECT, and the conditions that sort them.

    ``values`` are the expressions by name; ``visit``, ``returned`` and ``free`` are conditions
    over the read columns, ``FALSE`` where there is no such row.
    """

    raw: RawRelation
    values: Mapping[str, Reading]
    faults: tuple[Fault, ...]
    visit: str
    returned: str
    free: str

    @property
    def plain(self) -> bool:
        """Whether reading them costs so little that it may be done again and again."""
        return all(reading.plain for reading in self.values.values())

    @property
    def select(self) -> str:
        """The read columns beside the raw ones, and ``line``, the row of the file where known."""
        listed = ", ".join(f"{reading.sql} AS {name}" for name, reading in self.values.items())
        line = "NULL" if self.raw.header is None else f"rowid + {1 + self.raw.header}"
        return f"SELECT *, {line} AS line, {listed} FROM {RAW}"  # noqa: S608 - built of quoted parts

    def fault(self) -> str:
        """The number of a row's first fault, 1 for the first one, 0 where there is none."""
        whens = " ".join(f"WHEN {one.when} THEN {n}" for n, one in enumerate(self.faults, start=1))
        return f"CASE {whens} ELSE 0 END"


def rows_of(
    connection: duckdb.DuckDBPyConnection,
    raw: RawRelation,
    format: LogFormat,  # noqa: A002 - the user's word
    policy: LogPolicy,
    today: date,
) -> Rows:
    """How the rows of ``retain_raw`` are read and judged."""
    values = _values(connection, raw, format)
    visit, returned, free = _visit(raw), _returned(raw), _free(raw)
    faults = (
        *_of_who_and_when(today),
        *_of_numbers(raw, values, visit),
        *_by_policy(policy, returned, free),
    )
    return Rows(raw, values, faults, visit, returned, free)


def _values(
    connection: duckdb.DuckDBPyConnection,
    raw: RawRelation,
    format: LogFormat,  # noqa: A002 - the user's word
) -> dict[str, Reading]:
    values = {
        "customer": customer_id(connection, raw),
        "t": wall_clock(connection, raw, format),
    }
    for role in (*_MEASURED, *_ASIDE, "profit"):
        if role in raw.names:
            values[role] = number(connection, raw, role)
    if "order" in raw.names:
        values["bill"] = Reading("CAST(raw_order AS VARCHAR)", plain=True)
    if "category" in raw.names:
        values["kind"] = Reading("CAST(raw_category AS VARCHAR)", plain=True)
    if "discount" in raw.names:
        values["promo"] = promo(connection, raw)
    return values


# --- conditions ----------------------------------------------------------------------------------


def _visit(raw: RawRelation) -> str:
    """Nothing bought, and minutes or contacts: no purchase was meant."""
    measured = [role for role in _MEASURED if role in raw.names]
    aside = [role for role in _ASIDE if role in raw.names]
    if not measured or not aside:
        return "FALSE"
    nothing = " AND ".join(f"coalesce({role}, 0) = 0" for role in measured)
    something = " OR ".join(f"coalesce({role}, 0) > 0" for role in aside)
    return f"({nothing} AND ({something}))"


def _returned(raw: RawRelation) -> str:
    below = [f"coalesce({role}, 0) < 0" for role in _MEASURED if role in raw.names]
    return f"({' OR '.join(below)})" if below else "FALSE"


def _free(raw: RawRelation) -> str:
    """Nothing paid, or no piece where no money is told."""
    measured = [role for role in _MEASURED if role in raw.names]
    if not measured:
        return "FALSE"
    return f"(coalesce({measured[0]}, 0) = 0 AND NOT {_returned(raw)} AND NOT {_visit(raw)})"


def _of_who_and_when(today: date) -> tuple[Fault, ...]:
    end = ((today - _EPOCH).days + 1) * DAY
    return (
        Fault(
            "no customer", "customer IS NULL", "customer", "without a customer", unreadable=False
        ),
        Fault("no time", "t IS NULL", "time", "without a time that can be read"),
        Fault("future", f"t >= {end}", "time", f"later than {today.isoformat()}, in the future"),
    )


def _of_numbers(raw: RawRelation, values: Mapping[str, Reading], visit: str) -> tuple[Fault, ...]:
    faults = []
    for role in ("amount", "items", *_ASIDE, "profit"):
        if role not in raw.names:
            continue
        odd = f"(raw_{role} IS NOT NULL AND ({role} IS NULL OR abs({role}) > {LIMIT:.0f}))"
        mark = f" with decimal mark {values[role].mark!r}" if values[role].mark else ""
        reason = f"without {role} that can be read as a number of at most 9e13{mark}"
        if role in _MEASURED:
            odd = f"({odd} OR ({role} IS NULL AND NOT {visit}))"
        elif role in _ASIDE:
            odd = f"({odd} OR coalesce({role}, 0) < 0)"
            reason = f"without {role} that can be read as a number from 0 to 9e13{mark}"
        faults.append(Fault(f"no {role}", odd, role, reason))
    if "discount" in raw.names:
        odd = "raw_discount IS NOT NULL AND promo IS NULL"
        reason = "of a discount that is neither yes nor no nor a number of at least 0"
        faults.append(Fault("no discount", odd, "discount", reason))
    return tuple(faults)


def _by_policy(policy: LogPolicy, returned: str, free: str) -> tuple[Fault, ...]:
    faults = []
    role = "amount" if "amount" in returned else "items"
    if policy.returns == "drop" and returned != "FALSE":
        reason = "below zero (policy.returns=drop)"
        faults.append(Fault("returns", returned, role, reason, unreadable=False))
    if policy.zero_amount == "drop" and free != "FALSE":
        reason = "of nothing (policy.zero_amount=drop)"
        faults.append(Fault("zero_amount", free, role, reason, unreadable=False))
    return tuple(faults)
