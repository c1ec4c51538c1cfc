"""Captions: the reading of each chart, with its own numbers."""

from __future__ import annotations

from collections.abc import Callable

from retain.record.comparison_document import MeanCurve
from retain.record.explanations_document import DependencePoint
from retain.record.verdict_document import VerdictDocument
from retain.report.charts.dependence import MAX_PANELS as PANELS
from retain.report.charts.distributions import MAX_FEATURES as DISTRIBUTIONS
from retain.report.charts.intervals import MAX_RUNS
from retain.report.charts.tornado import swings
from retain.report.text.calibration import gap_conclusion
from retain.report.text.names import code, offer_label, segment_label
from retain.report.text.numbers import Number, count_path
from retain.report.text.words import Message, interval, message
from retain.report.tree import BEESWARM_ROWS as SWARMS
from retain.report.tree import (
    METRIC,
    compared_features,
    excludes_zero,
    has_observed_profit,
    has_profit,
    out_of_fold,
    present,
    segments_by_risk,
    top_features,
)
from retain.wording import format_value


def _segments(tree: VerdictDocument) -> Message:
    segments = present(tree.segments)
    money = has_profit(segments)
    one, weight = segments_by_risk(segments)[0]
    form = "money" if money else "percent"
    key = "caption.segments" if money else "caption.segments_risk"
    key = "caption.segments_observed" if has_observed_profit(segments) else key
    return message(
        key,
        segment=segment_label(one),
        value=Number(weight.value, form),
        range=interval(weight.low, weight.high, form),
    )


def _profit_curve(tree: VerdictDocument) -> Message:
    campaign = present(tree.planned_campaign)
    curve = present(campaign.profit_curve)
    best = {
        "share": Number(curve.best_share, "share"),
        "profit": Number(curve.best_profit, "money"),
    }
    if curve.offer is None:
        return message("caption.profit_curve_any", **best)
    offer = offer_label(campaign, curve.offer)
    return message("caption.profit_curve", offer=offer, **best)


def _budget_curve(tree: VerdictDocument) -> Message:
    budgets = sorted(present(tree.planned_campaign).budget_curve, key=lambda one: one.budget)
    first, last = budgets[0], budgets[-1]
    return message(
        "caption.budget_curve",
        first=Number(first.budget, "money"),
        last=Number(last.budget, "money"),
        low=Number(first.expected_net, "money"),
        high=Number(last.expected_net, "money"),
        few=Number(first.n_chosen, "count"),
        most=Number(last.n_chosen, "count"),
    )


def _risk_profit(tree: VerdictDocument) -> Message:
    cells = present(tree.planned_campaign).overview.risk_by_profit
    count, share = Number(cells.n_high, "count"), Number(cells.high_share, "share")
    return message("caption.risk_profit", n=count, share=share)


def _tornado(tree: VerdictDocument) -> Message:
    campaign = present(tree.planned_campaign)
    sensitivity, widest = present(campaign.sensitivity), swings(campaign)[0]
    ends = [sensitivity.expected_net, widest.expected_net_low, widest.expected_net_high]
    return message(
        "caption.tornado",
        name=message(f"assumption.{widest.name}"),
        low=Number(min(ends), "money"),
        high=Number(max(ends), "money"),
        chosen=Number(sensitivity.n_chosen, "count"),
    )


CAMPAIGN_CAPTIONS: dict[str, Callable[[VerdictDocument], Message]] = {
    "segments": _segments,
    "profit_curve": _profit_curve,
    "budget_curve": _budget_curve,
    "tornado": _tornado,
    "risk_profit": _risk_profit,
}


def caption(name: str, tree: VerdictDocument) -> Message:
    """Return the caption of a chart, which is also its text alternative."""
    return CAPTIONS[name](tree)


def _intervals(tree: VerdictDocument) -> Message:
    board = tree.leaderboard
    last = board[:MAX_RUNS][-1]
    return message(
        "caption.intervals",
        first=Number(board[0]["rank"], "count"),
        last=Number(last["rank"], "count"),
        runs=count_path(len(board), "leaderboard"),
        best=Number(board[0][METRIC], "score"),
        lowest=Number(last[METRIC], "score"),
    )


def _effects(tree: VerdictDocument) -> Message:
    messages = [
        code(f"{effect.factor}={format_value(level.level)}")
        for effect in tree.main_effects
        for level in effect.levels
        if excludes_zero(level.difference)
    ]
    return (
        message("caption.effects", levels=messages)
        if messages
        else message("caption.effects_unclear")
    )


def _roc(tree: VerdictDocument) -> Message:
    x, y = _point_near(present(tree.curves).roc, 0.1, "percent", "percent")
    area = Number(tree.winner.metrics[METRIC].value, "score")
    return message("caption.roc", x=x, y=y, area=area)


