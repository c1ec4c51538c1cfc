"""Warnings about a verdict that its explanations add."""

from __future__ import annotations

from collections.abc import Mapping

from retain.record.explanations_document import ExplanationsDocument
from retain.verdict.verdict import Caution, Verdict

DOMINANT_SHARE, MIN_FEATURES = 0.5, 3
"""Share of the mean absolute SHAP values that one feature of at least so many may carry."""


def list_cautions(verdict: Verdict, explanations: ExplanationsDocument | None) -> list[Caution]:
    """Return the cautions of the verdict, and of its explanations as in ``verdict.json``."""
    features = [] if explanations is None else explanations.features
    dominant = find_dominant_feature(
        {one.name: one.mean_abs_shap.value for one in features if one.mean_abs_shap is not None}
    )
    return [*verdict.cautions, *([] if dominant is None else [dominant])]


def find_dominant_feature(strength: Mapping[str, float]) -> Caution | None:
    """Return a caution if a feature carries more of the score than all others together.

    ``strength`` is the mean absolute SHAP value of each feature of the model.

    >>> find_dominant_feature({"a": 3.0, "b": 0.5, "c": 0.5}).values["share"]
    0.75
    """
    total = sum(strength.values())
    if len(strength) < MIN_FEATURES or not total:
        return None
    name = max(strength, key=lambda one: strength[one])
    share = strength[name] / total
    if share <= DOMINANT_SHARE:
        return None
    sentence = (
        f"Feature {name!r} carries {share:.0%} of the winner's score: the other "
        f"{len(strength) - 1} features together less than it alone. Was it known in time?"
    )
    return Caution("dominant_feature", sentence, {"feature": name, "share": share})
