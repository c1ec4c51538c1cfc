"""Ids that stand for no customer in particular: guests, and purchases without an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.raw_columns import RAW_TABLE, RawRelation
from retain.customers.purchases.parsing.rows import parse_id_column
from retain.customers.purchases.parsing.sql_names import quote_literal
from retain.errors import RetainError, type_value

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

MAX_SHARE = 0.05
"""Share of the rows above which an id may be that of all guests."""
MIN_RATIO = 20
"""Rows of such an id by those of a customer on average, at least."""
GUEST_WORDS = (
    *("unknown", "guest", "guests", "anonymous", "anonym", "anon", "n/a", "na", "-", "?"),
    *("no customer", "walk-in", "walkin", "cash", "гость", "неизвестно", "unbekannt", "gast"),
)
"""Ids in lower case that say themselves that nobody is known."""
_GUEST_NUMBERS = (0, -1, 99_999, 999_999, 9_999_999, 99_999_999)
_N_BUCKETS = 256


def check_guests(connection: Connection, raw: RawRelation, n_rows: int) -> None:
    """Raise if an id may stand for many customers.

    That is a word such as ``guest``, an id with more than 5 % of the rows and 20 × those of a
    customer on average, or a number such as 0 with 20 × those.

    Raises
    ------
    RetainError
        There is such an id; the message says how to leave it out or keep it.
    """
    customer = parse_id_column(connection, raw).sql
    counts = _count_suspects(connection, customer, n_rows)
    if not counts:
        return
    listed = ", ".join(f"{name!r} with {n} of {n_rows} rows" for name, n in counts.items())
    found = f"{listed} may stand for guests, not for a customer"
    exclude = type_value("data.exclude", list(counts))
    raise RetainError(
        f"{raw.describe_column('customer')}: {found}; expected ids of customers. To leave such "
        f"rows out: {exclude}, else data.exclude=[]"
    )


def _count_suspects(connection: Connection, customer: str, n_rows: int) -> dict[str, int]:
    """Return the number of rows of each suspicious id, most rows first.

    The ids are first counted in a few buckets, as a count of every id takes ten times as long.
    """
    ids = f"SELECT {customer} AS id FROM {RAW_TABLE}"  # noqa: S608
    row = connection.execute(f"SELECT typeof(id) FROM ({ids}) LIMIT 1").fetchone()  # noqa: S608
    is_number = row is not None and row[0] == "BIGINT"
    words = ", ".join(map(quote_literal, (*GUEST_WORDS, *map(str, _GUEST_NUMBERS))))
    numbers = ", ".join(map(str, _GUEST_NUMBERS))
    is_named = f"id IN ({numbers})" if is_number else f"lower(CAST(id AS VARCHAR)) IN ({words})"
    bucket = f"CAST(hash(id) % {_N_BUCKETS} AS UTINYINT)"
    buckets = connection.execute(
        f"SELECT {bucket}, count(*), count_if({is_named}) FROM ({ids}) "  # noqa: S608
        "WHERE id IS NOT NULL GROUP BY 1"
    ).fetchall()
    large = [str(number) for number, count, _ in buckets if count > MAX_SHARE * n_rows]
    if not large and not any(named for _, _, named in buckets):
        return {}
    in_large = f"{bucket} IN ({', '.join(large)})" if large else "FALSE"
    suspects = connection.execute(
        f"SELECT CAST(id AS VARCHAR), count(*) FROM ({ids}) WHERE {in_large} OR {is_named} "  # noqa: S608
        "GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    total = connection.execute(f"SELECT count(id), count(DISTINCT id) FROM ({ids})").fetchone()  # noqa: S608
    n_ids, n_different = total or (0, 1)
    many = MIN_RATIO * n_ids / n_different
    return {
        str(name): int(count)
        for name, count in suspects
        if str(name).lower() in GUEST_WORDS
        or (count > many and (count > MAX_SHARE * n_rows or _is_guest_number(str(name))))
    }


def _is_guest_number(name: str) -> bool:
    return name.lstrip("-").isdecimal() and int(name) in _GUEST_NUMBERS
