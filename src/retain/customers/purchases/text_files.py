"""CSV files of a log into ``retain_raw``, all cells as text, cut by DuckDB's reader.

May import: errors, schema and customers.dialect, encoding, purchases.origin, quoted, raw.
"""

from __future__ import annotations

import csv
import glob
import io
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from retain.customers.dialect import Dialect, dialect_of
from retain.customers.encoding import decoded
from retain.customers.purchases.origin import Origin
from retain.customers.purchases.quoted import BLANK, literal
from retain.customers.purchases.raw import RAW, Raw, check_columns, picked, role_types
from retain.customers.source_file import content
from retain.errors import RetainError

if TYPE_CHECKING:
    import duckdb

_HEAD = 1 << 20  # bytes looked at for encoding, separator and heading
_SPACES = " "  # separator of files whose columns are set apart by blanks
_NO_SEPARATOR = "\x1f"
_UTF8 = ("utf-8", "utf-8-sig")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file and how it is cut: ``names`` of its columns, and whether a heading tells them."""

    path: Path
    dialect: Dialect
    names: tuple[str, ...]
    heading: bool
    readable: Path

    @property
    def told(self) -> str:
        """The file as messages name it."""
        return f"file {str(self.path)!r}"


def load(
    connection: duckdb.DuckDBPyConnection,
    origin: Origin,
    roles: Mapping[str, str],
    names: tuple[str, ...] | None,
) -> Raw:
    """The rows of all files; the same columns may stand in another order in another file."""
    sheets = [_sheet(path, names) for path in origin.files]
    hint = "" if names else " A file without a heading is named by data.log.names."
    for sheet in sheets:
        check_columns(sheet.told, sheet.names, roles, hint)
        _check_same(sheets[0], sheet)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        ready = [_readable(sheet, scratch / str(n)) for n, sheet in enumerate(sheets)]
        _store(connection, ready, roles, scratch)
    first = sheets[0]
    header = int(first.heading) if len(sheets) == 1 else None
    types = role_types(connection)
    return Raw(
        origin.told, str(first.dialect), roles, types, stored=True,
        decimal=first.dialect.decimal, header=header,
    )  # fmt: skip


def _sheet(path: Path, names: tuple[str, ...] | None) -> Sheet:
    encoding, text = _head(path)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    dialect = dialect_of(encoding, text)
    first = next(csv.reader(io.StringIO(text), delimiter=dialect.separator), [])
    spaced = text.lstrip("\n").split("\n", 1)[0].split()
    if names is not None and len(names) > 1 and len(first) != len(names) == len(spaced):
        dialect = replace(dialect, separator=_SPACES, decimal=".")
        first = spaced
    cells = tuple(cell.strip(BLANK) for cell in first)
    if names is None:
        there = tuple(cell or f"column {n}" for n, cell in enumerate(cells, start=1))
        return Sheet(path, dialect, there, heading=True, readable=path)
    if len(cells) != len(names):
        found = f"file {str(path)!r} has {len(cells)} columns, and data.log.names {len(names)}"
        raise RetainError(f"{found}; expected a name for each column.")
    return Sheet(path, dialect, names, heading=cells == names, readable=path)


def _head(path: Path) -> tuple[str, str]:
    """Encoding and text of the first whole lines."""
    with path.open("rb") as opened:
        data = opened.read(_HEAD)
    if len(data) < _HEAD:
        return decoded(path, data)
    encoding, text = decoded(path, data[: data.rfind(b"\n") + 1] or data)
    return encoding, text


def _check_same(first: Sheet, sheet: Sheet) -> None:
    more = [name for name in sheet.names if name not in first.names]
    less = [name for name in first.names if name not in sheet.names]
    if more or less:
        which = f"has column {more[0]!r}" if more else f"has no column {less[0]!r}"
        found = f"{sheet.told} {which}, unlike {first.told}"
        raise RetainError(f"{found}; expected the same columns in all files of a log.")


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
    except duckdb.Error:  # a cell in another encoding, or lines that end in several ways
        mended = [_rewritten(s, scratch / f"again-{n}") for n, s in enumerate(sheets)]
        try:
            connection.execute(_stored(mended, roles))
        except duckdb.Error as error:
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
    spaced = first.dialect.separator == _SPACES
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
    lines = f"SELECT string_split_regex(trim(line), '\\s+') AS cells FROM {reader} WHERE trim(line) <> ''"  # noqa: E501, S608
    wrong = f"error('CSV Error on Line: 0, Expected Number of Columns: {len(names)} Found: ' || len(cells))"  # noqa: E501
    checked = f"SELECT CASE WHEN len(cells) = {len(names)} THEN cells ELSE {wrong} END AS cells FROM ({lines})"  # noqa: E501, S608
    columns = ", ".join(
        f'cells[{n}] AS "{name.replace(chr(34), chr(34) * 2)}"'
        for n, name in enumerate(names, start=1)
    )
    return f"SELECT {columns} FROM ({checked})"  # noqa: S608


def _uncut(sheets: list[Sheet], why: str) -> RetainError:
    line = why.partition("on Line: ")[2].partition("\n")[0].partition(",")[0]
    told = sheets[0].told if len(sheets) == 1 else "one of the files"
    cells = why.partition("Expected Number of Columns: ")[2].partition("\n")[0]
    if cells:
        expected, _, found = cells.partition(" Found: ")
        at = f", line {line}" if line != "0" else ""
        return RetainError(f"{told}{at}: {found} cells; expected {expected}, as in the header.")
    found = f"{told} cannot be cut into cells at line {line}"
    return RetainError(f"{found}; look for a quote that is not closed.")


# --- encodings -----------------------------------------------------------------------------------


def _readable(sheet: Sheet, copy: Path) -> Sheet:
    """The sheet in UTF-8, as DuckDB reads it: the file itself where it is that already."""
    return sheet if sheet.dialect.encoding in _UTF8 else _rewritten(sheet, copy)


def _rewritten(sheet: Sheet, copy: Path) -> Sheet:
    """A copy in UTF-8 whose lines all end alike."""
    try:
        _copied(sheet.path, sheet.dialect.encoding, copy)
    except UnicodeError:
        encoding, _ = decoded(sheet.path, content(sheet.path))
        _copied(sheet.path, encoding, copy)
    return replace(sheet, readable=copy)


def _copied(path: Path, encoding: str, copy: Path) -> None:
    with path.open(encoding=encoding) as source, copy.open("w", encoding="utf-8", newline="") as to:
        while text := source.read(_HEAD):
            to.write(text)
