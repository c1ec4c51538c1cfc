"""Columns of cells that repeat: each different cell once, and which of them stands in which row."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from retain.errors import RetainError


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """The separator of a file, and its columns of mostly distinct texts."""

    separator: str
    distinct: Collection[int] = ()


def read_fast(path: Path, cut: CsvFormat) -> pa.Table | None:
    """All records of a UTF-8 file, the header among them, by as many threads as there are cores.

    None where anything is wrong with the file: ``read_checked`` then tells what.
    """
    how = csv.ReadOptions(autogenerate_column_names=True)
    cut_at = csv.ParseOptions(delimiter=cut.separator, newlines_in_values=True)
    try:
        table = _table(lambda: pa.OSFile(str(path)), cut, how, cut_at)
    except (pa.ArrowException, OSError):
        return None
    return None if any(map(_has_nul, table.columns)) else table


def read_checked(path: Path, text: str, cut: CsvFormat) -> pa.Table:
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
    _check_ragged(path, cut.separator, list(dict.fromkeys(ragged)))
    return table


def _table(
    opened: Callable[[], pa.NativeFile],
    cut: CsvFormat,
    how: csv.ReadOptions,
    cut_at: csv.ParseOptions,
) -> pa.Table:
    with csv.open_csv(opened(), how, cut_at) as start:
        names = start.schema.names
    often = pa.dictionary(pa.int32(), pa.string())
    kinds = {name: pa.string() if n in cut.distinct else often for n, name in enumerate(names)}
    as_text = csv.ConvertOptions(column_types=kinds, strings_can_be_null=False)
    return csv.read_csv(opened(), how, cut_at, as_text)


def _has_nul(column: pa.ChunkedArray) -> bool:
    """Return whether some cell holds a zero byte, which no text does."""
    texts = [one.dictionary if pa.types.is_dictionary(one.type) else one for one in column.chunks]
    return any(
        pc.any(pc.match_substring(one, "\0")).as_py()
        for one in texts
        if not pc.all(pc.ascii_is_decimal(one)).as_py()
    )


def _check_ragged(path: Path, separator: str, ragged: list[tuple[int, int, int]]) -> None:
    if not ragged:
        return
    row, actual, expected = ragged[0]
    more = f" (and {len(ragged) - 1} more rows)" if len(ragged) > 1 else ""
    found = f"file {str(path)!r}, row {row}{more}: {actual} cells between {separator!r}"
    raise RetainError(f"{found}; expected {expected}, as in the header.")


Places = NDArray[np.int32]

_WIDE_SPACE = "[\u00a0\u2007\u2009\u202f]"


@dataclass(frozen=True, slots=True)
class DictionaryColumn:
    """A column.

    Attributes
    ----------
    distinct
        The different cells, or what was made of them, none of them without a row.
    codes
        For each row the place of its cell among ``distinct``, -1 where it has none.
    """

    distinct: pd.Series
    codes: Places

    def with_distinct(self, made: pd.Series) -> DictionaryColumn:
        """Return the column with something made of each different cell.

        >>> column = to_dictionary(pd.Series(["b", None, "a", "b"]))
        >>> column.with_distinct(column.distinct.str.upper()).cells().tolist()
        ['B', nan, 'A', 'B']
        """
        return replace(self, distinct=made)

    def cells(self) -> pd.Series:
        """Return the column row by row, missing where a row has no cell."""
        return pd.Series(self.distinct.array.take(self.codes, allow_fill=True))

    def counts(self) -> NDArray[np.int64]:
        """Return the number of rows of each of the different cells."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.distinct))

    def missing(self) -> NDArray[np.bool_]:
        """Return a mask of the rows without a cell or without a parsed value."""
        nothing = self.distinct.isna().to_numpy()
        return (self.codes < 0) | (nothing[self.codes] if nothing.any() else False)


def to_dictionary(cells: pd.Series | DictionaryColumn) -> DictionaryColumn:
    """Return the column of these texts; one that is a ``DictionaryColumn`` already as it is."""
    if isinstance(cells, DictionaryColumn):
        return cells
    places, values = pd.factorize(cells.astype("str"))
    return DictionaryColumn(pd.Series(values, dtype="str"), places.astype(np.int32))


def from_arrow(cells: pa.ChunkedArray) -> DictionaryColumn:
    """Return the column of these dictionary-encoded texts, blanks missing.

    >>> texts = pa.chunked_array([pa.array([" b", "", "a", "b"])]).dictionary_encode()
    >>> from_arrow(texts).cells().tolist()
    ['b', nan, 'a', 'b']
    """
    encoded = strip_whitespace(cells)
    places = encoded.indices.to_numpy()
    texts = encoded.dictionary.to_pandas().astype("str")
    unused = np.bincount(places, minlength=len(texts)) == 0
    mapped, values = pd.factorize(texts.mask(unused))
    return DictionaryColumn(pd.Series(values, dtype="str"), mapped.astype(np.int32)[places])


def strip_whitespace(cells: pa.ChunkedArray) -> pa.DictionaryArray:
    """Texts without surrounding blanks, every space an ordinary one, missing where empty."""
    encoded = cells.dictionary_encode().unify_dictionaries().combine_chunks()
    text = pc.replace_substring_regex(encoded.dictionary, _WIDE_SPACE, " ")
    text = pc.utf8_trim_whitespace(text)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    return pa.DictionaryArray.from_arrays(encoded.indices, text)


def tidy(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the same row by row, each different text mended once."""
    if pc.all(pc.ascii_is_decimal(cells)).as_py():
        return cells  # numbers of customers: as many texts as rows, and nothing to mend
    encoded = strip_whitespace(cells)
    return pa.chunked_array([encoded.dictionary.take(encoded.indices)])
