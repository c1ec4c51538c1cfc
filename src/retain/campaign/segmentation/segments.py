"""Segments by bands, by rules or by a tree.

Every kind is first fitted: each cut-off becomes a number and each leaf of a tree a rule. A fitted
segmentation applies to any customers, and is serialised with ``model_dump(by_alias=True)``.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.segmentation import rules, segment_tree
from retain.campaign.segmentation.conditions import values_of
from retain.customers.customers import DisplayName
from retain.errors import RetainError
from retain.schema.campaign import Segmentation, ThresholdBands, Translated

NEVER = math.nextafter(1, 2)
"""Lower bound of a band of risk that stays empty."""


def check_bands(
    bands: ThresholdBands, of: Literal["risk", "value"], break_even_risk: float | None
) -> None:
    """Raise for invalid bands.

    Raises
    ------
    RetainError
        There is no band, a bound is out of range, or bands are multiples of a missing break-even
        risk.
    """
    where = f"segmentation.{of}.bands"
    if not bands.bands:
        raise RetainError(f"{where} is empty; expected at least one name: where it begins.")
    if bands.scale == "break_even":
        _check_break_even(of, break_even_risk)
    low, high, what = _range(bands, of)
    for name, begin in bands.bands.items():
        if not (low <= begin <= high and math.isfinite(begin)):
            raise RetainError.at(f"{where}.{name}", f"it is {begin:g}", f"expected {what}")


def fit_bands(
    bands: ThresholdBands, values: np.ndarray, break_even_risk: float | None = None
) -> ThresholdBands:
    """Return the bands with absolute lower bounds, lowest first.

    Parameters
    ----------
    values
        Values for quantiles; NaN where missing.
    break_even_risk
        Unit of bands of the scale ``break_even``; infinity if no offer pays.

    >>> halves = ThresholdBands(scale="quantile", bands={"high": 0.5, "low": 0})
    >>> fit_bands(halves, np.array([1.0, 2.0, 3.0, np.nan])).bands
    {'low': 1.0, 'high': 2.0}
    """
    ordered = _sorted_bands(bands)
    begins = np.array(list(ordered.values()), dtype=float)
    observed = values[~np.isnan(values)]
    if bands.scale == "quantile" and len(observed):
        begins = np.quantile(observed, begins)
    elif bands.scale == "break_even" and break_even_risk is not None:
        # an offer that never pays has an infinite break-even risk, and 0 × infinity is NaN
        begins = np.minimum(begins * np.clip(break_even_risk, 0, 1e300), NEVER)
    numbers = dict(zip(ordered, begins.tolist(), strict=True))
    return bands.model_copy(update={"scale": "absolute", "bands": numbers})


def assign_bands(bands: ThresholdBands, values: np.ndarray) -> np.ndarray:
    """Return the index of each value's band: the highest that begins at or below it.

    Values below the lowest band and missing values belong to the lowest band.

    >>> bands = ThresholdBands(scale="absolute", bands={"low": 0, "high": 5})
    >>> assign_bands(bands, np.array([-1, 5, np.nan]))
    array([0, 1, 0])
    """
    begins = np.array(list(bands.bands.values()))
    filled = np.where(np.isnan(values), -math.inf, values)
    return (np.searchsorted(begins, filled, side="right") - 1).clip(0)


def _sorted_bands(bands: ThresholdBands) -> dict[str, float]:
    return dict(sorted(bands.bands.items(), key=lambda one: one[1]))


def _check_break_even(of: Literal["risk", "value"], break_even_risk: float | None) -> None:
    if of == "value":
        key = "segmentation.value.scale"
        raise RetainError.at(key, "it is 'break_even'", "of value, expected given or quantile")
    if break_even_risk is None or math.isnan(break_even_risk):
        raise RetainError(
            "segmentation.risk.scale is 'break_even', but without a campaign nobody knows the risk "
            "from which an offer pays; plan one, or type segmentation.risk.scale=absolute with "
            "probabilities."
        )


def _range(bands: ThresholdBands, of: Literal["risk", "value"]) -> tuple[float, float, str]:
    """Return the range of lower bounds of bands, and its description."""
    if bands.scale == "quantile":
        return 0, 1, "a quantile, 0 to 1"
    if bands.scale == "break_even":
        return 0, math.inf, "a finite multiple of the risk that pays, 0 or more"
    if of == "risk":
        return 0, NEVER, "a probability, 0 to 1"
    return -math.inf, math.inf, "a finite amount"


MEANT = {
    "risk_value": ("risk", "value"),
    "rules": ("rules", "default_segment", "default_label"),
    "tree": ("max_depth", "min_leaf_fraction"),
}
"""Keys of a segmentation used by each kind."""


def assign_segments(
    audience: Audience, segmentation: Segmentation, *, break_even_risk: float | None = None
) -> Audience:
    """Return the customers with their segments.

    Parameters
    ----------
    break_even_risk
        The risk from which the cheapest offer pays for a customer of median value, the unit of
        bands of the scale ``break_even``; None without a campaign.

    Raises
    ------
    RetainError
        As ``check_segmentation`` does.
    """
    fitted = fit_segmentation(audience, segmentation, break_even_risk=break_even_risk)
    return audience.with_segments(segments_of(audience, fitted))


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
    if segmentation.kind == "tree":
        leaves = segment_tree.leaf_rules(audience, segmentation)
        kept = segmentation.name, segmentation.min_size
        return Segmentation(name=kept[0], min_size=kept[1], kind="rules", rules=leaves)
    if segmentation.kind == "rules":
        fitted = {
            name: named.model_copy(update={"when": rules.fit_rules(named.when, audience)})
            for name, named in segmentation.rules.items()
        }
        return segmentation.model_copy(update={"rules": fitted})
    risk = fit_bands(_band_names(segmentation.risk), _numbers(audience, "risk"), break_even_risk)
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
    risks = _band_labels(_band_names(fitted.risk), "risk")
    if fitted.value is None:
        return risks
    values = _band_labels(fitted.value, "value")
    return {
        f"{risk} · {value}": _join_labels(one, other)
        for risk, one in risks.items()
        for value, other in values.items()
    }


# --- bands ---------------------------------------------------------------------------------------


def _in_bands(audience: Audience, fitted: Segmentation) -> np.ndarray:
    names = np.array(list(segment_labels(fitted)), dtype=object)
    indices = assign_bands(_band_names(fitted.risk), _numbers(audience, "risk"))
    if fitted.value is None:
        return np.asarray(names[indices])
    values = assign_bands(fitted.value, _numbers(audience, "profit"))
    return np.asarray(names[indices * len(fitted.value.bands) + values])


def _numbers(audience: Audience, name: str) -> np.ndarray:
    return values_of(name, audience).to_numpy(dtype=float)


def _band_names(bands: ThresholdBands | None) -> ThresholdBands:
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
