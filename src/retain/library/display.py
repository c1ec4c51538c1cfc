"""The looks of results in a console and in a notebook: a title, facts, and a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import pandas as pd
from markupsafe import Markup, escape

from retain.cli.terminal.output import clean_line

MAX_ROWS, MAX_COLUMNS = 10, 10
"""Size of the table in a notebook."""


class Result(ABC):
    """A result of the library: facts as text, and rows as a frame."""

    @abstractmethod
    def _title(self) -> str:
        """Return what this is, in a few words."""

    @abstractmethod
    def _facts(self) -> Mapping[str, object]:
        """Return facts by their names, each a line."""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Return the rows."""

    def __repr__(self) -> str:
        """Return title and facts as lines."""
        facts = {clean_line(name): clean_line(str(fact)) for name, fact in self._facts().items()}
        width = max(map(len, facts), default=0)
        lines = (f"  {name:{width}}  {fact}" for name, fact in facts.items())
        return "\n".join([clean_line(self._title()), *lines])

    def _repr_html_(self) -> str:
        """Return title, facts and the first rows as HTML without scripts."""
        rows = (
            Markup(
                "<tr><th style='text-align:left'>{}</th><td style='text-align:left'>{}</td></tr>"
            ).format(name, str(fact))
            for name, fact in self._facts().items()
        )
        facts = Markup("<table>{}</table>").format(Markup("").join(rows))
        frame = self.to_frame()
        shown = frame.iloc[:MAX_ROWS, :MAX_COLUMNS]
        table = Markup(shown.to_html(escape=True, border=0))  # noqa: S704 - escaped
        size = f"{len(frame):,} rows, {frame.shape[1]} columns"
        more = Markup("<p>{}: to_frame()</p>").format(size) if shown.size < frame.size else ""
        title = Markup("<p><strong>{}</strong></p>").format(escape(self._title()))
        return str(title + facts + table + more)
