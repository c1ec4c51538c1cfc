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
MAX_SAMPLE_CHARACTERS = 1 << 14
"""Characters of a text whose lines show how wide its table is."""
_NUMERIC = re.compile(r"\W{0,5}[0-9][0-9\W]{0,30}[kKmM]?\W{0,5}")


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
    named = _SEPARATOR_LINE.match(text)
    separator = named.group(1) if named else None
    lines = LINE_END.split(text[:MAX_SAMPLE_CHARACTERS])
    first = 1 if named else 0
    if header_line is not None:
        if type(header_line) is not int or not 1 <= header_line <= len(lines):
            expected = "expected the line of the column names, from 1"
            raise RetainError.at("data.header_line", f"it is {header_line}", expected)
        first = header_line - 1
    mark = separator or best_separator(lines[first:])
    if header_line is None and mark is not None:
        first += _n_titles(path, lines[first:], mark)
    return Layout(separator, first + 1, 0 if mark is None else _edge(lines[first:], mark))


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
    widths = Counter(len(cells) for cells in _rows(lines, mark))
    width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
    return (count / widths.total(), width) if width > 1 else (0.0, 1)


def _rows(lines: Sequence[str], mark: str) -> list[list[str]]:
    """Return the stripped cells of lines, blank lines left out."""
    try:
        rows = list(csv.reader(filter(None, lines), delimiter=mark))
    except csv.Error:  # a field above the size limit
        return []
    return [[cell.strip() for cell in row] for row in rows]


def _n_titles(path: Path, lines: Sequence[str], mark: str) -> int:
    """Return the number of lines above the header."""
    width = _modal_width(lines, mark)[1]
    head = [_cells(line, mark) for line in lines[: MAX_TITLE_LINES + 1]]
    header = next((n for n, row in enumerate(head) if _may_be_header(row, width)), None)
    titles = head[: header or 0]
    if not header or all(not row for row in titles):
        return header or 0
    if any(sum(map(bool, row)) > min(MAX_TITLE_CELLS, width - 1) for row in titles):
        return 0  # rows of a table, if of the wrong width
    if _is_certain(head[header], _rows(lines[header + 1 :], mark)):
        return header
    shown = truncate(next(line for line in lines if line.strip()))
    raise RetainError(
        f"file {str(path)!r}: the first lines may be titles ({shown!r}) above a table of {width} "
        f"columns; name the line of the column names: data.header_line={header + 1}, or "
        "data.header_line=1 if it is the first."
    )


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
    same = [row[: len(header)] for row in rows if 0 <= len(row) - len(header) <= 1]
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
