"""The explanation of the winner in sentences."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from retain.explanations.ablation import MISSING_REASONS
from retain.record.explanations_document import (
    Ablation,
    Driver,
    DriversInfo,
    ExplanationsDocument,
    FeatureInfo,
    GroupInfo,
    LabelAudit,
)
from retain.report.text.drivers import driver_message
from retain.report.text.names import group_name
from retain.report.text.numbers import Number, count_path
from retain.report.text.words import Message, Values, interval, message, render_all_languages
from retain.report.tree import by_name, present, top_features


def label_audit_text(row: LabelAudit) -> Message:
    """Return the share of decreases in each class, and whether the label agrees."""
    values: Values = {}
    for name, side in (("declined", row.declined), ("stayed", row.stayed)):
        share = side.decreased_share
        values[f"{name}_share"] = Number(share.value, "share")
        values[f"{name}_range"] = interval(share.low, share.high, "share")
    return message(
        "label_audit.said", fell=_decrease_message(row), reading=_conclusion(row), **values
    )


def _decrease_message(row: LabelAudit) -> Message:
    return message("label_audit.below", before=row.previous, last=row.current)


def _conclusion(row: LabelAudit) -> Message:
    """Return whether the shares agree with the label, or at least point in its direction."""
    z = Number(row.z, "deviations")
    if row.is_consistent:
        return message("label_audit.agrees", z=z)
    declined, stayed = (side.decreased_share.value for side in (row.declined, row.stayed))
    return message("label_audit.unclear" if declined > stayed else "label_audit.against", z=z)


def explanation_sentences(explanations: ExplanationsDocument) -> list[Message]:
    """Return the explanation: groups, top feature, order, redundancy, no causes."""
    messages = [
        _groups(explanations),
        _strongest(explanations),
        _orders(explanations),
        _redundant(explanations),
    ]
    return [*(one for one in messages if one is not None), message("reasons.no_causes")]


def _groups(explanations: ExplanationsDocument) -> Message | None:
    """Return the group whose loss is largest, and whether the order is certain."""
    measured = [
        (group.name, group.ablation.auc_loss)
        for group in explanations.groups
        if group.ablation is not None
    ]
    if not measured:
        return message("reasons.costs.unknown") if explanations.groups else None
    first, lost = measured[0]
    values: Values = {
        "group": group_name(first),
        "loss": Number(lost.value, "score"),
        "range": interval(lost.low, lost.high, "score"),
    }
    if lost.low <= 0:
        return message("reasons.costs.nothing", **values)
    if len(measured) == 1:
        return message("reasons.costs.alone", **values)
    second, after = measured[1]
    values["next"] = group_name(second)
    if after.high < lost.low:
        return message("reasons.costs.clear", **values)
    next_range = interval(after.low, after.high, "score")
    return message("reasons.costs.unclear", next_range=next_range, **values)


def _strongest(explanations: ExplanationsDocument) -> Message | None:
    """Return the most important feature, or without SHAP values the most associated one."""
    top = top_features(explanations, 1)
    if top:
        strength = present(top[0].mean_abs_shap)
        return message(
            "reasons.strongest",
            feature=top[0].label,
            way=direction(top[0], "reasons.way"),
            mean=Number(strength.value, "score"),
            range=interval(strength.low, strength.high, "score"),
        )
    related = [(one.phik, one) for one in explanations.features if one.phik is not None]
    if not related:
        return None
    highest, closest = max(related, key=lambda pair: pair[0])
    phik = Number(highest, "times")
    return message("reasons.closest", feature=closest.label, phik=phik)


def direction(feature: FeatureInfo, key: str) -> Message:
    """Return the direction of a feature, in the texts under ``key``."""
    if feature.direction == "level" and feature.top_level is not None:
        return message(f"{key}.level", level=feature.top_level)
    is_monotone = feature.direction in ("up", "down")
    return message(f"{key}.{feature.direction if is_monotone else 'mixed'}")


def _orders(explanations: ExplanationsDocument) -> Message | None:
    """Return whether permutation importance and SHAP values rank the features alike."""
    drivers = explanations.drivers
    if drivers is None or drivers.ranks_agree is None:
        return None
    values = {
        "tau": Number(drivers.rank_correlation, "times"),
        "p": Number(drivers.rank_correlation_p, "p_is"),
    }
    return message(
        "reasons.orders.agree" if drivers.ranks_agree else "reasons.orders.differ", **values
    )


def _redundant(explanations: ExplanationsDocument) -> Message:
    """Return the number of redundant groups, and the first feature of the largest."""
    groups = explanations.redundant
    if not groups:
        return message("reasons.distinct")
    names, closest = by_name(explanations), groups[0]
    return message(
        "reasons.redundant",
        n=count_path(len(groups), "explanations.redundant"),
        features=[names[name].label for name in closest.features],
        phik=Number(closest.phik, "times"),
    )


def explanation_text(drivers: DriversInfo) -> Message:
    """Return the explainer and the reliability of its values."""
    return message(
        f"reasons.explained.{drivers.explainer}",
        repeats=Number(drivers.n_repeats, "count"),
        difference=Number(drivers.max_probability_gap, "p"),
        background=Number(drivers.background_size, "count"),
        error=Number(drivers.standard_error, "score"),
    )


def source(ablation: Ablation) -> Message:
    """Return the method behind a group's ablation."""
    if ablation.source == "sweep" and ablation.n_pairs is not None:
        return message("reasons.source.sweep", n=Number(ablation.n_pairs, "count"))
    return message("reasons.source.refit")


def missing_ablation(group: GroupInfo) -> Message | None:
    """Return the reason why a group has no ablation, None if it cannot be written."""
    codes = {text: code for code, text in MISSING_REASONS.items()}
    code = codes.get(group.reason or "")
    return None if code is None else message(f"reasons.no_ablation.{code}")


def driver_words(driver: Driver, features: Mapping[str, FeatureInfo]) -> Markup:
    """Return one driver of one customer in every language."""
    return render_all_languages(driver_message(driver, features[driver.feature]))
