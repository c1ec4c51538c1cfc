"""CSV files of a log into ``retain_raw``, all cells as text, cut by DuckDB's reader.

May import: errors and customers.purchases.origin, quoted, raw, sheets.
"""

from __future__ import annotations

import glob
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from retain.customers.purchases.origin import Origin
from retain.customers.purchases.quoted import identifier, literal
from retain.customers.purchases.raw import RAW, Raw, check_columns, check_same, picked, role_types
from retain.customers.purchases.sheets import (
    SPACES,
    Sheet,
    readable,
    rewritten,
    sheet_of,
)
from retain.errors import RetainError

if TYPE_CHECKING:
    import duckdb

_NO_SEPARATOR = "\x1f"


def load(
    connection: duckdb.DuckDBPyConnection,
    origin: Origin,
    roles: Mapping[str, str],
    names: tuple[str, ...] | None,
) -> Raw:
    """The rows of all files; the same columns may stand in another order in another file."""
    sheets = [sheet_of(path, names) for path in origin.files]
    hint = "" if names else " A file without a heading is named by data.log.names."
    for sheet in sheets:
        check_columns(sheet.told, sheet.names, roles, hint)
        check_same(sheets[0].told, sheets[0].names, sheet.told, sheet.names)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        ready = [readable(sheet, scratch / str(n)) for n, sheet in enumerate(sheets)]
        _store(connection, ready, roles, scratch)
    first = sheets[0]
    header = int(first.heading) if len(sheets) == 1 else None
    types = role_types(connection)
    return Raw(
        origin.told, str(first.dialect), roles, types, stored=True,
        decimal=first.dialect.decimal, header=header,
    )  # fmt: skip


# --- cells ---------------------------------------------------------------------------------------


def _store(
    connection: duckdb.DuckDBPyConnection,
    sheets: list[Sheet],
    roles: Mapping[str, str],
    scratch: Path,
) -> None:
    import duckdb

    try:
        connection.execute(_stored(sheets, roles))
    except duckdb.InvalidInputException:  # another encoding, or several ends of lines
        mended = [rewritten(s, scratch / f"again-{n}") for n, s in enumerate(sheets)]
        try:
            connection.execute(_stored(mended, roles))
        except duckdb.InvalidInputException as error:
            raise _uncut(sheets, str(error)) from None


def _stored(sheets: list[Sheet], roles: Mapping[str, str]) -> str:
    parts = (_selected(group, roles) for group in _groups(sheets))
    return f"CREATE TABLE {RAW} AS {' UNION ALL '.join(parts)}"


def _groups(sheets: list[Sheet]) -> Iterator[list[Sheet]]:
    """Files that are cut alike, so that thousands of them are one reader."""
    found: dict[tuple[object, ...], list[Sheet]] = {}
    for sheet in sheets:
        found.setdefault((sheet.dialect.separator, sheet.names, sheet.heading), []).append(sheet)
    yield from found.values()


def _selected(sheets: list[Sheet], roles: Mapping[str, str]) -> str:
    first = sheets[0]
    types = dict.fromkeys(sorted(first.names), "VARCHAR")
    return f"SELECT {picked(roles, types)} FROM ({_cells(sheets)})"  # noqa: S608 - quoted


def _cells(sheets: list[Sheet]) -> str:
    first = sheets[0]
    spaced = first.dialect.separator == SPACES
    names = ("line",) if spaced else first.names
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    files = ", ".join(literal(glob.escape(str(sheet.readable))) for sheet in sheets)
    mark = _NO_SEPARATOR if spaced else first.dialect.separator
    quote = "''" if spaced else "'\"'"
    reader = (
        f"read_csv([{files}], auto_detect=false, columns={{{columns}}}, delim={literal(mark)}, "
        f"quote={quote}, escape={quote}, header={str(first.heading).lower()}, "
        "hive_partitioning=false, compression='none')"
    )
    if not spaced:
        return f"SELECT * FROM {reader}"  # noqa: S608 - quoted
    return _split(reader, first.names)


def _split(reader: str, names: tuple[str, ...]) -> str:
    """Lines cut at blanks; one of another number of cells stops the query."""
    line = "trim(line, ' \t')"
    cut = f"SELECT string_split_regex({line}, '[ \t]+') AS cells, line FROM {reader}"  # noqa: S608
    count = f"'\nExpected Number of Columns: {len(names)} Found: ' || len(cells)"
    wrong = f"error('CSV Error on Line: ' || left(line, 60) || {count})"
    checked = f"CASE WHEN len(cells) = {len(names)} THEN cells ELSE {wrong} END AS cells"
    rows = f"SELECT {checked} FROM ({cut} WHERE {line} <> '')"  # noqa: S608 - quoted
    columns = ", ".join(
        f"cells[{n}] AS {identifier(name)}" for n, name in enumerate(names, start=1)
    )
    return f"SELECT {columns} FROM ({rows})"  # noqa: S608


def _uncut(sheets: list[Sheet], why: str) -> RetainError:
    line = why.partition("on Line: ")[2].partition("\n")[0]
    told = sheets[0].told if len(sheets) == 1 else "one of the files"
    cells = why.partition("Expected Number of Columns: ")[2].partition("\n")[0]
    if cells:
        expected, _, found = cells.partition(" Found: ")
        at = f"line {line}" if line.isdecimal() else f"line {line!r}"
        wanted = "header" if sheets[0].heading else "names of data.log.names"
        return RetainError(f"{told}, {at}: {found} cells; expected {expected}, as in the {wanted}.")
    found = f"{told} cannot be cut into cells at line {line}"
    return RetainError(f"{found}; look for a quote that is not closed.")
