"""Output by Rich: tables, styles and the live view, of clean texts only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import rich.markup
import rich.table
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.text import Text

from retain.cli.terminal.output import (
    clean,
    clean_line,
    is_silent,
    raw_output,
    replace_unencodable,
)

if TYPE_CHECKING:
    from retain.record.study import StudyDirectory

ELLIPSIS = "…"
"""Rich's mark of a truncated cell, which must stay one column wide."""
MAX_WORD = 20
"""Longest word that is not folded in a table."""


def literal(text: object) -> str:
    r"""Return a text from data as one clean line, escaped for Rich's markup.

    >>> literal("[red]\x1b[2J\nx")
    '\\[red][2J x'
    """
    return rich.markup.escape(clean_line(str(text)))


def console(**options: Any) -> Console:
    """Return a console on standard output by default; ``options`` are Rich's.

    In a notebook Rich shows its output past the file, so a silent one has to be told.
    """
    defaults = {"file": raw_output(), "emoji": False, "quiet": is_silent()}
    return SafeConsole(**{**defaults, **options})


def say_waiting(study: StudyDirectory) -> None:
    """Print that another command uses the study."""
    message = f"waiting for another command that is at {literal(study.path)}"
    console().print(message, soft_wrap=True, highlight=False)


class SafeConsole(Console):
    """A console without control characters and characters that it cannot encode."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return Rich's text, with characters replaced before widths are measured."""
        return super().render_str(replace_unencodable(text, self.encoding), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the clean segments of the output."""
        cut = ELLIPSIS if self.encoding.startswith("utf") else "."
        for segment in super().render(renderable, options):
            if segment.control or (segment.text.isascii() and segment.text.isprintable()):
                yield segment
            else:
                text = clean(segment.text).replace(ELLIPSIS, cut)
                yield Segment(text, segment.style)


class Table(rich.table.Table):
    """A table that becomes a list where the terminal is too narrow for its columns.

    Rich would cut numbers and fold words. In the list a row is its first cell, the others below.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, with less space between columns if need be, or the list."""
        columns = [
            [_to_text(console, cell) for cell in (column.header, *column.cells)]
            for column in self.columns
        ]
        widths = zip(self.columns, columns, strict=True)
        needed = sum(max(_min_width(text, column) for text in texts) for column, texts in widths)
        for padding in (self.padding, (0, 0, 0, 0)):
            self.padding = padding
            gaps = sum(self._get_padding_width(index) for index in range(len(self.columns)))
            if needed + gaps + self._extra_width <= options.max_width:
                yield from super().__rich_console__(console, options)
                return
        yield console.render_str(str(self.title or ""), style="table.title")
        for number, texts in enumerate(zip(*columns, strict=True)):
            if number > 0:
                cells = _join_cells([column[0] for column in columns[1:]], texts[1:])
                for indent, text in ((2, texts[0]), (4, cells)):
                    text.stylize(self.rows[number - 1].style or "")
                    yield Padding(text, (0, 0, 0, indent))
        if self.caption:
            yield console.render_str(str(self.caption), style="table.caption")


def _to_text(console: Console, cell: RenderableType) -> Text:
    return cell if isinstance(cell, Text) else console.render_str(str(cell), highlight=False)


def _min_width(text: Text, column: rich.table.Column) -> int:
    """Return the width of a cell whose words are not folded, unless they are very long."""
    if column.no_wrap:
        return cell_len(text.plain)
    longest = max(map(cell_len, text.plain.split()), default=0)
    return max(min(MAX_WORD, longest), column.min_width or 0)


def _join_cells(headers: Sequence[Text], cells: Sequence[Text]) -> Text:
    """Return cells as "header value, header value"; empty ones are left out."""
    pairs = zip(headers, cells, strict=True)
    return Text(", ").join(Text(" ").join(filter(None, pair)) for pair in pairs if pair[1])
