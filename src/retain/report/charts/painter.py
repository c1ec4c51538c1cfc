"""A painter of lines, shapes and texts at positions in points, in the colours of the charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING, Any, Literal

from retain.report.charts.canvas import COLOURS, POINTS_PER_INCH
from retain.report.charts.text_layout import Letters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


Point = tuple[float, float]
Side = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Painter:
    """Draws on a figure, in points from the lower left; later shapes cover earlier ones."""

    axes: Axes

    @classmethod
    def on_paper(cls, width: float, height: float) -> Painter:
        """Return a painter on a new figure of this size."""
        from matplotlib.figure import Figure

        figure = Figure(
            figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH), dpi=POINTS_PER_INCH
        )
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, width)
        axes.set_ylim(0, height)
        axes.set_axis_off()
        return cls(axes)

    @property
    def figure(self) -> Figure:
        """The figure to draw on."""
        figure: Any = self.axes.figure
        return figure  # type: ignore[no-any-return]

    def line(
        self, start: Point, end: Point, thick: float, colour: str, *, dashed: bool = False
    ) -> None:
        """Draw a straight line."""
        how: dict[str, Any] = {"dashes": (4, 3)} if dashed else {"solid_capstyle": "butt"}
        across, up = zip(start, end, strict=True)
        self.axes.plot(across, up, linewidth=thick, color=COLOURS[colour], zorder=1, **how)

    def bone(self, foot: Point, tip: Point, thick: float, colour: str) -> None:
        """Draw a slanting line with level ends, ``thick`` points wide."""
        (x, y), (far, end) = foot, tip
        half = thick / 2 * hypot(1, (x - far) / (y - end))
        corners = [(x - half, y), (x + half, y), (far + half, end), (far - half, end)]
        self.shape(corners, colour)

    def shape(self, corners: Sequence[Point], colour: str, *, curved: Sequence[int] = ()) -> None:
        """Draw a filled shape; ``curved`` are the indices of Bézier control points."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        codes = [Path.CURVE4 if at in curved else Path.LINETO for at in range(len(corners))]
        path = Path([*corners, corners[0]], [Path.MOVETO, *codes[1:], Path.CLOSEPOLY])
        self.axes.add_patch(PathPatch(path, facecolor=COLOURS[colour], edgecolor="none", zorder=1))

    def write(
        self,
        at: Point,
        text: str,
        letters: Letters,
        colour: str = "ink",
        side: Side = "left",
    ) -> None:
        """Write a line of text on its baseline."""
        self.axes.text(
            *at,
            text,
            fontsize=letters.size,
            fontweight="bold" if letters.bold else "normal",
            color=COLOURS[colour],
            horizontalalignment=side,
            verticalalignment="baseline",
            zorder=1,
        )
