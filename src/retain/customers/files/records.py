"""Records of a text that may be damaged: the sound ones, and the bad lines with their reasons.

A quote that is never closed swallows the lines below it. Here every line that cannot begin a sound
record is bad on its own, and reading goes on with the next one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from retain.wording import describe_count

MAX_RECORD_LINES = 200
"""Lines of one record: a text cell rarely has more."""
MIN_SEPARATORS = 2
"""Separators of a line that set it apart from a line of text."""
DAMAGED = "\N{REPLACEMENT CHARACTER}"
_ESCAPED = re.compile(r'(?<!\\)\\"')
LINE_END = re.compile("\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that belongs to no sound record."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Records:
    """The sound records of a text, header first, with the line each begins on; and bad lines."""

    texts: list[str]
    lines: list[int]
    bad: list[BadLine]


def split_records(text: str, separator: str, first_line: int = 1) -> Records:
    r"""Return the records of a text; the header, its first one, says how many cells each has.

    >>> found = split_records('id,a\n1,"x\ny"\n2,3,4\n5,"6\n7,8\n', ",")
    >>> found.texts, found.lines
    (['id,a', '1,"x\ny"', '7,8'], [1, 2, 6])
    >>> [(bad.line, bad.reason) for bad in found.bad]
    [(4, '3 cells, the header has 2'), (5, 'a quote is not closed')]
    """
    found, width = Records([], [], []), 0
    for line, record, unsound in _iter_records(LINE_END.split(text), separator):
        cells = 0 if unsound else count_cells(record, separator)
        problem = unsound or _find_problem(record, cells, width)
        if problem:
            found.bad.append(BadLine(first_line + line, record, problem))
            continue
        width = width or cells
        found.texts.append(record)
        found.lines.append(first_line + line)
    return found


def _find_problem(record: str, cells: int, width: int) -> str:
    """Return the problem of a record of so many cells; ``width`` is 0 for the header."""
    if width and cells != width:
        return f"{describe_count(cells, 'cell')}, the header has {width}"
    return "characters are damaged" if DAMAGED in record else ""


def count_cells(record: str, separator: str) -> int:
    """Return the number of cells of a sound record."""
    if '"' not in record:
        return record.count(separator) + 1
    return len(_cells(record, separator))


def unescape_quotes(text: str, separator: str) -> str:
    r"""Return a text whose quotes are doubled, where a backslash stands before them.

    A backslash at the end of a cell, as in a Windows path, is not an escape.

    >>> print(unescape_quotes(r'1,"say \"so\" twice"', ","))
    1,"say ""so"" twice"
    """
    if '\\"' not in text:
        return text
    inside = rf'(?<!\\)\\"(?!{re.escape(separator)}|\r|\n|"|\Z)'
    return _ESCAPED.sub('""', text) if re.search(inside, text) else text


def _iter_records(lines: list[str], separator: str) -> Iterator[tuple[int, str, str]]:
    """Yield the index of the first line, the text and the problem of each record but blank ones."""
    index = 0
    while index < len(lines):
        line, size, problem = lines[index], 1, ""
        if '"' in line:
            size, problem = _quoted_record(lines, index, separator)
            line = "\n".join(lines[index : index + size])
        if line:
            yield index, line, problem
        index += size


def _quoted_record(lines: list[str], index: int, separator: str) -> tuple[int, str]:
    """Return the number of lines of the record that begins here, and the problem of one line."""
    quotes, width = 0, lines[index].count(separator)
    for size, line in enumerate(lines[index : index + MAX_RECORD_LINES], start=1):
        quotes += line.count('"')
        if quotes % 2 == 0:
            part = lines[index : index + size]
            if _has_swallowed(part, separator, width) or not _is_sound("\n".join(part), separator):
                return 1, "a quote is not closed" if size > 1 else "quotes do not enclose a cell"
            return size, ""
    return 1, "a quote is not closed"


def _has_swallowed(part: list[str], separator: str, width: int) -> bool:
    """Return whether lines within one cell look like rows, which lines of a text rarely do."""
    if len(part) == 1 or width < MIN_SEPARATORS:
        return False
    if all(line.count(separator) == width for line in part):
        return True
    return any(
        _is_sound(line, separator) and len(_cells(line, separator)) == width + 1
        for line in part[1:]
    )


def _is_sound(record: str, separator: str) -> bool:
    try:
        cells = _cells(record, separator)
    except (csv.Error, StopIteration):
        return False
    # an even number of quotes, but none around the cell: abc"def"
    again = (cell.count('"') * 2 + 2 * (cell != "") for cell in cells if '"' in cell)
    return sum(again) <= record.count('"')


def _cells(record: str, separator: str) -> list[str]:
    """Return the cells of a record; raise ``csv.Error`` if it is none, or more than one."""
    reader = csv.reader(io.StringIO(record, newline=""), delimiter=separator, strict=True)
    cells = next(reader)
    if next(reader, None) is not None:
        raise csv.Error("more than one record")
    return cells
