"""The reasons as tables for spreadsheets: a row a feature, a row a group."""

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


def to_json(found: DataclassInstance | None) -> dict[str, Any] | None:
    """Return a finding by the names of its parts."""
    return None if found is None else asdict(found)


def number_json(value: Any) -> float | None:
    """Return a number that JSON can hold; None for one that is not known.

    >>> number_json(1), number_json(float("nan"))
    (1.0, None)
    """
    return float(value) if np.isfinite(value) else None


Tree = Mapping[str, Any]
FACTS = ("group", "kind", "is_derived", "in_model", "phik", "significance")
ESTIMATES = ("mean_abs_shap", "permutation_importance", "effect_size")
"""Parts of a feature that have an interval."""


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
    row |= {name: one[name] for name in FACTS}
    for name in ESTIMATES:
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
    found = one["ablation"]
    return {
        **{name: one[name] for name in ("name", "n_features", "in_model")},
        **_interval("auc_loss", None if found is None else found["auc_loss"]),
        **_interval("mean_abs_shap", one["mean_abs_shap"]),
        "source": None if found is None else found["source"],
        "n_pairs": None if found is None else found["n_pairs"],
        "reason": one["reason"],
    }


def _interval(name: str, found: Tree | None) -> dict[str, float | None]:
    """Return a number with both ends, each in a column of its own."""
    keys = {name: "value", f"{name}_low": "low", f"{name}_high": "high"}
    return {column: None if found is None else found[key] for column, key in keys.items()}
