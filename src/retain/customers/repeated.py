"""Columns of cells that repeat: each different cell once, and which of them stands in which row.

May import: nothing of the package. A million cells are seldom more than some thousand different
texts, so what has to be known of texts is worked out for those.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Places = NDArray[np.int32]

_WIDE_SPACE = "[\u00a0\u2007\u2009\u202f]"


@dataclass(frozen=True, slots=True)
class Repeated:
    """A column.

    Attributes
    ----------
    distinct
        The different cells, or what was made of them, none of them without a row.
    places
        For each row the place of its cell among ``distinct``, -1 where it has none.
    """

    distinct: pd.Series
    places: Places

    def of_distinct(self, made: pd.Series) -> Repeated:
        """The column with something made of each different cell.

        >>> column = repeated(pd.Series(["b", None, "a", "b"]))
        >>> column.of_distinct(column.distinct.str.upper()).cells().tolist()
        ['B', nan, 'A', 'B']
        """
        return replace(self, distinct=made)

    def cells(self) -> pd.Series:
        """The column row by row, missing where a row has no cell."""
        return pd.Series(self.distinct.array.take(self.places, allow_fill=True))

    def counts(self) -> NDArray[np.int64]:
        """The number of rows of each of the different cells."""
        return np.bincount(self.places[self.places >= 0], minlength=len(self.distinct))

    def missing(self) -> NDArray[np.bool_]:
        """Which rows have no cell, or one of which nothing was made."""
        nothing = self.distinct.isna().to_numpy()
        return (self.places < 0) | (nothing[self.places] if nothing.any() else False)


def repeated(cells: pd.Series | Repeated) -> Repeated:
    """The column of these texts; one that is a ``Repeated`` already as it is."""
    if isinstance(cells, Repeated):
        return cells
    places, values = pd.factorize(cells.astype("str"))
    return Repeated(pd.Series(values, dtype="str"), places.astype(np.int32))


def from_arrow(cells: pa.ChunkedArray) -> Repeated:
    """The column of these dictionary-encoded texts, blanks missing.

    >>> texts = pa.chunked_array([pa.array([" b", "", "a", "b"])]).dictionary_encode()
    >>> from_arrow(texts).cells().tolist()
    ['b', nan, 'a', 'b']
    """
    encoded = tidied(cells)
    places = encoded.indices.to_numpy()
    texts = encoded.dictionary.to_pandas().astype("str")
    unused = np.bincount(places, minlength=len(texts)) == 0
    mapped, values = pd.factorize(texts.mask(unused))
    return Repeated(pd.Series(values, dtype="str"), mapped.astype(np.int32)[places])


def tidied(cells: pa.ChunkedArray) -> pa.DictionaryArray:
    """Texts without surrounding blanks, every space an ordinary one, missing where empty."""
    encoded = cells.dictionary_encode().unify_dictionaries().combine_chunks()
    text = pc.replace_substring_regex(encoded.dictionary, _WIDE_SPACE, " ")
    text = pc.utf8_trim_whitespace(text)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    return pa.DictionaryArray.from_arrays(encoded.indices, text)


def tidy(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same row by row, each different text mended once."""
    if pc.all(pc.ascii_is_decimal(cells)).as_py():
        return cells  # numbers of customers: as many texts as rows, and nothing to mend
    encoded = tidied(cells)
    return pa.chunked_array([encoded.dictionary.take(encoded.indices)])
