"""Names of relations and columns as SQL writes them."""

from __future__ import annotations

BLANK = " \t\r\n\u00a0\u2007\u2009\u202f"
"""Characters that are no part of a cell where they stand around it."""

PLAIN = "[!-~]([ -~]*[!-~])?"
"""Texts that trimming leaves as they are."""


def identifier(name: str) -> str:
    """``name`` as a quoted identifier.

    >>> print(identifier('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    r"""Return ``text`` as a string literal; DuckDB knows no escapes but the doubled quote.

    A NUL would end the statement, so it is written as a call.

    >>> literal("it's"), literal("a\0b")
    ("'it''s'", "('a' || chr(0) || 'b')")
    """
    parts = ["'" + part.replace("'", "''") + "'" for part in text.split("\0")]
    return parts[0] if len(parts) == 1 else f"({' || chr(0) || '.join(parts)})"


def trim_sql(expression: str) -> str:
    """The text of an expression without blanks around it, NULL where nothing is left.

    Most cells are plain, and to see that takes a fifth of the time of trimming.

    >>> trim_sql("x").partition(" THEN ")[0]
    "CASE WHEN regexp_full_match(x, '[!-~]([ -~]*[!-~])?')"
    """
    trim = f"nullif(trim({expression}, {literal(BLANK)}), '')"
    plain = f"regexp_full_match({expression}, {literal(PLAIN)})"
    return f"CASE WHEN {plain} THEN {expression} ELSE {trim} END"
