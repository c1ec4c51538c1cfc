"""Curves of the winner, out of fold: ROC, precision and recall, lift, captured profit.

May import: report.canvas, report.names, report.out_of_fold, report.ticks,
report.words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retain.report.canvas import COLOURS, Chart, Labels, Spot, panel, place
from retain.report.names import Tree
from retain.report.out_of_fold import out_of_fold
from retain.report.ticks import ticked
from retain.report.words import phrase

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT, MARGINS = 4.3, (0.78, 0.62, 0.3, 0.1)
"""Inches; left, bottom, right, top."""
SHARES = ("lift", "captured_profit")
"""Curves over the share of customers, written in percent."""


def curve(name: str, tree: Tree, labels: Labels) -> Chart:
    """One curve with the range over repeats as a band, and what chance would draw, dashed."""
    points = tree["curves"][name]
    figure, axes = panel(HEIGHT, MARGINS)
    top = 1.0 if name != "lift" else max(points["high"]) * 1.06
    frame(axes, name, labels, top=top)
    _chance(axes, name, tree)
    axes.fill_between(
        points["x"],
        points["low"],
        points["high"],
        color=COLOURS["accent"],
        alpha=0.16,
        linewidth=0,
    )
    axes.plot(points["x"], points["y"], color=COLOURS["accent"], linewidth=1.8)
    spots = tuple(_spot(axes, name, points, at) for at in range(len(points["x"])))
    return Chart(name, figure, spots, labels, "x")


def frame(axes: Axes, name: str, labels: Labels, *, top: float = 1.0) -> None:
    """Limits, grid, ticks and the names of both axes."""
    axes.set_xlim(0, 1)
    axes.set_ylim(0, top * 1.02)
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    ticked(axes.xaxis, 0, 1, labels.language, "percent" if name in SHARES else "")
    ticked(axes.yaxis, 0, top, labels.language, "percent" if name == "captured_profit" else "")
    axes.set_xlabel(labels(phrase(f"chart.{name}.x")), labelpad=6)
    axes.set_ylabel(labels(phrase(f"chart.{name}.y")), labelpad=6)


def dashed(axes: Axes, x: list[float], y: list[float]) -> None:
    """A thin dashed line: what the curve is held against."""
    axes.plot(x, y, color=COLOURS["muted"], linewidth=0.8, dashes=(4, 3))


def _chance(axes: Axes, name: str, tree: Tree) -> None:
    declined, rows = out_of_fold(tree)
    level = {"lift": 1.0, "precision_recall": declined / rows}
    flat = level.get(name)
    dashed(axes, [0, 1], [0, 1] if flat is None else [flat, flat])


def _spot(axes: Axes, name: str, points: Tree, at: int) -> Spot:
    x_form = "percent" if name in SHARES else "score"
    y_form = "percent" if name == "captured_profit" else "score"
    values = (
        (f"chart.{name}.x", points["x"][at], x_form),
        (f"chart.{name}.y", points["y"][at], y_form),
        ("tip.low", points["low"][at], y_form),
        ("tip.high", points["high"][at], y_form),
    )
    return Spot(*place(axes, points["x"][at], points["y"][at]), "", values)
