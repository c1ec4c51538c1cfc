"""Dictionary-encoded columns: distinct cells, and their codes by row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from retain.errors import RetainError
from retain.wording import describe_count


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """The separator of a file, and its columns of mostly distinct texts."""

    separator: str
    distinct: Collection[int] = ()


def read_fast(cut: CsvFormat, content: bytes) -> pa.Table | None:
    """Return all records of the content of a UTF-8 file, read by all cores.

    None if the file is invalid in any way: ``read_checked`` then raises the reason.
    """
    if b"\0" in content:
        return None
    read_options = csv.ReadOptions(autogenerate_column_names=True)
    parse_options = csv.ParseOptions(delimiter=cut.separator, newlines_in_values=True)
    buffer = pa.py_buffer(content)
    try:
        return _table(lambda: pa.BufferReader(buffer), cut, read_options, parse_options)
    except (pa.ArrowException, OSError):
        return None


def read_checked(
    path: Path, text: str, cut: CsvFormat, header_line: int = 1, hint: str = ""
) -> pa.Table:
    """Return all records of a text, header included; pandas would fill short rows silently.

    ``header_line`` is the line of its header in the file; ``hint`` says what else may be done.

    Raises
    ------
    RetainError
        Rows are of different length, or a quote is not closed; ``path`` is named.
    """
    data, ragged = pa.py_buffer(text.encode("utf-8")), list[tuple[int, int, int]]()

    def note(row: csv.InvalidRow) -> str:
        ragged.append((row.number or 0, row.actual_columns, row.expected_columns))
        return "skip"

    # without threads, so that invalid rows have numbers
    read_options = csv.ReadOptions(autogenerate_column_names=True, use_threads=False)
    parse_options = csv.ParseOptions(
        delimiter=cut.separator, newlines_in_values=True, invalid_row_handler=note
    )
    try:
        table = _table(lambda: pa.BufferReader(data), cut, read_options, parse_options)
    except pa.ArrowException as error:
        problem = f"file {str(path)!r} cannot be cut into cells: {str(error).splitlines()[0][:200]}"
        raise RetainError(f"{problem}; look for a quote that is not closed.{hint}") from None
    _check_ragged(path, cut.separator, list(dict.fromkeys(ragged)), header_line, hint)
    return table


def _table(
    open_file: Callable[[], pa.NativeFile],
    cut: CsvFormat,
    read_options: csv.ReadOptions,
    parse_options: csv.ParseOptions,
) -> pa.Table:
    with csv.open_csv(open_file(), read_options, parse_options) as start:
        names = start.schema.names
    repeated = pa.dictionary(pa.int32(), pa.string())
    kinds = {name: pa.string() if n in cut.distinct else repeated for n, name in enumerate(names)}
    convert_options = csv.ConvertOptions(column_types=kinds, strings_can_be_null=False)
    return csv.read_csv(open_file(), read_options, parse_options, convert_options)


ESCAPES = r'\n|\\[^"]*"'
"""In a cell, a line end, which may be that of a swallowed row, or a backslash before a quote."""
QUOTES = r'\n|"'


def any_cell(table: pa.Table, pattern: str) -> bool:
    """Return whether a pattern (RE2, no digits in it) matches some cell."""
    return any(
        pc.any(pc.match_substring_regex(one, pattern)).as_py()
        for column in table.columns
        for one in _texts(column)
    )


def _texts(column: pa.ChunkedArray) -> Iterator[pa.Array]:
    """Yield the texts of a column by chunk, without those of digits alone."""
    for one in column.chunks:
        texts = one.dictionary if pa.types.is_dictionary(one.type) else one
        if not pc.all(pc.ascii_is_decimal(texts)).as_py():
            yield texts


def _check_ragged(
    path: Path, separator: str, ragged: list[tuple[int, int, int]], header_line: int, hint: str
) -> None:
    if not ragged:
        return
    row, actual, expected = ragged[0]
    row += header_line - 1
    n_more = len(ragged) - 1
    more = f" (and {describe_count(n_more, 'more row')})" if n_more else ""
    problem = f"file {str(path)!r}, row {row}{more}: {actual} cells between {separator!r}"
    raise RetainError(f"{problem}; expected {expected}, as in the header.{hint}")


Places = NDArray[np.int32]

WIDE_SPACES = "\u00a0\u2007\u2009\u202f"


@dataclass(frozen=True, slots=True)
class DictionaryColumn:
    """A dictionary-encoded column.

    Attributes
    ----------
    distinct
        Distinct cells or their parsed values, each with at least one row.
    codes
        Index of each row's cell in ``distinct``, -1 where missing.
    """

    distinct: pd.Series
    codes: Places

    def with_distinct(self, made: pd.Series) -> DictionaryColumn:
        """Return the column with ``made`` in place of the distinct cells.

        >>> column = to_dictionary(pd.Series(["b", None, "a", "b"]))
        >>> column.with_distinct(column.distinct.str.upper()).cells().tolist()
        ['B', nan, 'A', 'B']
        """
        return replace(self, distinct=made)

    def without(self, mask: NDArray[np.bool_]) -> DictionaryColumn:
        """Return the column with the masked distinct cells missing.

        >>> column = to_dictionary(pd.Series(["b", "?", "b"]))
        >>> column.without(np.array([False, True])).codes.tolist()
        [0, -1, 0]
        """
        mapped = np.append(np.where(mask, -1, np.cumsum(~mask) - 1), -1).astype(np.int32)
        return DictionaryColumn(self.distinct[~mask].reset_index(drop=True), mapped[self.codes])

    def cells(self) -> pd.Series:
        """Return the column row by row."""
        return pd.Series(self.distinct.array.take(self.codes, allow_fill=True))

    def counts(self) -> NDArray[np.int64]:
        """Return the number of rows of each distinct cell."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.distinct))

    def missing(self) -> NDArray[np.bool_]:
        """Return a mask of the rows without a cell or without a parsed value."""
        nothing = self.distinct.isna().to_numpy()
        return (self.codes < 0) | (nothing[self.codes] if nothing.any() else False)


