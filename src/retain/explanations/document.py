"""The explanations in ``verdict.json``, in plain values.

    level                      fast or full, as asked for
    target                     its label, and its base rate among training customers
    groups                     ROC-AUC lost without each (ablation), and mean absolute SHAP
    features                   of each: φk with the target, mean absolute SHAP, direction,
                               permutation importance, effect size, distribution by class,
                               beeswarm, dependence
    redundant, feature_pairs   pairs of features that say the same, by φk
    drivers                    the explainer and its reliability; reason is the reason for none
    examples                   the customers with the highest risk, and their strongest drivers
    label_audit                the label compared with what the periods say

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

MIN_PAIR_PHIK = 0.5
"""φk from which a pair of features is listed."""
N_EXAMPLES = 5
"""Number of customers listed with their drivers."""


def document(result: ExplanationResult) -> dict[str, Any]:
    """Return the tree of ``explanations``, as plain values."""
    target = result.context.target
    strength = strengths_of(result)
    features = summarise_features(result, strength)
    return {
        "level": result.level,
        "target": {
            "label": label_json(result.context.target_label),
            "n_customers": len(target),
            "n_declined": int(target.sum()),
            "decline_rate": float(target.mean()),
        },
        "groups": _groups(result, strength),
        "features": features,
        "redundant": [
            {"features": list(one.features), "phik": one.phik}
            for one in result.associations.redundant()
        ],
        "feature_pairs": _pairs(result.associations),
        "drivers": None if result.drivers is None else _trust(result.drivers, features),
        "reason": result.missing,
        "examples": _examples(result),
        "label_audit": [label_audit_json(one) for one in result.label_audit],
    }


def _groups(result: ExplanationResult, strength: Mapping[str, Strength]) -> list[dict[str, Any]]:
    """Return the groups, largest contribution first."""
    messages = [_group(name, result, strength) for name in result.context.groups]

    def rank(one: dict[str, Any]) -> tuple[float, float]:
        ablation, size = one["ablation"], one["mean_abs_shap"]
        return (
            -np.inf if ablation is None else ablation["auc_loss"]["value"],
            0.0 if size is None else size["value"],
        )

    return sorted(messages, key=rank, reverse=True)


def _group(
    name: str, result: ExplanationResult, strength: Mapping[str, Strength]
) -> dict[str, Any]:
    used = name in result.context.active_groups
    contribution = result.contributions.get(name)
    reason = str(contribution) if isinstance(contribution, NotApplicable) else None
    return {
        "name": name,
        "n_features": len(result.context.groups[name]),
        "in_model": used,
        "mean_abs_shap": to_json(strength.get(f"group {name}")) if used else None,
        "ablation": _ablation(contribution) if isinstance(contribution, Contribution) else None,
        "reason": reason,
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
    agreement = rank_agreement(
        [one["mean_abs_shap"]["value"] for one in both],
        [one["permutation_importance"]["value"] for one in both],
    )
    return {
        "explainer": drivers.kind,
        "n_customers": len(drivers.contributions.ids),
        "n_repeats": drivers.repeats,
        "background_size": drivers.background,
        "standard_error": drivers.error,
        "max_probability_gap": drivers.difference,
        "rank_correlation": None if agreement is None else agreement.tau,
        "rank_correlation_p": None if agreement is None else agreement.p,
        "ranks_agree": None if agreement is None else agreement.agree,
    }


def _pairs(associations: Associations) -> list[dict[str, Any]]:
    pairs = associations.pairs[associations.pairs["phik"] > MIN_PAIR_PHIK]
    return [
        {"a": a, "b": b, "phik": float(phik), "significance": number_json(significance)}
        for a, b, phik, significance in pairs.itertuples(index=False, name=None)
    ]


def _examples(result: ExplanationResult) -> list[dict[str, Any]]:
    """Return the training customers with the highest risk, out of fold."""
    if result.drivers is None or result.strongest is None:
        return []
    contributions = result.drivers.contributions
    first = np.argsort(-contributions.probability, kind="stable")[:N_EXAMPLES]
    ids = contributions.ids[first]
    by_customer = result.strongest[result.strongest["customer_id"].isin(ids)].groupby("customer_id")
    parts = dict(iter(by_customer))
    return [
        {
            "customer_id": str(one),
            "probability": float(contributions.probability[at]),
            "drivers": [
                _driver(row, result.context.columns) for row in parts[one].to_dict("records")
            ]
            if one in parts
            else [],
        }
        for one, at in zip(ids, first, strict=True)
    ]


def _driver(row: Mapping[Any, Any], columns: Mapping[str, Column]) -> dict[str, Any]:
    """Return one driver of one customer."""
    column, level = columns[row["feature"]], row["level"]
    is_level = isinstance(level, str)
    return {
        "feature": row["feature"],
        "kind": column.kind,
        "value": number_json(row["value"]),
        "level": label_json(column.level(level)) if is_level else None,
        **{
            name: number_json(row[name])
            for name in ("typical_low", "typical_high", "typical_share")
        },
        "log_odds": float(row["log_odds"]),
        "probability_points": float(row["probability_points"]),
    }
