"""Round ticks of a chart's axes, in the number format of each language."""

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

MIN_LABEL_GAP = 0.12
"""Minimum gap between tick labels in inches."""


def set_ticks(axis: Axis, low: float, high: float, language: str, form: str = "") -> None:
    """Set about five round ticks within two limits; ``form`` is ``percent``, ``change`` or none."""
    axis.set_ticks(*_round_ticks((low, high), 5, language, form))


def space_ticks(axis: Axis, ends: Ends, room: float, language: str, form: str) -> None:
    """Set up to five round ticks whose texts fit on an axis ``room`` inches long."""
    axis.set_ticks(*_fit_ticks(ends, room, language, form))


def money_ticks(axis: Axis, ends: Ends, labels: Labels, room: float | None = None) -> float:
    """Set ticks of money in both languages, and return the width of the widest text in inches.

    Up to five that fit in ``room`` inches on a horizontal axis, about five on a vertical one.
    """
    if room is None:
        positions, texts = _round_ticks(ends, 5, labels.language, "money")
    else:
        positions, texts = _fit_ticks(ends, room, labels.language, "money")
    axis.set_ticks(positions, texts)
    texts_by_language = {name: scale(positions, name, grouped=True) for name in LANGUAGES}
    for at, text in enumerate(texts):
        labels.pairs[text] = {name: texts_by_language[name][at] for name in LANGUAGES}
    return max(map(inches, texts), default=0.0)


def _fit_ticks(ends: Ends, room: float, language: str, form: str) -> tuple[list[float], list[str]]:
    """Return up to five round ticks that fit, and their texts."""
    tried = (_round_ticks(ends, count, language, form) for count in range(5, 0, -1))
    return next((ticks for ticks in tried if _has_room(*ticks, ends, room)), ([], []))


def _round_ticks(ends: Ends, count: int, language: str, form: str) -> tuple[list[float], list[str]]:
    """Return round numbers between two limits, and their texts."""
    from matplotlib.ticker import MaxNLocator

    low, high = ends
    steps = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    inside = [round(float(step), 9) for step in steps if low <= round(step, 9) <= high]
    if form == "percent":
        return inside, [format_number(step, form, language) for step in inside]
    return inside, scale(inside, language, signed=form == "change", grouped=form == "money")


def _has_room(positions: Sequence[float], texts: Sequence[str], ends: Ends, room: float) -> bool:
    """Return whether texts centred on their positions neither overlap nor pass far over an end."""
    middles = [room * (at - ends[0]) / (ends[1] - ends[0] or 1) for at in positions]
    halves = [inches(text) / 2 for text in texts]
    spans = [(m - half, m + half) for m, half in zip(middles, halves, strict=True)]
    apart = all(one[1] + MIN_LABEL_GAP <= other[0] for one, other in pairwise(spans))
    return apart and all(
        start >= -MIN_LABEL_GAP and end <= room + MIN_LABEL_GAP for start, end in spans
    )
