"""The part of ``verdict.json`` that tells why, in plain values; the page adds none.

    level                      fast or full, as asked for
    target                     what it means, and its base rate among training customers
    groups                     ROC-AUC lost without each (ablation), and their mean absolute SHAP
    features                   of each: φk with the target, mean absolute SHAP, direction,
                               permutation importance, effect size, distribution by class,
                               beeswarm, dependence
    redundant, feature_pairs   features that say the same, by φk
    drivers                    which explainer, and how far it can be trusted; reason says why none
    examples                   the customers with the highest risk, and their strongest drivers
    label_audit                what the label says against what the periods say

SHAP values are in log-odds, ablation and permutation importance in ROC-AUC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from retain.customers.customers import Column
from retain.errors import NotApplicable
from retain.explanations.ablation import Contribution
from retain.explanations.associations import Associations
from retain.explanations.drivers import Drivers, rank_agreement
from retain.explanations.feature_summary import ExplanationResult, strengths_of, summarise_features
from retain.explanations.label_audit import label_audit_json
from retain.explanations.shap_profile import Strength
from retain.explanations.tables import label_json, number_json, to_json

PAIRS = 0.5
"""φk from which a pair of features is told."""
EXAMPLES = 5
"""Customers whose drivers are told."""


def document(found: ExplanationResult) -> dict[str, Any]:
    """Return the tree of ``explanations``, in plain values."""
    target = found.grounds.target
    strength = strengths_of(found)
    features = summarise_features(found, strength)
    return {
        "level": found.level,
        "target": {
            "label": label_json(found.grounds.activity),
            "n_customers": len(target),
            "n_declined": int(target.sum()),
            "decline_rate": float(target.mean()),
        },
        "groups": _groups(found, strength),
        "features": features,
        "redundant": [
            {"features": list(one.features), "phik": one.phik}
            for one in found.associations.redundant()
        ],
        "feature_pairs": _pairs(found.associations),
        "drivers": None if found.drivers is None else _trust(found.drivers, features),
        "reason": found.missing,
        "examples": _examples(found),
        "label_audit": [label_audit_json(one) for one in found.label_audit],
    }


def _groups(found: ExplanationResult, strength: Mapping[str, Strength]) -> list[dict[str, Any]]:
    """Return groups, the one whose absence costs most first."""
    messages = [_group(name, found, strength) for name in found.grounds.groups]

    def rank(one: dict[str, Any]) -> tuple[float, float]:
        ablation, size = one["ablation"], one["mean_abs_shap"]
        return (
            -np.inf if ablation is None else ablation["auc_loss"]["value"],
            0.0 if size is None else size["value"],
        )

    return sorted(messages, key=rank, reverse=True)


def _group(name: str, found: ExplanationResult, strength: Mapping[str, Strength]) -> dict[str, Any]:
    used = name in found.grounds.active_groups
    contribution = found.contributions.get(name)
    why_not = str(contribution) if isinstance(contribution, NotApplicable) else None
    return {
        "name": name,
        "n_features": len(found.grounds.groups[name]),
        "in_model": used,
        "mean_abs_shap": to_json(strength.get(f"group {name}")) if used else None,
        "ablation": _ablation(contribution) if isinstance(contribution, Contribution) else None,
        "reason": why_not,
    }


def _ablation(found: Contribution) -> dict[str, Any]:
    return {
        "auc_loss": {"value": found.loss, "low": found.low, "high": found.high},
        "source": found.source,
        "n_pairs": found.pairs,
    }


def _trust(drivers: Drivers, features: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the explainer and the measures of its reliability."""
    both = [one for one in features if one["mean_abs_shap"] and one["permutation_importance"]]
    alike = rank_agreement(
        [one["mean_abs_shap"]["value"] for one in both],
        [one["permutation_importance"]["value"] for one in both],
    )
    return {
        "explainer": drivers.kind,
        "n_customers": len(drivers.shares.ids),
        "n_repeats": drivers.repeats,
        "background_size": drivers.background,
        "standard_error": drivers.error,
        "max_probability_gap": drivers.difference,
        "rank_correlation": None if alike is None else alike.tau,
        "rank_correlation_p": None if alike is None else alike.p,
        "ranks_agree": None if alike is None else alike.agree,
    }


def _pairs(associations: Associations) -> list[dict[str, Any]]:
    pairs = associations.pairs[associations.pairs["phik"] > PAIRS]
    return [
        {"a": a, "b": b, "phik": float(phik), "significance": number_json(significance)}
        for a, b, phik, significance in pairs.itertuples(index=False, name=None)
    ]


def _examples(found: ExplanationResult) -> list[dict[str, Any]]:
    """Return the training customers with the highest risk, out of fold."""
    if found.drivers is None or found.strongest is None:
        return []
    shares = found.drivers.shares
    first = np.argsort(-shares.probability, kind="stable")[:EXAMPLES]
    ids = shares.ids[first]
    by_customer = found.strongest[found.strongest["customer_id"].isin(ids)].groupby("customer_id")
    parts = dict(iter(by_customer))
    return [
        {
            "customer_id": str(one),
            "probability": float(shares.probability[at]),
            "drivers": [
                _driver(row, found.grounds.columns) for row in parts[one].to_dict("records")
            ]
            if one in parts
            else [],
        }
        for one, at in zip(ids, first, strict=True)
    ]


def _driver(row: Mapping[Any, Any], columns: Mapping[str, Column]) -> dict[str, Any]:
    """One driver of one customer, as the tree has it."""
    column, level = columns[row["feature"]], row["level"]
    known = isinstance(level, str)
    return {
        "feature": row["feature"],
        "kind": column.kind,
        "value": number_json(row["value"]),
        "level": label_json(column.level(level)) if known else None,
        **{
            name: number_json(row[name])
            for name in ("typical_low", "typical_high", "typical_share")
        },
        "log_odds": float(row["log_odds"]),
        "probability_points": float(row["probability_points"]),
    }
