"""The explanations as tables for spreadsheets: of features and of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from retain.customers.customers import DisplayName

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def label_json(label: DisplayName | None) -> dict[str, str] | None:
    """Return a label in both languages."""
    return None if label is None else asdict(label)


def to_json(value: DataclassInstance | None) -> dict[str, Any] | None:
    """Return a dataclass as a dict."""
    return None if value is None else asdict(value)


def number_json(value: Any) -> float | None:
    """Return a number as JSON value; None for NaN.

    >>> number_json(1), number_json(float("nan"))
    (1.0, None)
    """
    return float(value) if np.isfinite(value) else None


Tree = Mapping[str, Any]
FACT_COLUMNS = ("group", "kind", "is_derived", "in_model", "phik", "significance")
ESTIMATE_COLUMNS = ("mean_abs_shap", "permutation_importance", "effect_size")
"""Parts of a feature with an interval."""


def features_table(features: Sequence[Tree]) -> pd.DataFrame:
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


def groups_table(groups: Sequence[Tree]) -> pd.DataFrame:
    """Return the table of feature groups, largest loss first.

    Returns
    -------
    DataFrame
        ``name, n_features, in_model``; ``auc_loss`` and ``mean_abs_shap`` (log-odds), each with
        ``_low`` and ``_high``; ``source, n_pairs, reason``.
    """
    return pd.DataFrame([_group(one) for one in groups])


def _feature(one: Tree) -> dict[str, Any]:
    label, level = one["label"], one["top_level"]
    row = {"name": one["name"], "label_en": label["en"], "label_ru": label["ru"]}
    row |= {name: one[name] for name in FACT_COLUMNS}
    for name in ESTIMATE_COLUMNS:
        row |= _interval(name, one[name])
    effect = one["effect_size"]
    return {
        **row,
        "direction": one["direction"],
        "top_level": None if level is None else level["en"],
        "is_weak": one["is_weak"],
        "effect_measure": None if effect is None else effect["measure"],
    }


def _group(one: Tree) -> dict[str, Any]:
    contribution = one["ablation"]
    return {
        **{name: one[name] for name in ("name", "n_features", "in_model")},
        **_interval("auc_loss", None if contribution is None else contribution["auc_loss"]),
        **_interval("mean_abs_shap", one["mean_abs_shap"]),
        "source": None if contribution is None else contribution["source"],
        "n_pairs": None if contribution is None else contribution["n_pairs"],
        "reason": one["reason"],
    }


def _interval(name: str, estimate: Tree | None) -> dict[str, float | None]:
    """Return an estimate and its bounds, each in its own column."""
    keys = {name: "value", f"{name}_low": "low", f"{name}_high": "high"}
    return {column: None if estimate is None else estimate[key] for column, key in keys.items()}
