"""The leaderboard's columns: the score, what tells runs apart, then all else that was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from retain.report.text.names import Tree, metric_name
from retain.report.text.numbers import Number
from retain.report.text.words import Message, has_text, message
from retain.report.tree import METRIC
from retain.wording import format_value

PAGE = 25
"""Rows shown at a time; the script pages through the rest."""
CHOICES = 40
"""Values a key may have and still be filtered by a list of them; the search finds the others."""
RANKING = (METRIC, "difference", "p_holm", "prob_equivalent")
"""Columns that say who is better, and how sure that is."""
LONG = 32
"""Letters of a config value from which its cell wraps."""
FORMS = {
    "difference": "change",
    "p_holm": "p",
    "prob_equivalent": "percent",
    "prob_worse": "percent",
    "fit_seconds": "seconds",
}


@dataclass(frozen=True)
class Column:
    """A column of numbers; ``ranged`` ones show their interval too.

    ``falling`` says that the first click sorts the largest to the top; ``extra`` ones are left
    out on paper.
    """

    name: str
    form: str
    ranged: bool = False
    falling: bool = False

    @property
    def extra(self) -> bool:
        """True if paper is too narrow for it."""
        return self.name not in RANKING

    @property
    def title(self) -> Message:
        """The heading of the column."""
        told = f"column.{self.name}"
        return message(told) if has_text(told) else metric_name(self.name)


def columns(tree: Tree) -> list[Column]:
    """Columns of numbers, of those the leaderboard has; the settings follow the first."""
    directions = {name: bool(one["higher_is_better"]) for name, one in tree["metrics"].items()}
    others = [name for name in directions if name != METRIC]
    wanted = [*RANKING, *others, "fit_seconds"]
    row = tree["leaderboard"][0]
    return [
        Column(
            name,
            FORMS.get(name, "score"),
            ranged=name in (METRIC, "difference"),
            falling=directions.get(name, name in ("difference", "p_holm", "prob_equivalent")),
        )
        for name in wanted
        if name in row
    ]


def rows(tree: Tree, numbers: Sequence[Column]) -> list[dict[str, Any]]:
    """Return the first page, cell by cell."""
    return [
        {
            "rank": Number(row["rank"], "count"),
            "id": row["id"],
            "tags": tags(row, tree),
            "tied": row["tied"],
            "keys": [format_value(row.get(key)) for key in tree["key_columns"]],
            "cells": [(column.extra, _cell(row, column)) for column in numbers],
        }
        for row in tree["leaderboard"][:PAGE]
    ]


def tags(row: Tree, tree: Tree) -> list[Message]:
    """Return the tags of a run: chosen, tied, no better than random, stopped early."""
    found = []
    if row["id"] == tree["winner"]["id"]:
        found.append(message("tag.winner"))
    elif row["tied"]:
        found.append(message("tag.tied"))
    if row.get("stopped_early"):
        found.append(message("tag.stopped", n=Number(row["n_folds"], "count")))
    return found


def _cell(row: Tree, column: Column) -> list[Number]:
    """Return the number, and where it has one its interval."""
    names = [column.name]
    if column.ranged:
        names += [f"{column.name}_low", f"{column.name}_high"]
    return [Number(row.get(name), column.form) for name in names]


def choices(tree: Tree) -> dict[str, list[str]]:
    """Return the values of each key, in their own order: numbers by size, texts by letter."""
    return {
        key: levels([row.get(key) for row in tree["leaderboard"]]) for key in tree["key_columns"]
    }


def levels(values: Sequence[Any]) -> list[str]:
    """Distinct values as text, sorted.

    >>> levels([10, 9, None, "svc", 9])
    ['9', '10', 'null', 'svc']
    """

    def order(value: Any) -> tuple[bool, float, str]:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return not number, float(value) if number else 0.0, format_value(value)

    return list(dict.fromkeys(format_value(value) for value in sorted(values, key=order)))
