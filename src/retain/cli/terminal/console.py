"""Rich's part of the printing door: tables, styles and the live view, of clean texts alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import rich.markup
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from retain.cli.terminal.output import clean, clean_line, raw_output, replace_unencodable

ELLIPSIS = "…"
"""What Rich puts where a cell is cut; it must stay one column wide."""


def literal(text: object) -> str:
    r"""Return a text from data for Rich's markup: one clean line that means nothing to it.

    >>> literal("[red]\x1b[2J\nx")
    '\\[red][2J x'
    """
    return rich.markup.escape(clean_line(str(text)))


def console(**options: Any) -> Console:
    """Return a console that writes to standard output, or as Rich's ``options`` say."""
    return SafeConsole(**{"file": raw_output(), "emoji": False, **options})


class SafeConsole(Console):
    """A console whose texts hold nothing that a terminal obeys, and only what it can encode."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text as Rich's own, replaced before widths are measured."""
        return super().render_str(replace_unencodable(text, self.encoding), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Return the segments of what is printed, each of them clean."""
        cut = ELLIPSIS if self.encoding.startswith("utf") else "."
        for segment in super().render(renderable, options):
            if segment.control or (segment.text.isascii() and segment.text.isprintable()):
                yield segment
            else:
                text = clean(segment.text).replace(ELLIPSIS, cut)
                yield Segment(text, segment.style)
