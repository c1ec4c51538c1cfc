"""The explanations as tables for spreadsheets: of features and of groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from retain.record.estimates import Effect, Estimate
from retain.record.explanations_document import FeatureInfo, GroupInfo


def number_or_none(value: Any) -> float | None:
    """Return a number; None for NaN.

    >>> number_or_none(1), number_or_none(float("nan"))
    (1.0, None)
    """
    return float(value) if np.isfinite(value) else None


FACT_COLUMNS = ("group", "kind", "is_derived", "in_model", "phik", "significance")
ESTIMATE_COLUMNS = ("mean_abs_shap", "permutation_importance", "effect_size")
"""Parts of a feature with an interval."""


def features_table(features: Sequence[FeatureInfo]) -> pd.DataFrame:
    """Return the table of features, most important first.

    Returns
    -------
    DataFrame
        ``name, label_en, label_ru, group, kind, is_derived, in_model, phik, significance``;
        ``mean_abs_shap`` (log-odds), ``permutation_importance`` (ROC-AUC) and ``effect_size``
        (Cliff's δ or Cramér's V), each with ``_low`` and ``_high``; ``direction, top_level,
        is_weak, effect_measure``.
    """
    return pd.DataFrame([_feature(one) for one in features])


def groups_table(groups: Sequence[GroupInfo]) -> pd.DataFrame:
    """Return the table of feature groups, largest loss first.

    Returns
    -------
    DataFrame
        ``name, n_features, in_model``; ``auc_loss`` and ``mean_abs_shap`` (log-odds), each with
        ``_low`` and ``_high``; ``source, n_pairs, reason``.
    """
    return pd.DataFrame([_group(one) for one in groups])


def _feature(one: FeatureInfo) -> dict[str, object]:
    level, effect = one.top_level, one.effect_size
    row: dict[str, object] = {"name": one.name, "label_en": one.label.en, "label_ru": one.label.ru}
    row |= {name: getattr(one, name) for name in FACT_COLUMNS}
    for name in ESTIMATE_COLUMNS:
        row |= _interval(name, getattr(one, name))
    return {
        **row,
        "direction": one.direction,
        "top_level": None if level is None else level.en,
        "is_weak": one.is_weak,
        "effect_measure": None if effect is None else effect.measure,
    }


def _group(one: GroupInfo) -> dict[str, object]:
    ablation = one.ablation
    return {
        "name": one.name,
        "n_features": one.n_features,
        "in_model": one.in_model,
        **_interval("auc_loss", None if ablation is None else ablation.auc_loss),
        **_interval("mean_abs_shap", one.mean_abs_shap),
        "source": None if ablation is None else ablation.source,
        "n_pairs": None if ablation is None else ablation.n_pairs,
        "reason": one.reason,
    }


def _interval(name: str, estimate: Estimate | Effect | None) -> dict[str, float | None]:
    """Return an estimate and its bounds, each in its own column."""
    if estimate is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
