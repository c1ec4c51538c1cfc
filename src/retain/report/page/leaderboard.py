"""The leaderboard's columns: the score, the settings that differ, then all other measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from retain.record.verdict_document import VerdictDocument
from retain.report.text.names import Row, metric_name
from retain.report.text.numbers import Number
from retain.report.text.words import Message, has_text, message
from retain.report.tree import METRIC
from retain.wording import format_value

ROWS_PER_PAGE = 25
"""Rows shown at a time; the script pages through the rest."""
MAX_FILTER_VALUES = 40
"""Maximum number of values of a key with a filter list."""
RANKING_COLUMNS = (METRIC, "difference", "p_adjusted", "prob_equivalent")
"""Columns of the ranking and its certainty."""
WRAP_LENGTH = 32
"""Length of a config value from which its cell wraps."""
FORMS = {
    "difference": "change",
    "p_adjusted": "p",
    "prob_equivalent": "percent",
    "prob_worse": "percent",
    "fit_seconds": "seconds",
}


@dataclass(frozen=True)
class BoardColumn:
    """A column of numbers; ``ranged`` ones show their interval too.

    With ``falling`` the first click sorts in descending order.
    """

    name: str
    form: str
    ranged: bool = False
    falling: bool = False

    @property
    def extra(self) -> bool:
        """True if it is left out on paper."""
        return self.name not in RANKING_COLUMNS

    @property
    def title(self) -> Message:
        """The heading of the column."""
        key = f"column.{self.name}"
        return message(key) if has_text(key) else metric_name(self.name)


def columns(tree: VerdictDocument) -> list[BoardColumn]:
    """Return the columns of numbers that the leaderboard has; settings follow the first."""
    directions = {name: bool(one.higher_is_better) for name, one in tree.metrics.items()}
    others = [name for name in directions if name != METRIC]
    names = [*RANKING_COLUMNS, *others, "fit_seconds"]
    row = tree.leaderboard[0]
    return [
        BoardColumn(
            name,
            FORMS.get(name, "score"),
            ranged=name in (METRIC, "difference"),
            falling=directions.get(name, name in ("difference", "p_adjusted", "prob_equivalent")),
        )
        for name in names
        if name in row
    ]


def rows(tree: VerdictDocument, numbers: Sequence[BoardColumn]) -> list[dict[str, object]]:
    """Return the cells of the first page."""
    return [
        {
            "rank": Number(row["rank"], "count"),
            "id": row["id"],
            "tags": tags(row, tree),
            "tied": row["tied"],
            "keys": [format_value(row.get(key)) for key in tree.key_columns],
            "cells": [(column.extra, _cell(row, column)) for column in numbers],
        }
        for row in tree.leaderboard[:ROWS_PER_PAGE]
    ]


def tags(row: Row, tree: VerdictDocument) -> list[Message]:
    """Return the tags of a run: chosen, tied, no better than random, stopped early."""
    messages = []
    if row["id"] == tree.winner.id:
        messages.append(message("tag.winner"))
    elif row["tied"]:
        messages.append(message("tag.tied"))
    if row.get("stopped_early"):
        messages.append(message("tag.stopped", n=Number(row["n_folds"], "count")))
    return messages


def _cell(row: Row, column: BoardColumn) -> list[Number]:
    """Return the number, and its interval if it has one."""
    names = [column.name]
    if column.ranged:
        names += [f"{column.name}_low", f"{column.name}_high"]
    return [Number(row.get(name), column.form) for name in names]


def choices(tree: VerdictDocument) -> dict[str, list[str]]:
    """Return the sorted values of each key: numbers by size, texts alphabetically."""
    return {key: levels([row.get(key) for row in tree.leaderboard]) for key in tree.key_columns}


def levels(values: Sequence[Any]) -> list[str]:
    """Return distinct values as text, sorted.

    >>> levels([10, 9, None, "svc", 9])
    ['9', '10', 'null', 'svc']
    """

    def order(value: Any) -> tuple[bool, float, str]:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return not number, float(value) if number else 0.0, format_value(value)

    return list(dict.fromkeys(format_value(value) for value in sorted(values, key=order)))
