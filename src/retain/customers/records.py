"""The records of a text file, cut into cells by Arrow.

May import: errors and customers.repeated. Nothing here knows what a column means. Texts come back
dictionary-encoded, but for the columns somebody knows to hold a different text in every row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from retain.errors import RetainError


@dataclass(frozen=True, slots=True)
class Cut:
    """How a file is cut: at which separator, and which columns hardly repeat a text."""

    separator: str
    distinct: Collection[int] = ()


def fast(path: Path, cut: Cut) -> pa.Table | None:
    """All records of a UTF-8 file, the header among them, by as many threads as there are cores.

    None where anything is wrong with the file: ``careful`` then tells what.
    """
    how = csv.ReadOptions(autogenerate_column_names=True)
    cut_at = csv.ParseOptions(delimiter=cut.separator, newlines_in_values=True)
    try:
        table = _table(lambda: pa.OSFile(str(path)), cut, how, cut_at)
    except (pa.ArrowException, OSError):
        return None
    return None if any(map(_holds_nul, table.columns)) else table


def careful(path: Path, text: str, cut: Cut) -> pa.Table:
    """All records of a text, the header among them. pandas would fill short rows up in silence.

    Raises
    ------
    RetainError
        Rows are of different length, or a quote is not closed; ``path`` is named.
    """
    data, ragged = pa.py_buffer(text.encode("utf-8")), list[tuple[int, int, int]]()

    def note(row: csv.InvalidRow) -> str:
        ragged.append((row.number or 0, row.actual_columns, row.expected_columns))
        return "skip"

    how = csv.ReadOptions(autogenerate_column_names=True, use_threads=False)  # rows have numbers
    cut_at = csv.ParseOptions(
        delimiter=cut.separator, newlines_in_values=True, invalid_row_handler=note
    )
    try:
        table = _table(lambda: pa.BufferReader(data), cut, how, cut_at)
    except pa.ArrowException as error:
        found = f"file {str(path)!r} cannot be cut into cells: {str(error).splitlines()[0][:200]}"
        raise RetainError(f"{found}; look for a quote that is not closed.") from None
    _refuse_ragged(path, cut.separator, list(dict.fromkeys(ragged)))
    return table


def _table(
    opened: Callable[[], pa.NativeFile], cut: Cut, how: csv.ReadOptions, cut_at: csv.ParseOptions
) -> pa.Table:
    with csv.open_csv(opened(), how, cut_at) as start:
        names = start.schema.names
    often = pa.dictionary(pa.int32(), pa.string())
    kinds = {name: pa.string() if n in cut.distinct else often for n, name in enumerate(names)}
    as_text = csv.ConvertOptions(column_types=kinds, strings_can_be_null=False)
    return csv.read_csv(opened(), how, cut_at, as_text)


def _holds_nul(column: pa.ChunkedArray) -> bool:
    """Whether some cell holds a zero byte, which no text does."""
    texts = [one.dictionary if pa.types.is_dictionary(one.type) else one for one in column.chunks]
    return any(
        pc.any(pc.match_substring(one, "\0")).as_py()
        for one in texts
        if not pc.all(pc.ascii_is_decimal(one)).as_py()
    )


def _refuse_ragged(path: Path, separator: str, ragged: list[tuple[int, int, int]]) -> None:
    if not ragged:
        return
    row, actual, expected = ragged[0]
    more = f" (and {len(ragged) - 1} more rows)" if len(ragged) > 1 else ""
    found = f"file {str(path)!r}, row {row}{more}: {actual} cells between {separator!r}"
    raise RetainError(f"{found}; expected {expected}, as in the header.")
