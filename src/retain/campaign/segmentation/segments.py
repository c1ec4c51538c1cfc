"""Segments by bands, by rules or by a tree.

Every kind is first fitted: each cut-off becomes a number and each leaf of a tree a rule. A fitted
segmentation applies to any customers, and is serialised with ``model_dump(by_alias=True)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.segmentation import rules, segment_tree
from retain.campaign.segmentation.bands import assign_bands, check_bands, fit_bands
from retain.campaign.segmentation.plugin_rules import segments_by_plugin
from retain.campaign.segmentation.rules import values_of
from retain.errors import RetainError
from retain.plugins.registry import require
from retain.record.estimates import DisplayName
from retain.record.segments_document import DominantSegment
from retain.schema.campaign import Segmentation, ThresholdBands
from retain.schema.names import Translated

MEANT = {
    "risk_value": ("risk", "value"),
    "rules": ("rules", "default_segment", "default_label"),
    "tree": ("max_depth", "min_leaf_fraction"),
    "plugin": ("plugin", "parameters"),
}
"""Keys of a segmentation used by each kind."""


def check_segmentation(
    audience: Audience, segmentation: Segmentation, break_even_risk: float | None = None
) -> None:
    """Raise for a segmentation that is invalid for these customers.

    Raises
    ------
    RetainError
        Bands or rules are missing or invalid, or the kind does not use a key.
    """
    _check_used_keys(segmentation)
    if segmentation.kind == "plugin":
        require("segmentation", str(segmentation.plugin), "segmentation.plugin")
    if segmentation.kind == "rules":
        _check_rules(audience, segmentation)
    if segmentation.kind == "risk_value":
        if segmentation.risk is None:
            raise RetainError("segmentation.risk is missing; expected where each band begins.")
        check_bands(segmentation.risk, "risk", break_even_risk)
        if segmentation.value is not None:
            check_bands(segmentation.value, "value", None)


def fit_segmentation(
    audience: Audience, segmentation: Segmentation, *, break_even_risk: float | None = None
) -> Segmentation:
    """Return the segmentation as absolute numbers and rules.

    Its kind is ``risk_value`` or ``rules``; fitting it again changes nothing. Without profit there
    are only bands of risk.

    Raises
    ------
    RetainError
        As ``check_segmentation`` does.
    """
    check_segmentation(audience, segmentation, break_even_risk)
    return fit_checked_segmentation(audience, segmentation, break_even_risk=break_even_risk)


def fit_checked_segmentation(
    audience: Audience, segmentation: Segmentation, *, break_even_risk: float | None = None
) -> Segmentation:
    """Return ``fit_segmentation`` of a segmentation that has been checked."""
    if segmentation.kind in ("tree", "plugin"):
        is_tree = segmentation.kind == "tree"
        make_rules = segment_tree.leaf_rules if is_tree else segments_by_plugin
        name, min_size = segmentation.name, segmentation.min_size
        made = make_rules(audience, segmentation)
        found = Segmentation(name=name, min_size=min_size, kind="rules", rules=made)
        return found if is_tree else fit_segmentation(audience, found)
    if segmentation.kind == "rules":
        fitted = {
            name: named.model_copy(update={"when": rules.fit_rules(named.when, audience)})
            for name, named in segmentation.rules.items()
        }
        return segmentation.model_copy(update={"rules": fitted})
    risk = fit_bands(_require_bands(segmentation.risk), _numbers(audience, "risk"), break_even_risk)
    value = segmentation.value if "profit" in audience.table else None
    if value is not None:
        value = fit_bands(value, _numbers(audience, "profit"))
    return segmentation.model_copy(update={"risk": risk, "value": value})


def segments_of(audience: Audience, fitted: Segmentation) -> np.ndarray:
    """Return the segment name of each customer, shape (n,), dtype object.

    Segments may be empty, as the segmentation may have been fitted to other customers.
    """
    if fitted.kind == "risk_value":
        return _in_bands(audience, fitted)
    names = np.array([*fitted.rules, fitted.default_segment], dtype=object)
    indices = np.full(len(audience), len(fitted.rules))
    for index, named in reversed(list(enumerate(fitted.rules.values()))):
        indices[rules.evaluate_rule(named.when, audience)] = index
    return np.asarray(names[indices])


def segment_labels(fitted: Segmentation) -> dict[str, DisplayName | None]:
    """Return the display name, or None, of each segment by its key."""
    if fitted.kind == "rules":
        labels = {name: named.label for name, named in fitted.rules.items()}
        labels |= {fitted.default_segment: fitted.default_label}
        return {name: _to_display_name(label) for name, label in labels.items()}
    risks = _band_labels(_require_bands(fitted.risk), "risk")
    if fitted.value is None:
        return risks
    values = _band_labels(fitted.value, "value")
    return {
        f"{risk} · {value}": _join_labels(one, other)
        for risk, one in risks.items()
        for value, other in values.items()
    }


DOMINANT_SHARE = 0.9
"""Largest share of the customers that one band or segment can hold and still tell them apart."""


def find_dominant(audience: Audience, fitted: Segmentation) -> DominantSegment | None:
    """Return the band, or else the segment, that holds nearly all customers; None if none does."""
    groups = [(list(segment_labels(fitted).items()), _segment_codes(audience, fitted))]
    if fitted.kind == "risk_value":
        groups = [
            (list(_band_labels(bands, of).items()), assign_bands(bands, _numbers(audience, column)))
            for bands, of, column in _bands_of(fitted)
        ]
    for labels, codes in groups:
        shares = np.bincount(codes, minlength=len(labels)) / max(len(codes), 1)
        first = int(shares.argmax())
        if shares[first] > DOMINANT_SHARE and len(labels) > 1:
            name, label = labels[first]
            return DominantSegment(name=name, label=label, share=float(shares[first]))
    return None


def _segment_codes(audience: Audience, fitted: Segmentation) -> np.ndarray:
    names = list(segment_labels(fitted))
    return np.array([names.index(name) for name in segments_of(audience, fitted)], dtype=np.intp)


def _bands_of(
    fitted: Segmentation,
) -> Iterator[tuple[ThresholdBands, Literal["risk", "value"], str]]:
    yield _require_bands(fitted.risk), "risk", "risk"
    if fitted.value is not None:
        yield fitted.value, "value", "profit"


# --- bands ---------------------------------------------------------------------------------------


def _in_bands(audience: Audience, fitted: Segmentation) -> np.ndarray:
    names = np.array(list(segment_labels(fitted)), dtype=object)
    indices = assign_bands(_require_bands(fitted.risk), _numbers(audience, "risk"))
    if fitted.value is None:
        return np.asarray(names[indices])
    values = assign_bands(fitted.value, _numbers(audience, "profit"))
    return np.asarray(names[indices * len(fitted.value.bands) + values])


def _numbers(audience: Audience, name: str) -> np.ndarray:
    return values_of(name, audience).to_numpy(dtype=float)


def _require_bands(bands: ThresholdBands | None) -> ThresholdBands:
    if bands is None:
        raise ValueError("segments by bands need bands of risk")
    return bands


def _band_labels(
    bands: ThresholdBands, of: Literal["risk", "value"]
) -> dict[str, DisplayName | None]:
    """Return display names by segment key, such as ``high risk``."""
    return {f"{name} {of}": _to_display_name(bands.labels.get(name)) for name in bands.bands}


def _to_display_name(label: Translated | None) -> DisplayName | None:
    return None if label is None else DisplayName(label.en, label.ru)


def _join_labels(one: DisplayName | None, other: DisplayName | None) -> DisplayName | None:
    if one is None or other is None:
        return None
    return DisplayName(f"{one.en} · {other.en}", f"{one.ru} · {other.ru}")


# --- checks --------------------------------------------------------------------------------------


def _check_rules(audience: Audience, segmentation: Segmentation) -> None:
    if not segmentation.rules:
        raise RetainError("segmentation.rules is empty; expected at least one name: {when: …}.")
    if segmentation.default_segment in segmentation.rules:
        raise RetainError(
            f"segmentation.default_segment is {segmentation.default_segment!r}, and so is one of "
            "the rules; expected a name of its own."
        )
    for name, named in segmentation.rules.items():
        rules.check_rule(named.when, audience, f"segmentation.rules.{name}.when")


def _check_used_keys(segmentation: Segmentation) -> None:
    """Raise for a key that this kind does not use."""
    used = MEANT[segmentation.kind]
    others = {key for keys in MEANT.values() for key in keys} - set(used)
    for key in sorted(others):
        default = Segmentation.model_fields[key].get_default(call_default_factory=True)
        if getattr(segmentation, key) != default:
            raise RetainError.at(
                f"segmentation.{key}",
                f"it means nothing to segments of the kind {segmentation.kind!r}",
                f"expected {' or '.join(used)}",
            )
