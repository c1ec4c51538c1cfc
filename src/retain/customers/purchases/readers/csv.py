"""CSV files of a log, read by DuckDB into ``retain_raw`` with all cells as text."""

from __future__ import annotations

import csv
import glob
import io
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from retain.customers.files.containers import detect_kind, unpack
from retain.customers.files.dialect import Dialect, detect_dialect
from retain.customers.files.encoding import decode, read_content
from retain.customers.files.layout import MAX_TITLE_LINES, SEPARATORS, find_separator_line
from retain.customers.purchases.parsing.column_request import ColumnRequest, check_same_columns
from retain.customers.purchases.parsing.raw_columns import (
    RAW_TABLE,
    RawRelation,
    fetch_role_types,
    select_list,
)
from retain.customers.purchases.parsing.sql_names import BLANKS, quote_identifier, quote_literal
from retain.customers.purchases.readers.location import LogLocation
from retain.errors import RetainError
from retain.storage.reading import open_regular
from retain.wording import describe_count

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


SPACE_SEPARATED = " "
"""Separator of a file whose columns are separated by any number of spaces and tabs."""

_HEAD_BYTES = 1 << 20  # from which encoding, separator and header are detected
_ENCODING_KEY = "data.format.encoding"
_UTF8 = ("utf-8", "utf-8-sig")


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file, its format, and the path of its UTF-8 version.

    ``n_skipped`` are the lines above the header: titles, and a line such as ``sep=;``.
    """

    path: Path
    dialect: Dialect
    column_names: tuple[str, ...]
    has_header: bool
    utf8_path: Path
    n_skipped: int = 0

    @property
    def name(self) -> str:
        """The file as messages name it."""
        return f"file {str(self.path)!r}"


def load(
    connection: Connection,
    location: LogLocation,
    request: ColumnRequest,
    names: tuple[str, ...] | None,
    encoding: str | None = None,
) -> RawRelation:
    """Load the rows of all files, whose columns may be in different orders.

    ``names`` are the columns of files without a header, ``encoding`` is that which the user names.
    """
    with tempfile.TemporaryDirectory() as folder:
        temp_dir = Path(folder)
        plain = (
            _unpacked(path, temp_dir / f"unpacked-{n}") for n, path in enumerate(location.files)
        )
        found = (sniff_csv(path, names, encoding, request) for path in plain)
        files = [replace(file, path=path) for file, path in zip(found, location.files, strict=True)]
        first = files[0]
        hint = ""
        if names is None:
            hint = " Name the columns of a file without a header with data.format.columns."
        for file in files:
            request.check_columns(file.name, file.column_names, hint)
            check_same_columns(first.name, first.column_names, file.name, file.column_names)
        roles = request.assign_roles(first.column_names)
        # messages name rows, which no other order of reading may move
        connection.execute("SET preserve_insertion_order = true")
        first = _create_table(connection, files, roles, temp_dir)[0]
        connection.execute("SET preserve_insertion_order = false")
    skipped = f", {describe_count(first.n_skipped, 'line')} above the table skipped"
    return RawRelation(
        name=location.name,
        dialect=f"{first.dialect}{skipped if first.n_skipped else ''}",
        column_names=roles,
        types=fetch_role_types(connection),
        is_stored=True,
        decimal_mark=first.dialect.decimal,
        n_header_lines=first.n_skipped + first.has_header if len(files) == 1 else None,
    )


def _unpacked(path: Path, copy: Path) -> Path:
    """Return the path of a plain file: its own, or that of an unpacked copy."""
    kind = detect_kind(path)
    if kind not in ("gzip", "bzip2", "zip"):
        return path
    copy.mkdir()
    plain = copy / path.name  # messages about it name the log's file
    plain.write_bytes(unpack(path, kind, read_content(path))[1])
    return plain


def sniff_csv(
    path: Path,
    names: tuple[str, ...] | None,
    named: str | None = None,
    request: ColumnRequest | None = None,
) -> CsvFile:
    """Return a file with its detected format.

    ``names`` are its columns without a header, ``named`` is its encoding in the user's words,
    ``request`` are columns by which a header below titles is known.

    Raises
    ------
    RetainError
        The file is missing, empty or not text, or the number of columns differs from ``names``.
    """
    encoding, text = _read_head(path, named)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    separator, n_skipped = find_separator_line(text)
    if names is None:
        n_skipped = _find_header(text, separator, request, n_skipped)
    text = "\n".join(text.split("\n")[n_skipped:])
    dialect = detect_dialect(encoding, text, separator)
    first = _first_row(path, text, dialect.separator)
    words = text.lstrip("\n").split("\n", 1)[0].split()
    if names is not None and len(names) > 1 and len(first) != len(names) == len(words):
        dialect = replace(dialect, separator=SPACE_SEPARATED, decimal=".")
        first = words
    cells = tuple(cell.strip(BLANKS) for cell in first)
    if names is None:
        header = tuple(cell or f"column {n}" for n, cell in enumerate(cells, start=1))
        return CsvFile(path, dialect, header, True, path, n_skipped)
    if len(cells) != len(names):
        found = f"file {str(path)!r} has {len(cells)} columns, and data.format.columns {len(names)}"
        raise RetainError(f"{found}; expected a name for each column.")
    return CsvFile(path, dialect, names, cells == names, path, n_skipped)


def _find_header(text: str, marks: str | None, request: ColumnRequest | None, first: int) -> int:
    """Return the number of lines above the first line with all columns of a request."""
    lines = text.split("\n", MAX_TITLE_LINES + 1)[first : MAX_TITLE_LINES + 1]
    for n, line in enumerate(lines):
        for mark in marks or SEPARATORS:
            try:
                cells = next(csv.reader([line], delimiter=mark), [])
            except csv.Error:  # a cell above the size limit
                continue
            if request and not request.list_missing([cell.strip(BLANKS) for cell in cells]):
                return first + n
    return first


def _first_row(path: Path, text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text), delimiter=separator), [])
    except csv.Error:
        found = f"a cell of more than {csv.field_size_limit():,} characters"
        expected = "expected a row of names or values; close the quote, if one is open"
        raise RetainError.at(f"file {str(path)!r}, line 1", found, expected) from None


def _read_head(path: Path, named: str | None) -> tuple[str, str]:
    """Return encoding and text of the first whole lines."""
    with open_regular(path) as stream:
        data = stream.read(_HEAD_BYTES)
    if len(data) < _HEAD_BYTES:
        return decode(path, data, named, _ENCODING_KEY)
    is_utf16 = b"\0" in data[:64]  # a cut after a newline byte would split a character
    return decode(
        path, data if is_utf16 else data[: data.rfind(b"\n") + 1] or data, named, _ENCODING_KEY
    )


# --- encodings -----------------------------------------------------------------------------------


def to_utf8(file: CsvFile, copy: Path) -> CsvFile:
    """Write a copy in UTF-8 with uniform line ends."""
    dialect = file.dialect
    try:
        _write_utf8(file.utf8_path, dialect.encoding, copy)
    except UnicodeError:  # the first lines did not show the encoding
        encoding, _ = decode(file.path, read_content(file.utf8_path))
        dialect = replace(dialect, encoding=encoding)
        _write_utf8(file.utf8_path, encoding, copy)
    return replace(file, dialect=dialect, utf8_path=copy)


def _write_utf8(path: Path, encoding: str, copy: Path) -> None:
    with open_regular(path) as raw, copy.open("w", encoding="utf-8", newline="") as target:
        source = io.TextIOWrapper(raw, encoding=encoding)
        while text := source.read(_HEAD_BYTES):
            target.write(text)


# --- cells ---------------------------------------------------------------------------------------

_NO_SEPARATOR = "\x1f"


def _create_table(
    connection: Connection, files: list[CsvFile], roles: Mapping[str, str], temp_dir: Path
) -> list[CsvFile]:
    """Create the table, and return the files as they were read."""
    import duckdb

    read = [
        file if file.dialect.encoding in _UTF8 else to_utf8(file, temp_dir / str(n))
        for n, file in enumerate(files)
    ]
    try:
        connection.execute(_create_table_sql(read, roles))
    except duckdb.InvalidInputException:  # another encoding, or mixed line ends
        read = [to_utf8(file, temp_dir / f"again-{n}") for n, file in enumerate(files)]
        try:
            connection.execute(_create_table_sql(read, roles))
        except duckdb.InvalidInputException as error:
            raise _parse_error(files, str(error)) from None
    return read


def _create_table_sql(files: list[CsvFile], roles: Mapping[str, str]) -> str:
    selects = (_select_sql(group, roles) for group in _group_by_format(files))
    return f"CREATE TABLE {RAW_TABLE} AS {' UNION ALL '.join(selects)}"


def _group_by_format(files: list[CsvFile]) -> Iterable[list[CsvFile]]:
    """Return files of the same format together, so that one reader reads thousands of them."""
    groups: dict[tuple[object, ...], list[CsvFile]] = {}
    for file in files:
        key = (file.dialect.separator, file.column_names, file.has_header, file.n_skipped)
        groups.setdefault(key, []).append(file)
    return groups.values()


def _select_sql(files: list[CsvFile], roles: Mapping[str, str]) -> str:
    types = dict.fromkeys(sorted(files[0].column_names), "VARCHAR")
    return f"SELECT {select_list(roles, types)} FROM ({_read_csv_sql(files)})"  # noqa: S608 - quoted


def _read_csv_sql(files: list[CsvFile]) -> str:
    first = files[0]
    by_spaces = first.dialect.separator == SPACE_SEPARATED
    names = ("line",) if by_spaces else first.column_names
    columns = ", ".join(f"{quote_literal(name)}: 'VARCHAR'" for name in names)
    paths = ", ".join(quote_literal(glob.escape(str(file.utf8_path))) for file in files)
    separator = _NO_SEPARATOR if by_spaces else first.dialect.separator
    quote = "''" if by_spaces else "'\"'"
    reader = (
        f"read_csv([{paths}], auto_detect=false, columns={{{columns}}}, "
        f"delim={quote_literal(separator)}, quote={quote}, escape={quote}, "
        f"header={str(first.has_header).lower()}, hive_partitioning=false, compression='none'"
        f"{f', skip={first.n_skipped}' if first.n_skipped else ''})"
    )
    if by_spaces:
        return _split_at_spaces_sql(reader, first.column_names)
    return f"SELECT * FROM {reader}"  # noqa: S608 - quoted


def _split_at_spaces_sql(reader: str, names: tuple[str, ...]) -> str:
    """Return lines split at spaces; a line with another number of cells stops the query."""
    line = "trim(line, ' \t')"
    split = f"SELECT string_split_regex({line}, '[ \t]+') AS cells, line FROM {reader}"  # noqa: S608
    count = f"'\nExpected Number of Columns: {len(names)} Found: ' || len(cells)"
    error = f"error('CSV Error on Line: ' || left(line, 60) || {count})"
    checked = f"CASE WHEN len(cells) = {len(names)} THEN cells ELSE {error} END AS cells"
    rows = f"SELECT {checked} FROM ({split} WHERE {line} <> '')"  # noqa: S608 - quoted
    cells = (f"cells[{n}] AS {quote_identifier(name)}" for n, name in enumerate(names, start=1))
    return f"SELECT {', '.join(cells)} FROM ({rows})"  # noqa: S608


def _parse_error(files: list[CsvFile], message: str) -> RetainError:
    """Return DuckDB's error, or that of ``_split_at_spaces_sql``, as a message for the user."""
    line = message.partition("on Line: ")[2].partition("\n")[0]
    name = files[0].name if len(files) == 1 else "one of the files"
    counts = message.partition("Expected Number of Columns: ")[2].partition("\n")[0]
    if not counts:
        found = f"{name} cannot be cut into cells at line {line}"
        return RetainError(f"{found}; look for a quote that is not closed.")
    expected, _, n_cells = counts.partition(" Found: ")
    position = f"line {line}" if line.isdecimal() else f"line {line!r}"
    header = "header" if files[0].has_header else "names of data.format.columns"
    return RetainError(
        f"{name}, {position}: {n_cells} cells; expected {expected}, as in the {header}."
    )
