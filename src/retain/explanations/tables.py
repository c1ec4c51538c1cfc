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
FACTS = ("group", "kind", "derived", "used", "phik", "significance")
ENDS = {"strength": "mean", "permutation": "loss", "effect": "value"}
"""Parts of a feature with an interval, and the key of the estimate."""


def features_table(features: Sequence[Tree]) -> pd.DataFrame:
    """Return the table of features, most important first.

    Returns
    -------
    DataFrame
        ``name, label_en, label_ru, group, kind, derived, used, phik, significance``; ``strength``
        (log-odds), ``permutation`` (ROC-AUC) and ``effect`` (Cliff's δ or Cramér's V), each with
        ``_low`` and ``_high``; ``direction, top_level, weak, measure``.
    """
    return pd.DataFrame([_feature(one) for one in features])


def groups_table(groups: Sequence[Tree]) -> pd.DataFrame:
    """Return the table of feature groups, largest loss first.

    Returns
    -------
    DataFrame
        ``name, features, used``; ``loss`` (ROC-AUC) and ``strength`` (log-odds), each with
        ``_low`` and ``_high``; ``source, pairs, why_not``.
    """
    return pd.DataFrame([_group(one) for one in groups])


def _feature(one: Tree) -> dict[str, Any]:
    label, level = one["label"], one["top_level"]
    row = {"name": one["name"], "label_en": label["en"], "label_ru": label["ru"]}
    row |= {name: one[name] for name in FACTS}
    for part, middle in ENDS.items():
        row |= _interval(part, one[part], middle)
    effect = one["effect"]
    return {
        **row,
        "direction": one["direction"],
        "top_level": None if level is None else level["en"],
        "weak": one["weak"],
        "measure": None if effect is None else effect["measure"],
    }


def _group(one: Tree) -> dict[str, Any]:
    contribution = one["contribution"]
    return {
        **{name: one[name] for name in ("name", "features", "used")},
        **_interval("loss", contribution, "loss"),
        **_interval("strength", one["strength"], "mean"),
        "source": None if contribution is None else contribution["source"],
        "pairs": None if contribution is None else contribution["pairs"],
        "why_not": one["why_not"],
    }


def _interval(name: str, estimate: Tree | None, middle: str) -> dict[str, float | None]:
    """Return an estimate and its bounds, each in its own column."""
    keys = {name: middle, f"{name}_low": "low", f"{name}_high": "high"}
    return {column: None if estimate is None else estimate[key] for column, key in keys.items()}
