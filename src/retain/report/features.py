"""The features a verdict's reasons are about: which have a strength, in which order, by which name.

May import: report.names.
"""

from __future__ import annotations

from collections.abc import Sequence

from retain.report.names import Tree


def strong(reasons: Tree | None, most: int) -> list[Tree]:
    """The features whose strength in the winner is known, strongest first, at most so many."""
    if reasons is None:
        return []
    return [one for one in reasons["features"] if one["strength"] is not None][:most]


def by_name(reasons: Tree) -> dict[str, Tree]:
    """Every feature by its name."""
    return {one["name"]: one for one in reasons["features"]}


def compared(reasons: Tree | None, most: int) -> list[Tree]:
    """The features whose two classes were compared, at most so many."""
    if reasons is None:
        return []
    return [one for one in reasons["features"] if one["distribution"] is not None][:most]


def frequent(levels: Sequence[Tree], most: int) -> list[Tree]:
    """The levels of a category that most customers have, at most so many, in their own order.

    >>> [one["at"] for one in frequent([{"at": i, "customers": i % 3} for i in range(5)], 2)]
    [1, 2]
    """
    often = sorted(range(len(levels)), key=lambda at: -int(levels[at]["customers"]))[:most]
    return [levels[at] for at in sorted(often)]
