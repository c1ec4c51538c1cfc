"""Cells that differ only in their digits, as patterns with ``0`` in place of each digit.

A column of numbers has few patterns, so whatever holds for all cells of a pattern is found once,
and the digits of its cells stand at the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from retain.customers.cells.number_marks import LIKE_NUMBER
from retain.customers.cells.number_shapes import CellShape, parse_shape

CORE = "[0-9](?:[0-9., ']*[0-9])?"
"""Digits and marks of a number."""
AROUND = "^[^0-9]+|[^0-9]+$"
"""Characters around digits and marks."""
INVISIBLE = "[\u200b\u200e\u200f\u061c\u2066-\u2069]+"
"""Marks of direction, which do not count."""
WIDE_SPACES = "\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000"
MAX_SHAPE_CHARACTERS = 24
"""Longest text around the digits of a number."""
MAX_EXACT_DIGITS = 15
"""Digits up to which a number, divided by a power of ten, is the float that the text stands for."""
_DIGIT_TO_ZERO = np.arange(256, dtype=np.uint8)
_DIGIT_TO_ZERO[ord("1") : ord("9") + 1] = ord("0")


@dataclass(frozen=True)
class CellPattern:
    """Cells that differ only in their digits: ``text`` has a 0 for each digit."""

    text: str
    plain: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "plain", clean_text(self.text))

    @cached_property
    def shape_text(self) -> str:
        """The cells with ``#`` in place of the number."""
        return re.sub(CORE, "#", self.plain)

    @cached_property
    def shape(self) -> CellShape | None:
        """The shape around the digits; None if the cells are no numbers in any format."""
        if "#" in self.plain or len(self.shape_text) > MAX_SHAPE_CHARACTERS:
            return None
        shape = parse_shape(self.shape_text)
        if shape is None or shape.has_exponent or re.match(LIKE_NUMBER, shape.lead + self._digits):
            return shape
        return None

    @property
    def _digits(self) -> str:
        return re.sub(AROUND, "", self.plain)

    @property
    def core(self) -> str:
        """The digits and marks; with an exponent the whole cell."""
        if self.shape is not None and self.shape.has_exponent:
            return self.plain.replace("\u2212", "-")
        return (self.shape.lead if self.shape is not None else "") + self._digits

    def places(self) -> list[int]:
        """Return the indices of the bytes that are digits."""
        return [n for n, byte in enumerate(self.text.encode()) if byte == ord("0")]


def clean_text(text: str) -> str:
    """Return a text with ordinary spaces and apostrophes, and without marks of direction.

    >>> clean_text("1\u202f234’5 ")
    "1 234'5"
    """
    text = re.sub(INVISIBLE, "", text).replace("’", "'")
    return re.sub(f"[{WIDE_SPACES}]", " ", text).strip()


def find_patterns(texts: pa.Array) -> tuple[list[str], NDArray[np.int32]]:
    """Return the patterns of texts, none of which is missing, and the pattern of each.

    >>> patterns, codes = find_patterns(pa.array(["$1.5", "$2.7", "x"]))
    >>> patterns, codes.tolist()
    (['$0.0', 'x'], [0, 0, 1])
    """
    if isinstance(texts, pa.ChunkedArray):  # of a file that Arrow read in several blocks
        texts = texts.combine_chunks()
    if texts.offset:
        texts = pa.concat_arrays([texts])
    _, offsets, data = texts.buffers()
    replaced = _DIGIT_TO_ZERO[np.frombuffer(data or b"", dtype=np.uint8)]
    array = pa.StringArray.from_buffers(len(texts), offsets, pa.py_buffer(replaced.tobytes()))
    encoded = array.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int32)


def digits_of(texts: pa.Array, pattern: CellPattern) -> NDArray[np.int64]:
    """Return the digits of texts of one pattern, a row of them for each text.

    >>> array = pa.array(["$1.5", "$2.7"])
    >>> digits_of(array, CellPattern("$0.0")).tolist()
    [[1, 5], [2, 7]]
    """
    length = len(pattern.text.encode())
    contiguous = pa.concat_arrays([texts])  # the buffers of a slice hold the whole
    _, offsets, data = contiguous.buffers()
    start = int(np.frombuffer(offsets, dtype=np.int32)[contiguous.offset])
    text = np.frombuffer(data, dtype=np.uint8)[start : start + len(texts) * length]
    table = text.reshape(len(texts), length)[:, pattern.places()]
    return table.astype(np.int64) - ord("0")