def _precision_recall(tree: VerdictDocument) -> Message:
    x, y = _point_near(present(tree.curves).precision_recall, 0.8, "percent", "percent")
    declined, rows = (Number(count, "count") for count in out_of_fold(tree.data, tree.split))
    here, in_time = "caption.precision_recall", "caption.precision_recall_in_time"
    values = {"x": x, "y": y, "declined": declined, "rows": rows}
    return message(in_time if tree.by_snapshot else here, **values)


def _lift(tree: VerdictDocument) -> Message:
    x, y = _point_near(present(tree.curves).lift, 0.2, "percent", "times")
    return message("caption.lift", x=x, y=y)


def _captured(tree: VerdictDocument) -> Message:
    x, y = _point_near(present(present(tree.curves).captured_profit), 0.2, "percent", "percent")
    return message("caption.captured_profit", x=x, y=y)


def _point_near(
    curve: MeanCurve, target_x: float, x_form: str, y_form: str
) -> tuple[Number, Number]:
    """Return the point of a curve nearest to ``target_x``."""
    nearest = min(range(len(curve.x)), key=lambda at: abs(curve.x[at] - target_x))
    return Number(curve.x[nearest], x_form), Number(curve.y[nearest], y_form)


def _calibration(tree: VerdictDocument) -> Message:
    furthest = max(
        present(tree.curves).calibration,
        key=lambda one: abs(one.observed.value - one.predicted),
    )
    ece = tree.winner.metrics.get("ece")
    return message(
        "caption.calibration",
        predicted=Number(furthest.predicted, "percent"),
        observed=Number(furthest.observed.value, "percent"),
        n=Number(furthest.n_customers, "count"),
        ece=Number(None if ece is None else ece.value, "score"),
        conclusion=gap_conclusion(tree),
        curve=message(
            "caption.calibration_curve" if tree.recalibration else "caption.calibration_diagonal"
        ),
    )


def _fishbone(tree: VerdictDocument) -> Message:
    target = present(tree.explanations).target
    return message(
        "caption.fishbone",
        n=Number(target.n_customers, "count"),
        declined=Number(target.n_declined, "count"),
    )


def _drivers(tree: VerdictDocument) -> Message:
    first = top_features(tree.explanations, 1)[0]
    mean = Number(present(first.mean_abs_shap).value, "score")
    return message("caption.drivers", feature=first.label, mean=mean)


def _beeswarm(tree: VerdictDocument) -> Message:
    explanations = present(tree.explanations)
    shown = [
        (one, one.beeswarm)
        for one in top_features(explanations, SWARMS)
        if one.beeswarm is not None
    ]
    widest, swarm = max(shown, key=lambda pair: pair[1].max - pair[1].min)
    customers = Number((explanations.drivers or explanations.target).n_customers, "count")
    spread = interval(swarm.min, swarm.max, "change")
    return message("caption.beeswarm", n=customers, feature=widest.label, range=spread)


def _dependence(tree: VerdictDocument) -> Message:
    first = next(one for one in top_features(tree.explanations, PANELS) if one.dependence)
    points = sorted(present(first.dependence), key=lambda one: one.mean)
    ends = {"low": _point(points[0]), "high": _point(points[-1])}
    return message("caption.dependence", feature=first.label, **ends)


def _point(one: DependencePoint) -> Message:
    """Return a value or level, and the mean SHAP value there."""
    at = Number(one.x, "value") if one.label is None else one.label
    return message("caption.point", mean=Number(one.mean, "change"), at=at)


def _distributions(tree: VerdictDocument) -> Message:
    features = compared_features(tree.explanations, DISTRIBUTIONS)
    measured = [(one, one.effect_size) for one in features if one.effect_size is not None]
    if not measured:
        return message("caption.distributions_alone")
    furthest, effect = max(measured, key=lambda pair: abs(pair[1].value))
    return message(
        "caption.distributions",
        feature=furthest.label,
        measure=message(f"effect.{effect.measure}"),
        value=Number(effect.value, "times"),
        range=interval(effect.low, effect.high, "times"),
    )


CAPTIONS: dict[str, Callable[[VerdictDocument], Message]] = {
    "intervals": _intervals,
    "effects": _effects,
    "roc": _roc,
    "precision_recall": _precision_recall,
    "calibration": _calibration,
    "lift": _lift,
    "captured_profit": _captured,
    "fishbone": _fishbone,
    "drivers": _drivers,
    "beeswarm": _beeswarm,
    "dependence": _dependence,
    "distributions": _distributions,
    **CAMPAIGN_CAPTIONS,
}
