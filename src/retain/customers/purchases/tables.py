"""The table of a database that a user means.

May import: errors.
"""

from __future__ import annotations

from collections.abc import Sequence

from retain.errors import RetainError, did_you_mean, examples


def chosen(
    told: str, table: str | None, there: Sequence[tuple[str, str]], usual: str
) -> tuple[str, str]:
    """Schema and name of the table: ``NAME`` of the ``usual`` schema, or ``SCHEMA.NAME``.

    Raises
    ------
    RetainError
        There is no such table, or none is named and there are several.

    Examples
    --------
    >>> chosen("file 'a.db'", None, [("main", "log")], "main")
    ('main', 'log')
    >>> chosen("file 'a.db'", "shop.log", [("shop", "log"), ("main", "log")], "main")
    ('shop', 'log')
    """
    names = {
        name if schema == usual else f"{schema}.{name}": (schema, name) for schema, name in there
    }
    if table is None and len(names) == 1:
        return next(iter(names.values()))
    listed = examples(sorted(names), limit=20)
    if table is None:
        found = f"{told} has the tables {listed}" if names else f"{told} has no tables"
        raise RetainError(f"{found}; name the log with data.table=TABLE.")
    if table.removeprefix(f"{usual}.") in names:
        return names[table.removeprefix(f"{usual}.")]
    found = f"{told} has no table {table!r}; it has {listed or 'none'}"
    raise RetainError(f"{found}.{did_you_mean(table, names)}")
