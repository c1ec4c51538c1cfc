"""The URL of a database, and what it may say: it is recorded with the config, for all to read.

May import: errors.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from retain.errors import RetainError

_EXPECTED = "expected postgresql://USER@HOST:PORT/DATABASE"


def check_url(url: str) -> str:
    """The database as messages name it, such as ``database 'shop' at 'db.local'``.

    >>> check_url("postgresql://ann@db.local/shop?sslmode=require")
    "database 'shop' at 'db.local'"

    Raises
    ------
    RetainError
        The URL holds a password or an option other than ``sslmode``, or names no host or database.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise RetainError.at("data.path", "it is no URL", _EXPECTED) from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.password is not None or "password" in options:
        found = "data.path holds a password, and configs are recorded"
        raise RetainError(f"{found}; leave it out and set PGPASSWORD, or write it in ~/.pgpass.")
    if others := sorted(set(options) - {"sslmode"}):
        raise RetainError.at(
            "data.path", f"it has the option {others[0]!r}", "expected only sslmode"
        )
    database = parts.path.removeprefix("/")
    if not host or not database or "/" in database:
        raise RetainError.at("data.path", "it names no host or no database", _EXPECTED)
    return f"database {database!r} at {host!r}"


def without_password(url: str) -> str:
    """Return a URL without the password in it and without its options, which may hold another.

    >>> without_password("postgresql://ann:secret@db.local/shop?password=secret")
    'postgresql://ann@db.local/shop'
    """
    scheme, mark, rest = url.partition("://")
    place = rest.partition("?")[0].partition("#")[0]
    who, at, where = place.rpartition("@")
    return f"{scheme}{mark}{who.partition(':')[0]}{at}{where}"
