"""What is told of each feature: what it goes with, which way, how much, and how sure that is.

May import: customers; reasons.*.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from retain.customers.customers import Column
from retain.reasons.found import Found
from retain.reasons.plain import label_told, number_told, plain
from retain.reasons.shape import dependence, direction, swarm
from retain.reasons.strength import Strength

TOP = 6
"""Features whose dependence is told."""
WEAK = 0.1
"""Strength, as a share of the strongest feature's, below which a feature counts as weak."""
UNMOVED: dict[str, Any] = dict.fromkeys(
    ("direction", "rho", "top_level", "permutation", "swarm", "dependence")
)


def features_told(found: Found, strength: Mapping[str, Strength]) -> list[dict[str, Any]]:
    """Features, the strongest first; those the winner does not see by φk, last."""
    target = found.associations.target
    order = sorted(
        map(str, target.index),
        key=lambda name: (
            strength[name].mean if name in strength else -1.0,
            number_told(target.loc[name, "phik"]) or 0.0,
        ),
        reverse=True,
    )
    strongest = max((strength[name].mean for name in order if name in strength), default=0.0)
    moved = {} if found.drivers is None else _moved(found, order)
    return [
        {
            **_known(found, name),
            "strength": plain(strength.get(name)),
            "weak": name in strength and strength[name].mean < WEAK * strongest,
            **moved.get(name, UNMOVED),
            "effect": plain(found.distributions[name].effect),
            "distribution": plain(found.distributions[name].distribution),
        }
        for name in order
    ]


def _known(found: Found, name: str) -> dict[str, Any]:
    column, row = found.grounds.columns[name], found.associations.target.loc[name]
    return {
        "name": name,
        "group": column.group,
        "label": label_told(column.label),
        "kind": column.kind,
        "derived": name in found.grounds.derived,
        "used": name in found.grounds.seen,
        "phik": number_told(row["phik"]),
        "significance": number_told(row["significance"]),
    }


def _moved(found: Found, order: list[str]) -> dict[str, dict[str, Any]]:
    """How each feature that the winner sees moves its scores."""
    drivers, grounds = found.drivers, found.grounds
    if drivers is None:
        return {}
    shares, permuted = drivers.shares, drivers.permutation(found.test_to_train)
    table = grounds.table.loc[shares.ids]
    top = [name for name in order if name in shares.features][:TOP]
    told = {}
    for j, name in enumerate(shares.features):
        values, mine = table[name], shares.log_odds[:, j]
        told[name] = {
            **_direction(values, mine, grounds.columns[name]),
            "permutation": None
            if permuted is None
            else {
                "loss": float(permuted.mean[j]),
                "low": float(permuted.low[j]),
                "high": float(permuted.high[j]),
            },
            "swarm": swarm(values, mine),
            "dependence": _dependence(values, mine, grounds.columns[name]) if name in top else None,
        }
    return told


def _direction(values: pd.Series, shares: np.ndarray, column: Column) -> dict[str, Any]:
    found = direction(values, shares)
    if found is None:
        return {"direction": None, "rho": None, "top_level": None}
    level = None if found.level is None else label_told(column.level(found.level))
    return {"direction": found.towards, "rho": found.rho, "top_level": level}


def _dependence(values: pd.Series, shares: np.ndarray, column: Column) -> list[dict[str, Any]]:
    steps = dependence(values, shares)
    for step in steps:
        level = step.pop("level")
        step["label"] = None if level is None else label_told(column.level(level))
    return steps
