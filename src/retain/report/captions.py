"""What to read from each figure, said with its own numbers.

May import: report.*.
"""

from __future__ import annotations

from collections.abc import Callable

from retain.report.beeswarm import SHOWN as SWARMS
from retain.report.campaign_captions import CAMPAIGN_CAPTIONS
from retain.report.contents import METRIC
from retain.report.dependence import SHOWN as PANELS
from retain.report.distributions import SHOWN as DISTRIBUTIONS
from retain.report.effects import clear, measured
from retain.report.features import compared, strong
from retain.report.intervals import SHOWN
from retain.report.names import Tree, code, label, value_text
from retain.report.numbers import Number, counted
from retain.report.out_of_fold import out_of_fold
from retain.report.words import Phrase, phrase


def caption(name: str, tree: Tree) -> Phrase:
    """The caption of a chart; it is its text alternative too."""
    return CAPTIONS[name](tree)


def _intervals(tree: Tree) -> Phrase:
    board = tree["leaderboard"]
    last = board[:SHOWN][-1]
    return phrase(
        "caption.intervals",
        first=Number(board[0]["rank"], "count"),
        last=Number(last["rank"], "count"),
        runs=counted(len(board), "leaderboard"),
        best=Number(board[0][METRIC], "score"),
        lowest=Number(last[METRIC], "score"),
    )


def _effects(tree: Tree) -> Phrase:
    told = [
        code(f"{effect['axis']}={value_text(level['level'])}")
        for effect in tree["effects"]
        for level in measured(effect)
        if clear(level)
    ]
    return phrase("caption.effects", levels=told) if told else phrase("caption.effects_unclear")


def _roc(tree: Tree) -> Phrase:
    x, y = _at(tree["curves"]["roc"], 0.1, "percent", "percent")
    area = Number(tree["winner"]["metrics"][METRIC]["mean"], "score")
    return phrase("caption.roc", x=x, y=y, area=area)


def _precision_recall(tree: Tree) -> Phrase:
    x, y = _at(tree["curves"]["precision_recall"], 0.8, "percent", "percent")
    declined, rows = (Number(count, "count") for count in out_of_fold(tree))
    here, in_time = "caption.precision_recall", "caption.precision_recall_in_time"
    said = {"x": x, "y": y, "declined": declined, "rows": rows}
    return phrase(in_time if tree["in_time"] else here, **said)


def _lift(tree: Tree) -> Phrase:
    x, y = _at(tree["curves"]["lift"], 0.2, "percent", "times")
    return phrase("caption.lift", x=x, y=y)


def _captured(tree: Tree) -> Phrase:
    x, y = _at(tree["curves"]["captured_profit"], 0.2, "percent", "percent")
    return phrase("caption.captured_profit", x=x, y=y)


def _at(curve: Tree, wanted: float, x_form: str, y_form: str) -> tuple[Number, Number]:
    """The point of a curve nearest to a round x."""
    place = min(range(len(curve["x"])), key=lambda at: abs(curve["x"][at] - wanted))
    return Number(curve["x"][place], x_form), Number(curve["y"][place], y_form)


def _calibration(tree: Tree) -> Phrase:
    furthest = max(
        tree["curves"]["calibration"], key=lambda one: abs(one["observed"] - one["predicted"])
    )
    ece = tree["winner"]["metrics"].get("ece")
    return phrase(
        "caption.calibration",
        predicted=Number(furthest["predicted"], "percent"),
        observed=Number(furthest["observed"], "percent"),
        n=Number(furthest["customers"], "count"),
        ece=Number(None if ece is None else ece["mean"], "score"),
    )


def _fishbone(tree: Tree) -> Phrase:
    target = tree["reasons"]["target"]
    return phrase(
        "caption.fishbone",
        n=Number(target["customers"], "count"),
        declined=Number(target["declined"], "count"),
    )


def _drivers(tree: Tree) -> Phrase:
    first = strong(tree["reasons"], 1)[0]
    mean = Number(first["strength"]["mean"], "score")
    return phrase("caption.drivers", feature=label(first["label"]), mean=mean)


def _beeswarm(tree: Tree) -> Phrase:
    reasons = tree["reasons"]
    shown = [one for one in strong(reasons, SWARMS) if one["swarm"] is not None]
    widest = max(shown, key=lambda one: float(one["swarm"]["high"] - one["swarm"]["low"]))
    ends = {end: Number(widest["swarm"][end], "change") for end in ("low", "high")}
    customers = Number((reasons["drivers"] or reasons["target"])["customers"], "count")
    return phrase("caption.beeswarm", n=customers, feature=label(widest["label"]), **ends)


def _dependence(tree: Tree) -> Phrase:
    shown = [one for one in strong(tree["reasons"], PANELS) if one["dependence"]]
    first = shown[0]
    lowest, highest = (
        pick(first["dependence"], key=lambda one: float(one["mean"])) for pick in (min, max)
    )
    values = {"feature": label(first["label"]), "low": _point(lowest), "high": _point(highest)}
    return phrase("caption.dependence", **values)


def _point(one: Tree) -> Phrase:
    """A value or level, and the mean SHAP value there."""
    at = Number(one["at"], "value") if one["label"] is None else label(one["label"])
    return phrase("caption.point", mean=Number(one["mean"], "change"), at=at)


def _distributions(tree: Tree) -> Phrase:
    found = [one for one in compared(tree["reasons"], DISTRIBUTIONS) if one["effect"] is not None]
    if not found:
        return phrase("caption.distributions_alone")
    furthest = max(found, key=lambda one: abs(one["effect"]["value"]))
    effect = furthest["effect"]
    ends = {end: Number(effect[end], "times") for end in ("value", "low", "high")}
    measure = phrase(f"effect.{effect['measure']}")
    return phrase(
        "caption.distributions", feature=label(furthest["label"]), measure=measure, **ends
    )


CAPTIONS: dict[str, Callable[[Tree], Phrase]] = {
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
