"""The canvas of every chart: colours, style, labels in both languages."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from retain.report.text.names import printable
from retain.report.text.words import LANGUAGES, Message, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


POINTS_PER_INCH = 72
"""Points per inch; an SVG's coordinates are in points."""
WIDTH = 5.0
"""Inches, about the width of a phone, so that 10 pt are readable there."""
COLOURS = {
    "ink": "#1c2126",
    "muted": "#68717a",
    "line": "#d9dee2",
    "accent": "#0d6679",
    "paper": "#ffffff",
}
"""Colours by the CSS variable that replaces them on the page."""
RC_PARAMS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.parse_math": False,
    "text.hinting": "none",  # hinting rounds widths, by up to 4 %
    "text.color": COLOURS["ink"],
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.6,
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.major.pad": 6,
    "ytick.major.pad": 6,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "retain",
}

OTHER_SCRIPTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "PingFang SC", "Hiragino Sans", "Microsoft YaHei"),
    *("Yu Gothic", "Malgun Gothic", "WenQuanYi Zen Hei", "Arial Unicode MS"),
)
"""Fonts of systems for letters that DejaVu Sans lacks, tried in this order where installed."""


@dataclass(frozen=True)
class Tooltip:
    """A point on a chart that shows its numbers on hover.

    ``x`` and ``y`` in points from the upper left; ``values`` are (word, number, form).
    """

    x: float
    y: float
    title: str
    values: tuple[tuple[str, float | None, str], ...]


@dataclass
class Labels:
    """Texts of a chart in one language, recorded in all languages."""

    language: str
    pairs: dict[str, dict[str, str]] = field(default_factory=dict)

    def __call__(self, message: Message) -> str:
        """Return the message in the chart's language."""
        texts = {name: words(name).plain(message) for name in LANGUAGES}
        shown = texts[self.language]
        self.pairs[shown] = texts
        return shown


@dataclass(frozen=True)
class Chart:
    """A figure, its tooltips, and its texts in both languages.

    ``nearest`` is the distance by which a tooltip is chosen: along x, along y, or both.
    """

    name: str
    figure: Figure
    spots: tuple[Tooltip, ...]
    labels: Labels
    nearest: Literal["x", "y", "xy"]


@contextmanager
def chart_style() -> Iterator[None]:
    """Apply the style of all charts, whatever the user's Matplotlib settings."""
    import matplotlib as mpl
    from matplotlib.font_manager import get_font_names

    installed = set(get_font_names())
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(RC_PARAMS)
        fonts = [RC_PARAMS["font.family"], *(one for one in OTHER_SCRIPTS if one in installed)]
        mpl.rcParams["font.family"] = fonts
        # Scripts that no font has are measured as boxes; the reader's fonts show them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def add_axes(height: float, margins: tuple[float, float, float, float]) -> tuple[Figure, Axes]:
    """Return a figure with one panel; ``margins`` left, bottom, right, top in inches."""
    left, bottom, right, top = margins
    figure = new_figure(height)
    size = (WIDTH - left - right, height - bottom - top)
    return figure, single_axes(figure, (left, bottom), size)


def new_figure(height: float) -> Figure:
    """Return a figure without a panel, ``height`` inches high."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), dpi=POINTS_PER_INCH)


def single_axes(figure: Figure, corner: tuple[float, float], size: tuple[float, float]) -> Axes:
    """Return a panel with this lower left corner and size, in inches."""
    across, up = figure.get_size_inches()
    box = (corner[0] / across, corner[1] / up, size[0] / across, size[1] / up)
    return figure.add_axes(box)


def line_segments(
    axes: Axes, lines: Sequence[tuple[float, float, float, float]], **how: Any
) -> None:
    """Draw many straight lines (x0, y0, x1, y1) as one path, which keeps the file small."""
    gap = float("nan")
    x = [value for x0, _, x1, _ in lines for value in (x0, x1, gap)]
    y = [value for _, y0, _, y1 in lines for value in (y0, y1, gap)]
    axes.plot(x, y, clip_on=False, solid_capstyle="butt", **how)


def to_points(axes: Axes, x: float, y: float) -> tuple[float, float]:
    """Return the position of a value, in points from the figure's upper left."""
    across, up = axes.transData.transform((x, y))
    return round(float(across), 2), round(float(axes.figure.bbox.height - up), 2)


def write(axes: Axes, x: float, y: float, text: str, **how: Any) -> None:
    """Write a text at a point of the panel, safe for any name."""
    axes.text(x, y, printable(text), **how)
