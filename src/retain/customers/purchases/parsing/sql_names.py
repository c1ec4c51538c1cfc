"""Identifiers, literals and trimmed text in SQL."""

from __future__ import annotations

BLANKS = " \t\r\n\u00a0\u2007\u2009\u202f"
"""Characters that are trimmed from both ends of a cell."""

PLAIN_TEXT = "[!-~]([ -~]*[!-~])?"
"""Pattern of texts that trimming does not change."""


def quote_identifier(name: str) -> str:
    """Return ``name`` as a quoted identifier.

    >>> print(quote_identifier('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    r"""Return ``text`` as a string literal; DuckDB has no escape but the doubled quote.

    A NUL would end the statement, so it is written as a call.

    >>> quote_literal("it's"), quote_literal("a\0b")
    ("'it''s'", "('a' || chr(0) || 'b')")
    """
    parts = ["'" + part.replace("'", "''") + "'" for part in text.split("\0")]
    return parts[0] if len(parts) == 1 else f"({' || chr(0) || '.join(parts)})"


def trim_sql(expression: str) -> str:
    """Return an expression without the blanks around it, NULL if nothing is left.

    Most cells need no trimming, and testing that takes a fifth of the time of trimming.

    >>> trim_sql("x").partition(" THEN ")[0]
    "CASE WHEN regexp_full_match(x, '[!-~]([ -~]*[!-~])?')"
    """
    trim = f"nullif(trim({expression}, {quote_literal(BLANKS)}), '')"
    plain = f"regexp_full_match({expression}, {quote_literal(PLAIN_TEXT)})"
    return f"CASE WHEN {plain} THEN {expression} ELSE {trim} END"
