"""The beginning of the table in a text: below a line ``sep=;`` and below titles, if any."""

from __future__ import annotations

import csv
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from retain.customers.cells.numbers import truncate
from retain.customers.files.records import LINE_END
from retain.errors import RetainError

SEPARATORS = ",;\t|"
MAX_TITLE_LINES = 30
"""Lines above the header that are looked through."""
MAX_TITLE_CELLS = 2
"""Cells of a title, such as ``Period: May``; a wider line belongs to a table."""
MIN_MODAL_SHARE = 0.5
"""Smallest share of lines of the commonest width in a text that is a table."""
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;\t|]*\s*?(?:\r\n|\r|\n)', re.IGNORECASE)
MIN_EDGE_SHARE = 0.75
"""Smallest share of rows that end otherwise than the header, where all are meant to."""
FIRST_YEAR, LAST_YEAR = 1900, 2100
"""Years that may be names of columns."""
MIN_NUMBERS_SHARE = 0.8
"""Smallest share of numbers in a column whose first cell is a name, if a text."""
MAX_SAMPLE_CHARACTERS = 1 << 14
"""Characters of a text whose lines show how wide its table is."""
_NUMERIC = re.compile(r"\W{0,5}[0-9][0-9\W]{0,30}[kKmM]?\W{0,5}")


class HeaderError(RetainError):
    """The line of the header is uncertain; ``problem`` is the message without what to type."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"{problem}; {hint}")
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Layout:
    """The separator that the file names, and the line of the header, from 1.

    ``edge`` is what the header lacks (-1: has too much of) at its end, in separators.
    """

    separator: str | None = None
    header_line: int = 1
    edge: int = 0

    @property
    def is_plain(self) -> bool:
        """True if the text is a table from its first line."""
        return self == Layout()


def find_layout(path: Path, text: str, header_line: int | None = None) -> Layout:
    """Return the layout of a text, seen from its beginning.

    Raises
    ------
    RetainError
        Lines above the table may be titles or not.
    """
    separator, first = find_separator_line(text)
    lines = LINE_END.split(text[:MAX_SAMPLE_CHARACTERS])
    if header_line is not None:
        if type(header_line) is not int or not 1 <= header_line <= len(lines):
            expected = "expected the line of the column names, from 1"
            raise RetainError.at("data.header_line", f"it is {header_line}", expected)
        first = header_line - 1
    mark = separator or best_separator(lines[first:])
    if header_line is None and mark is not None:
        rows = [_cells(line, mark) for line in lines[first:]]
        first += find_header(path, rows, first + 1, _modal_width(lines[first:], mark)[1])
    return Layout(separator, first + 1, 0 if mark is None else _edge(lines[first:], mark))


def find_separator_line(text: str) -> tuple[str | None, int]:
    """Return the separator that a first line such as ``sep=;`` names, and the lines it takes."""
    named = _SEPARATOR_LINE.match(text)
    return (named.group(1), 1) if named else (None, 0)


def cut_to_table(text: str, layout: Layout, separator: str) -> str:
    """Return the text from its header on, whose end is made to fit the rows."""
    start = 0
    for _, line_end in zip(range(layout.header_line - 1), LINE_END.finditer(text), strict=False):
        start = line_end.end()
    text = text[start:]
    if layout.edge == 0:
        return text
    end = LINE_END.search(text)
    header, rest = (text, "") if end is None else (text[: end.start()], text[end.start() :])
    header = header + separator if layout.edge > 0 else header.removesuffix(separator)
    return header + rest


def best_separator(lines: Sequence[str]) -> str | None:
    """Return the separator by which most lines have the same number of cells, at least two."""
    found = {mark: _modal_width(lines, mark) for mark in SEPARATORS}
    mark = max(found, key=lambda one: found[one])
    return mark if found[mark][0] >= MIN_MODAL_SHARE else None


def _modal_width(lines: Sequence[str], mark: str) -> tuple[float, int]:
    """Return the share of lines of the commonest width above 1, and this width."""
    widths = Counter(map(len, _split(lines, mark)))
    width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
    return (count / widths.total(), width) if width > 1 else (0.0, 1)


def _rows(lines: Sequence[str], mark: str) -> list[list[str]]:
    """Return the stripped cells of lines, blank lines left out."""
    return [[cell.strip() for cell in row] for row in _split(lines, mark)]


def _split(lines: Sequence[str], mark: str) -> list[list[str]]:
    try:
        return list(csv.reader(filter(None, lines), delimiter=mark))
    except csv.Error:  # a field above the size limit
        return []


def find_header(path: Path, rows: Sequence[Sequence[str]], first_line: int, width: int) -> int:
    """Return the number of rows above the header of a table of so many columns.

    ``first_line`` is the line of the first row.

    Raises
    ------
    RetainError
        Rows above the table may be titles or not, or it has two rows of names.
    """
    index = _n_titles(path, rows, first_line, width)
    below = [row for row in rows[index + 1 :] if any(row)]
    if below and _lacks_names(rows[index], below):
        shown = truncate(", ".join(rows[index]))
        raise HeaderError(
            f"file {str(path)!r}: line {first_line + index}, {shown!r}, holds numbers as the rows "
            "below it, and no names of columns",
            "write a line of names above it, or type "
            f"data.header_line={first_line + index} if these are the names.",
        )
    names = [cell.casefold() for cell in rows[index]] if rows else []
    is_again = bool(below) and [cell.casefold() for cell in below[0]] == names
    if below and not is_again and _is_second_header(below[0], below[1:]):
        line = first_line + index
        shown = truncate(", ".join(filter(None, below[0])))
        raise HeaderError(
            f"file {str(path)!r}: line {line} has names, and the row below it, {shown!r}, may have "
            "others",
            f"name the line of the column names: data.header_line={line + 1}, or "
            f"data.header_line={line} if the row below is a customer.",
        )
    return index


def _n_titles(path: Path, rows: Sequence[Sequence[str]], first_line: int, width: int) -> int:
    head = rows[: MAX_TITLE_LINES + 1]
    header = next((n for n, row in enumerate(head) if _may_be_header(row, width)), None)
    full = next((n for n, row in enumerate(head) if sum(map(bool, row)) >= width), 0)
    if header is not None and full > header and _is_certain(head[full], rows[full + 1 :]):
        header = full  # those above may be titles of two cells
    titles = head[: header or 0]
    if not header or not any(map(any, titles)):
        return header or 0
    if any(sum(map(bool, row)) > min(MAX_TITLE_CELLS, width - 1) for row in titles):
        return 0  # rows of a table, if of the wrong width
    if _is_certain(head[header], rows[header + 1 :]):
        return header
    shown = truncate(", ".join(next(filter(any, titles))))
    raise HeaderError(
        f"file {str(path)!r}: the first lines may be titles ({shown!r}) above a table of {width} "
        "columns",
        f"name the line of the column names: data.header_line={header + first_line}, or "
        f"data.header_line={first_line} if it is the first.",
    )


def _lacks_names(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the columns of numbers, if several, have numbers for names, but no years."""
    if sum(map(bool, map(_NUMERIC.fullmatch, header))) < 2:
        return False
    numeric = _above_numbers(header, rows)
    if len(numeric) < 2 or not all(map(_NUMERIC.fullmatch, numeric)):
        return False
    whole = sorted(int(cell) for cell in numeric if cell.isdecimal() and len(cell) < 9)
    is_range = whole == list(range(whole[0], whole[0] + len(numeric))) if whole else False
    are_dates = len(whole) == len(numeric) and all(FIRST_YEAR <= one <= LAST_YEAR for one in whole)
    return not is_range and not are_dates


