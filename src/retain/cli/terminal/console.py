"""Output by Rich: tables, styles and the live view, of clean texts only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import rich.markup
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from retain.cli.terminal.output import clean, clean_line, raw_output, replace_unencodable

ELLIPSIS = "…"
"""Rich's mark of a truncated cell, which must stay one column wide."""


def literal(text: object) -> str:
    r"""Return a text from data as one clean line, escaped for Rich's markup.

    >>> literal("[red]\x1b[2J\nx")
    '\\[red][2J x'
    """
    return rich.markup.escape(clean_line(str(text)))


def console(**options: Any) -> Console:
    """Return a console on standard output by default; ``options`` are Rich's."""
    return SafeConsole(**{"file": raw_output(), "emoji": False, **options})


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