def to_dictionary(cells: pd.Series | DictionaryColumn) -> DictionaryColumn:
    """Return the texts dictionary-encoded; a ``DictionaryColumn`` unchanged."""
    if isinstance(cells, DictionaryColumn):
        return cells
    texts = pa.array(cells.astype("str").array, from_pandas=True)
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.unify_dictionaries().combine_chunks()
    encoded = texts.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy().astype(np.int32)
    return DictionaryColumn(encoded.dictionary.to_pandas().astype("str"), codes)


def from_arrow(cells: pa.ChunkedArray) -> DictionaryColumn:
    """Return the column of these dictionary-encoded texts, blanks missing.

    >>> texts = pa.chunked_array([pa.array([" b", "", "a", "b"])]).dictionary_encode()
    >>> from_arrow(texts).cells().tolist()
    ['b', nan, 'a', 'b']
    """
    encoded = strip_whitespace(cells)
    indices = encoded.indices.to_numpy()
    texts = encoded.dictionary.to_pandas().astype("str")
    unused = np.bincount(indices, minlength=len(texts)) == 0
    mapped, values = pd.factorize(texts.mask(unused))
    return DictionaryColumn(pd.Series(values, dtype="str"), mapped.astype(np.int32)[indices])


def strip_whitespace(cells: pa.ChunkedArray) -> pa.DictionaryArray:
    """Return texts with ordinary spaces and none around them, missing where empty."""
    encoded = cells.dictionary_encode().unify_dictionaries().combine_chunks()
    return pa.DictionaryArray.from_arrays(encoded.indices, _strip_texts(encoded.dictionary))


INVISIBLE = r"[^\P{Cf}\x{200c}\x{200d}]"
"""Characters that cannot be seen, such as U+200B and U+FEFF, but not those that join letters."""
_EXCEL_TEXT = r'^=(?:"([^"]*)"|([-+]?[0-9][0-9.,]*))$'
"""A cell as spreadsheets export it to keep its zeros: ``="01016"``."""


_MAX_COMBINED_BYTES = 2**24
"""Bytes of a column below which it is copied to have one chunk, of which wide files have many."""


def _strip_texts(text: pa.Array) -> pa.Array:
    if pc.any(pc.starts_with(text, "=")).as_py():
        text = pc.replace_substring_regex(text, _EXCEL_TEXT, r"\1\2")
    if pc.all(pc.string_is_ascii(text)).as_py():
        text = pc.ascii_trim_whitespace(text)
    else:
        for space in WIDE_SPACES:  # ten times as fast as a regular expression
            if pc.any(pc.match_substring(text, space)).as_py():
                text = pc.replace_substring(text, space, " ")
        if pc.any(pc.match_substring_regex(text, INVISIBLE)).as_py():
            text = pc.replace_substring_regex(text, INVISIBLE, "")
        text = pc.utf8_trim_whitespace(text)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def tidy(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the result of ``strip_whitespace`` row by row."""
    if pc.all(pc.ascii_is_decimal(cells)).as_py():
        return cells  # ids: as many texts as rows, and no blanks
    if cells.num_chunks > 1 and cells.nbytes < _MAX_COMBINED_BYTES:
        cells = pa.chunked_array([cells.combine_chunks()])
    return pa.chunked_array([_strip_texts(chunk) for chunk in cells.chunks], type=pa.string())
