"""Whether risks are probabilities: predicted against observed, in bins of equal count.

May import: report.canvas, report.curves, report.names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retain.report.canvas import COLOURS, Chart, Labels, Spot, panel, place
from retain.report.curves import HEIGHT, MARGINS, dashed, frame
from retain.report.names import Tree

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def calibration(tree: Tree, labels: Labels) -> Chart:
    """One point a bin with the interval of its observed share; the diagonal is honest."""
    bins = tree["curves"]["calibration"]
    figure, axes = panel(HEIGHT, MARGINS)
    frame(axes, "calibration", labels)
    dashed(axes, [0, 1], [0, 1])
    colour = COLOURS["accent"]
    for one in bins:
        at = [one["predicted"]] * 2
        axes.plot(at, [one["low"], one["high"]], color=colour, linewidth=1.2, alpha=0.55)
    predicted = [one["predicted"] for one in bins]
    observed = [one["observed"] for one in bins]
    axes.plot(predicted, observed, "o-", color=colour, linewidth=0.8, markersize=5.5)
    return Chart("calibration", figure, tuple(_spot(axes, one) for one in bins), labels, "xy")


def _spot(axes: Axes, one: Tree) -> Spot:
    values = (
        ("chart.calibration.x", one["predicted"], "score"),
        ("chart.calibration.y", one["observed"], "score"),
        ("tip.low", one["low"], "score"),
        ("tip.high", one["high"], "score"),
        ("tip.customers", one["customers"], "count"),
    )
    return Spot(*place(axes, one["predicted"], one["observed"]), "", values)
