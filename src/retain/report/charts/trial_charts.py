"""Charts of a randomised campaign: effects of arms, by subgroup, predicted ones, net value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from retain.record.effects_document import CalibrationBand, EffectsDocument, ShareCurvePoint
from retain.record.estimates import Estimate
from retain.record.trial_document import TrialDocument
from retain.report.charts.canvas import (
    COLOURS,
    WIDTH,
    Chart,
    Labels,
    Tooltip,
    add_axes,
    new_figure,
    single_axes,
    to_points,
    write,
)
from retain.report.charts.curves import HEIGHT, MARGINS, draw_reference
from retain.report.charts.rows import IntervalRow, Scale, interval_plot
from retain.report.charts.ticks import money_ticks, set_ticks
from retain.report.text.numbers import Number
from retain.report.text.subgroups import subgroup_text
from retain.report.text.trial import SHARE_FORM, outcome_form, plan_name
from retain.report.text.words import message
from retain.report.tree import excludes_zero

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL_HEIGHT, PANEL_GAP, BOTTOM = 1.25, 0.36, 0.6
"""Inches: a panel of one order of customers, the space above it, that below the last."""
LEFT, RIGHT = 0.86, 0.2
"""Margins of panels in inches."""
AIR = 0.05
"""Margin above and below curves, as a share of the range."""
MARKERS = ("o", "s", "^", "D")
"""Marker of each arm, in turn."""


def trial_effects(trial: TrialDocument, labels: Labels) -> Chart | None:
    """Return the differences of arms by the first outcome; None if none was compared."""
    rows = [
        _effect_row(f"{row.arm} − {row.versus}", gap, trial, strong=row.is_shown)
        for row in trial.effects
        if row.role != "secondary" and (gap := row.tested_difference) is not None
    ]
    if not rows:
        return None
    return interval_plot("trial_effects", rows, labels, _effect_scale(trial))


def _effect_scale(trial: TrialDocument) -> Scale:
    """Return the scale of differences on the first outcome."""
    is_share = _times(trial) > 1
    axis = message(f"chart.trial_effects.{'points' if is_share else 'amount'}")
    return Scale(axis, "times" if is_share else "money", 0.0, "tip.value")


def _times(trial: TrialDocument) -> int:
    """Return the factor on the first outcome: 100 for a share, in points."""
    return 100 if outcome_form(trial, trial.outcomes[0].name) == SHARE_FORM else 1


def _effect_row(name: str, gap: Estimate, trial: TrialDocument, *, strong: bool) -> IntervalRow:
    times = _times(trial)
    ends = (times * gap.value, times * gap.low, times * gap.high)
    return IntervalRow(name, *ends, strong=strong)


MAX_SUBGROUPS = 40
"""Maximum number of subgroups; the table and ``subgroups.csv`` have all of them."""


def subgroup_effects(trial: TrialDocument, labels: Labels) -> Chart | None:
    """Return the effects by the subgroups between which they differ; None where none is shown."""
    rows: list[IntervalRow] = []
    for test in trial.subgroups.shown_tests:
        found = [
            _effect_row(subgroup_text(row, labels), gap, trial, strong=excludes_zero(gap))
            for row in trial.subgroups.of(test)
            if (gap := row.difference) is not None
        ]
        if len(rows) + len(found) < MAX_SUBGROUPS:
            p = message("chart.subgroup_effects.p", p=Number(test.p_adjusted, "p"))
            name = f"{test.arm} − {trial.arms[0].name}, {trial.covariates[test.covariate]}"
            rows += [IntervalRow(name, aside=p), *found]
    if not rows:
        return None
    return interval_plot("subgroup_effects", rows, labels, _effect_scale(trial))


def value_by_share(effects: EffectsDocument, labels: Labels) -> Chart | None:
    """Return a panel for each order of customers, with its band; None without a curve."""
    curves = {
        ranking: list(points)
        for ranking, points in groupby(effects.curve, lambda point: point.ranking)
    }
    if not curves:
        return None
    height = len(curves) * (PANEL_HEIGHT + PANEL_GAP) + BOTTOM
    figure, spots = new_figure(height), []
    for at, ranking in enumerate(curves):
        bottom = height - (at + 1) * (PANEL_HEIGHT + PANEL_GAP)
        axes = single_axes(figure, (LEFT, bottom), (WIDTH - LEFT - RIGHT, PANEL_HEIGHT))
        _frame_panel(axes, effects.curve, labels)
        spots += _draw_panel(axes, ranking, curves, labels)
        if at < len(curves) - 1:
            axes.tick_params(labelbottom=False)
        else:
            axes.set_xlabel(labels(message("chart.value_by_share.x")), labelpad=6)
    return Chart("value_by_share", figure, tuple(spots), labels, "xy")


def _frame_panel(axes: Axes, points: Sequence[ShareCurvePoint], labels: Labels) -> None:
    """Set the same limits, ticks and grid in every panel."""
    ends = [end for point in points for end in (point.band.low, point.band.high)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = AIR * (high - low) or 1.0
    axes.set_xlim(0, 1)
    axes.set_ylim(low - room, high + room)
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    set_ticks(axes.xaxis, 0, 1, labels.language, "percent")
    money_ticks(axes.yaxis, (low, high), labels)
    axes.axhline(0, color=COLOURS["muted"], linewidth=0.8)


def _draw_panel(
    axes: Axes, ranking: str, curves: Mapping[str, Sequence[ShareCurvePoint]], labels: Labels
) -> list[Tooltip]:
    """Draw one order with its band over the others, and return its tooltips."""
    for other, points in curves.items():
        shares = [0.0, *(point.share for point in points)]
        values = [0.0, *(point.value.value for point in points)]
        if other != ranking:
            axes.plot(shares, values, color=COLOURS["muted"], linewidth=0.6)
            continue
        low = [0.0, *(point.band.low for point in points)]
        high = [0.0, *(point.band.high for point in points)]
        colour = COLOURS["accent"]
        axes.fill_between(shares, low, high, color=colour, alpha=0.16, linewidth=0)
        axes.plot(shares, values, color=colour, linewidth=1.8, zorder=3)
    title = labels(plan_name(ranking))
    write(axes, 0, 1.06, title, transform=axes.transAxes)
    return [_share_tooltip(axes, title, point) for point in curves[ranking]]


def _share_tooltip(axes: Axes, title: str, point: ShareCurvePoint) -> Tooltip:
    values = (
        ("chart.value_by_share.x", point.share, "percent"),
        ("chart.value_by_share.y", point.value.value, "money"),
        ("tip.low", point.band.low, "money"),
        ("tip.high", point.band.high, "money"),
    )
    return Tooltip(*to_points(axes, point.share, point.value.value), title, values)


def effect_calibration(
    trial: TrialDocument, effects: EffectsDocument, labels: Labels
) -> Chart | None:
    """Return measured by predicted effects; None where effects are not shown to differ."""
    bands = effects.calibration
    if not bands:
        return None
    times = 100 if outcome_form(trial, effects.outcome) == SHARE_FORM else 1
    ends = [times * end for one in bands for end in (one.effect.low, one.effect.high)]
    both = [*ends, *(times * one.predicted for one in bands), 0.0]
    room = AIR * (max(both) - min(both)) or 1.0
    figure, axes = add_axes(HEIGHT, MARGINS)
    limits = (min(both) - room, max(both) + room)
    for axis in (axes.xaxis, axes.yaxis):
        axis.axes.grid(visible=True)
        set_ticks(axis, *limits, labels.language)
    axes.set_xlim(*limits)
    axes.set_ylim(*limits)
    axes.set_axisbelow(True)
    draw_reference(axes, limits, limits)
    axes.set_xlabel(labels(message("chart.effect_calibration.x")), labelpad=6)
    axes.set_ylabel(labels(message("chart.effect_calibration.y")), labelpad=6)
    arms = list(dict.fromkeys(one.arm for one in bands))
    spots = [
        _draw_band(axes, one, times, MARKERS[arms.index(one.arm) % len(MARKERS)]) for one in bands
    ]
    return Chart("effect_calibration", figure, tuple(spots), labels, "xy")


def _draw_band(axes: Axes, one: CalibrationBand, times: int, marker: str) -> Tooltip:
    """Draw a fifth of the customers with its interval, and return its tooltip."""
    x, y = times * one.predicted, times * one.effect.value
    low, high = times * one.effect.low, times * one.effect.high
    axes.plot([x, x], [low, high], color=COLOURS["accent"], linewidth=1.2, alpha=0.55)
    axes.plot(x, y, marker, color=COLOURS["accent"], markersize=5.5)
    values = (
        ("chart.effect_calibration.x", x, "value"),
        ("chart.effect_calibration.y", y, "value"),
        ("tip.low", low, "value"),
        ("tip.high", high, "value"),
        ("tip.customers", float(one.n), "count"),
    )
    return Tooltip(*to_points(axes, x, y), one.arm, values)
