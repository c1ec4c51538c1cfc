"""Geometry of the small pictures on a page, which its templates draw as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from retain.record.comparison_document import MeanCurve

BAR_WIDTH = 220
"""Width of a bar's picture in its own units."""
WIDTH, HEIGHT, LEFT, BELOW, ABOVE, RIGHT = 360, 270, 44, 34, 10, 12
"""Size of a picture of curves, and the space beside its axes."""
TICKS = 4


@dataclass(frozen=True)
class BarScale:
    """The scale that all bars of a table share, in the units of their numbers."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return the place of a value, 0 to ``BAR_WIDTH``.

        >>> BarScale(-1, 1).at(0)
        110.0
        """
        share = (value - self.low) / (self.high - self.low)
        return round(BAR_WIDTH * min(max(share, 0.0), 1.0), 1)

    @property
    def zero(self) -> float | None:
        """The place of zero, None if it is off the scale."""
        return self.at(0.0) if self.low <= 0 <= self.high else None


def bar_scale(values: Iterable[float | None], *, with_zero: bool) -> BarScale:
    """Return a scale that holds all values, and zero where a sign matters."""
    known = [value for value in values if value is not None]
    known += [0.0] if with_zero else []
    low, high = min(known, default=0.0), max(known, default=1.0)
    margin = 0.04 * (high - low) or max(abs(high), 1.0) * 0.04
    return BarScale(low - margin, high + margin)


@dataclass(frozen=True)
class PlotLine:
    """A line of a picture: the letter of its run, and its points as SVG has them."""

    letter: str
    points: str


@dataclass(frozen=True)
class CurvePlot:
    """Curves laid over each other, with the ticks of both axes as place and value."""

    name: str
    lines: tuple[PlotLine, ...]
    x_ticks: tuple[tuple[float, float], ...]
    y_ticks: tuple[tuple[float, float], ...]


def plot_curves(runs: Sequence[tuple[str, Mapping[str, MeanCurve]]]) -> list[CurvePlot]:
    """Return a picture for each curve that runs have; a run is its letter and its curves."""
    names = dict.fromkeys(name for _, curves in runs for name in curves)
    return [
        _plot(name, [(letter, curves[name]) for letter, curves in runs if name in curves])
        for name in names
    ]


def _plot(name: str, lines: Sequence[tuple[str, MeanCurve]]) -> CurvePlot:
    top = max(1.0, *(max(curve.y) for _, curve in lines))

    def x_at(share: float) -> float:
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y_at(value: float) -> float:
        return round(HEIGHT - BELOW - value / top * (HEIGHT - BELOW - ABOVE), 1)

    shares = [tick / TICKS for tick in range(TICKS + 1)]
    return CurvePlot(
        name,
        tuple(
            PlotLine(letter, " ".join(map("{},{}".format, map(x_at, curve.x), map(y_at, curve.y))))
            for letter, curve in lines
        ),
        tuple((x_at(share), share) for share in shares),
        tuple((y_at(top * share), top * share) for share in shares),
    )
