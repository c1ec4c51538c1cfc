"""CSV files of a log into ``retain_raw``, all cells as text, cut by DuckDB's reader."""

from __future__ import annotations

import csv
import glob
import io
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from retain.customers.files.dialect import Dialect, dialect_of
from retain.customers.files.encoding import content, decode
from retain.customers.purchases.parsing.raw_columns import (
    RAW,
    RawRelation,
    check_columns,
    check_same,
    role_types,
    select_list,
)
from retain.customers.purchases.parsing.sql_names import BLANK, identifier, literal
from retain.customers.purchases.readers.location import LogLocation
from retain.errors import RetainError
from retain.storage.reading import open_regular

if TYPE_CHECKING:
    import duckdb


SPACES = " "
"""The separator of a file whose columns are set apart by blanks."""

_HEAD = 1 << 20  # bytes looked at for encoding, separator and heading
_UTF8 = ("utf-8", "utf-8-sig")


@dataclass(frozen=True, slots=True)
class CsvFile:
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


def sheet_of(path: Path, names: tuple[str, ...] | None) -> CsvFile:
    """How a file is cut; ``names`` are its columns where it has no heading.

    Raises
    ------
    RetainError
        The file is missing, empty or no text, or has not as many columns as names.
    """
    encoding, text = _head(path)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    dialect = dialect_of(encoding, text)
    first = next(csv.reader(io.StringIO(text), delimiter=dialect.separator), [])
    spaced = text.lstrip("\n").split("\n", 1)[0].split()
    if names is not None and len(names) > 1 and len(first) != len(names) == len(spaced):
        dialect = replace(dialect, separator=SPACES, decimal=".")
        first = spaced
    cells = tuple(cell.strip(BLANK) for cell in first)
    if names is None:
        there = tuple(cell or f"column {n}" for n, cell in enumerate(cells, start=1))
        return CsvFile(path, dialect, there, heading=True, readable=path)
    if len(cells) != len(names):
        found = f"file {str(path)!r} has {len(cells)} columns, and data.format.columns {len(names)}"
        raise RetainError(f"{found}; expected a name for each column.")
    return CsvFile(path, dialect, names, heading=cells == names, readable=path)


def _head(path: Path) -> tuple[str, str]:
    """Encoding and text of the first whole lines."""
    with open_regular(path) as opened:
        data = opened.read(_HEAD)
    if len(data) < _HEAD:
        return decode(path, data)
    wide = b"\0" in data[:64]  # UTF-16, which a cut after one byte would split
    return decode(path, data if wide else data[: data.rfind(b"\n") + 1] or data)


# --- encodings ---------------------------------------------------------------------------------


def readable(sheet: CsvFile, copy: Path) -> CsvFile:
    """The sheet in UTF-8, as DuckDB reads it: the file itself where it is that already."""
    return sheet if sheet.dialect.encoding in _UTF8 else rewritten(sheet, copy)


def rewritten(sheet: CsvFile, copy: Path) -> CsvFile:
    """A copy in UTF-8 whose lines all end alike."""
    try:
        _copied(sheet.path, sheet.dialect.encoding, copy)
    except UnicodeError:
        encoding, _ = decode(sheet.path, content(sheet.path))
        _copied(sheet.path, encoding, copy)
    return replace(sheet, readable=copy)


def _copied(path: Path, encoding: str, copy: Path) -> None:
    with open_regular(path) as raw, copy.open("w", encoding="utf-8", newline="") as to:
        source = io.TextIOWrapper(raw, encoding=encoding)
        while text := source.read(_HEAD):
            to.write(text)


_NO_SEPARATOR = "\x1f"


def load(
    connection: duckdb.DuckDBPyConnection,
    origin: LogLocation,
    roles: Mapping[str, str],
    names: tuple[str, ...] | None,
) -> RawRelation:
    """The rows of all files; the same columns may stand in another order in another file."""
    sheets = [sheet_of(path, names) for path in origin.files]
    hint = "" if names else " A file without a heading is named by data.format.columns."
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
    return RawRelation(
        origin.told, str(first.dialect), roles, types, stored=True,
        decimal=first.dialect.decimal, header=header,
    )  # fmt: skip


# --- cells ---------------------------------------------------------------------------------------


def _store(
    connection: duckdb.DuckDBPyConnection,
    sheets: list[CsvFile],
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


def _stored(sheets: list[CsvFile], roles: Mapping[str, str]) -> str:
    parts = (_selected(group, roles) for group in _groups(sheets))
    return f"CREATE TABLE {RAW} AS {' UNION ALL '.join(parts)}"


def _groups(sheets: list[CsvFile]) -> Iterator[list[CsvFile]]:
    """Files that are cut alike, so that thousands of them are one reader."""
    found: dict[tuple[object, ...], list[CsvFile]] = {}
    for sheet in sheets:
        found.setdefault((sheet.dialect.separator, sheet.names, sheet.heading), []).append(sheet)
    yield from found.values()


def _selected(sheets: list[CsvFile], roles: Mapping[str, str]) -> str:
    first = sheets[0]
    types = dict.fromkeys(sorted(first.names), "VARCHAR")
    return f"SELECT {select_list(roles, types)} FROM ({_cells(sheets)})"  # noqa: S608 - quoted


def _cells(sheets: list[CsvFile]) -> str:
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


def _uncut(sheets: list[CsvFile], why: str) -> RetainError:
    line = why.partition("on Line: ")[2].partition("\n")[0]
    told = sheets[0].told if len(sheets) == 1 else "one of the files"
    cells = why.partition("Expected Number of Columns: ")[2].partition("\n")[0]
    if cells:
        expected, _, found = cells.partition(" Found: ")
        at = f"line {line}" if line.isdecimal() else f"line {line!r}"
        wanted = "header" if sheets[0].heading else "names of data.format.columns"
        return RetainError(f"{told}, {at}: {found} cells; expected {expected}, as in the {wanted}.")
    found = f"{told} cannot be cut into cells at line {line}"
    return RetainError(f"{found}; look for a quote that is not closed.")