def _above_numbers(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the cells of a row that stand above numbers."""
    same = [row for row in rows if len(row) == len(header)]
    return [
        cell
        for cell, column in zip(header, zip(*same, strict=True), strict=False)
        if sum(bool(_NUMERIC.fullmatch(one)) for one in column) > MIN_NUMBERS_SHARE * len(same)
    ]


def _is_second_header(row: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a row has texts in all columns of numbers, of which there are several."""
    numeric = _above_numbers(row, rows)
    texts = [cell for cell in numeric if any(map(str.isalpha, cell)) and len(cell) > 1]
    is_named = not any(_NUMERIC.fullmatch(cell) for cell in numeric)
    return is_named and len(rows) > 1 and len(set(texts)) > 1 and len(texts) > len(numeric) / 2


def _cells(line: str, mark: str) -> list[str]:
    rows = _rows([line], mark)
    return rows[0] if rows else []


def _may_be_header(row: Sequence[str], width: int) -> bool:
    """Return whether a row is as wide as the table, and more than a title within its first cells.

    >>> _may_be_header(["Report", "", "", ""], 4), _may_be_header(["", "a", "b", ""], 4)
    (False, True)
    """
    named = sum(map(bool, row))
    return abs(len(row) - width) <= 1 and (named > MAX_TITLE_CELLS or 2 * named >= width)


def _is_certain(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a row holds names and some column below it holds numbers."""
    names = [cell for cell in header if cell]
    if len(set(names)) < len(names) or any(_NUMERIC.fullmatch(name) for name in names):
        return False
    same = [row[: len(header)] for row in rows if row and 0 <= len(row) - len(header) <= 1]
    return any(
        sum(bool(_NUMERIC.fullmatch(cell)) for cell in column) * 2 > len(same)
        for column in zip(*same, strict=True)
    )


def _edge(lines: Sequence[str], mark: str) -> int:
    """Return 1 if nearly every row ends with a separator that the header lacks; -1: vice versa."""
    rows = _rows(lines, mark)
    if len(rows) < 2:
        return 0
    header, body = rows[0], rows[1:-1] or rows[1:]  # the sample may end within a row
    longer = sum(len(row) == len(header) + 1 and not row[-1] for row in body)
    if longer >= MIN_EDGE_SHARE * len(body):
        return 1
    shorter = sum(len(row) == len(header) - 1 for row in body)
    lacking = len(header) > 1 and shorter >= MIN_EDGE_SHARE * len(body)
    return -1 if lacking and not header[-1] else 0


def log_layout(path: Path, layout: Layout, text: str) -> None:
    """Log what is above the table and at its edge."""
    log = logging.getLogger(__name__)
    if layout.separator is not None:
        log.info("%s: its first line names the separator %r", path.name, layout.separator)
    n_titles = layout.header_line - 1 - (layout.separator is not None)
    if n_titles > 0:
        lines = text[:MAX_SAMPLE_CHARACTERS].splitlines()[layout.header_line - 1 - n_titles :]
        shown = truncate(lines[0]) if lines else ""
        log.info(
            "%s: titles skipped, %r and on; line %d is the header",
            path.name,
            shown,
            layout.header_line,
        )
    if layout.edge:
        which = "rows end" if layout.edge > 0 else "header ends"
        log.info("%s: the %s with a separator too many, which is ignored", path.name, which)
