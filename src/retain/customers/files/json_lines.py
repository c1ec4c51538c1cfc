"""JSON lines as an Arrow table: an object per line, its keys are the columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import json

from retain.errors import RetainError
from retain.storage.reading import decode

JSON_LINES_SUFFIXES = (".jsonl", ".ndjson", ".json")
MAX_LINE_BYTES = 1 << 24
"""Longest line."""
MAX_DEPTH = 64
"""Brackets within brackets, those in texts included, above which a file is not read."""


def read_json_lines(path: Path, data: bytes) -> pa.Table:
    """Return the table of the content of a file.

    Raises
    ------
    RetainError
        A line is no object, or a key has values of different types.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    decode(data, f"file {str(path)!r}")  # Arrow does not look at the text of names
    if _depth(data) > MAX_DEPTH:  # Arrow's reader recurses, and a customer has plain values
        found = f"file {str(path)!r} has values within values"
        raise RetainError(f"{found}; expected one object per line, of plain values.")
    options = json.ReadOptions(block_size=max(MAX_LINE_BYTES, 1))
    try:
        return json.read_json(pa.BufferReader(data), read_options=options)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0][:200]
        problem = f"file {str(path)!r} cannot be read as JSON lines: {reason}"
        raise RetainError(f"{problem}; expected one object per line, of plain values.") from None


def _depth(data: bytes) -> int:
    r"""Return how deep brackets lie within each other in any line, at most.

    >>> _depth(b'{"a": [1, [2]]}\n{"b": 3}')
    3
    """
    codes = np.frombuffer(data, dtype=np.uint8)
    codes = codes[np.isin(codes, list(b"[]{}\n"))]
    steps = np.isin(codes, list(b"[{")).astype(np.int64) - np.isin(codes, list(b"]}"))
    level = np.cumsum(steps)
    is_end = codes == ord("\n")
    start = np.maximum.accumulate(np.where(is_end, np.arange(1, len(codes) + 1), 0))
    before = np.concatenate([[0], level])[start]
    return int((level - before).max(initial=0))
