"""Round ticks of a chart's axes, written as each language writes numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from retain.report.charts.canvas import Labels
from retain.report.charts.text_layout import inches
from retain.report.text.numbers import format_number, scale
from retain.report.text.words import LANGUAGES

if TYPE_CHECKING:
    from matplotlib.axis import Axis


Ends = tuple[float, float]

AIR = 0.12
"""Inches between two texts on one line."""


def set_ticks(axis: Axis, low: float, high: float, language: str, form: str = "") -> None:
    """Five round ticks or so within two limits; ``form`` is ``percent``, ``change`` or none."""
    axis.set_ticks(*_ticks((low, high), 5, language, form))


def space_ticks(axis: Axis, ends: Ends, room: float, language: str, form: str) -> None:
    """As many round ticks as have room on an axis so many inches long, and five at most.

    None of their texts reaches far beyond an end.
    """
    axis.set_ticks(*_fitting(ends, room, language, form))


def money_ticks(axis: Axis, ends: Ends, labels: Labels, room: float | None = None) -> float:
    """Ticks of money, known in both languages; how wide the widest text is, in inches.

    On a level axis as many as have room on so many inches; on an upright one about five.
    """
    if room is None:
        places, texts = _ticks(ends, 5, labels.language, "money")
    else:
        places, texts = _fitting(ends, room, labels.language, "money")
    axis.set_ticks(places, texts)
    known = {name: scale(places, name, grouped=True) for name in LANGUAGES}
    for at, text in enumerate(texts):
        labels.pairs[text] = {name: known[name][at] for name in LANGUAGES}
    return max(map(inches, texts), default=0.0)


def _fitting(ends: Ends, room: float, language: str, form: str) -> tuple[list[float], list[str]]:
    """As many round ticks as have room, and five at most."""
    tried = (_ticks(ends, count, language, form) for count in range(5, 0, -1))
    return next((found for found in tried if _fit(*found, ends, room)), ([], []))


def _ticks(ends: Ends, count: int, language: str, form: str) -> tuple[list[float], list[str]]:
    """Round places between two limits, and their texts."""
    from matplotlib.ticker import MaxNLocator

    low, high = ends
    steps = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    inside = [round(float(step), 9) for step in steps if low <= round(step, 9) <= high]
    if form == "percent":
        return inside, [format_number(step, form, language) for step in inside]
    return inside, scale(inside, language, signed=form == "change", grouped=form == "money")


def _fit(places: Sequence[float], texts: Sequence[str], ends: Ends, room: float) -> bool:
    """Return whether texts centred on their places keep apart, and within the axis or nearly so."""
    middles = [room * (at - ends[0]) / (ends[1] - ends[0] or 1) for at in places]
    halves = [inches(text) / 2 for text in texts]
    spans = [(m - half, m + half) for m, half in zip(middles, halves, strict=True)]
    apart = all(one[1] + AIR <= other[0] for one, other in pairwise(spans))
    return apart and all(start >= -AIR and end <= room + AIR for start, end in spans)
