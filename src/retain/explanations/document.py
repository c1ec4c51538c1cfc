"""The explanations in ``verdict.json``, in plain values.

    level                      fast or full, as asked for
    target                     its label, and its base rate among training customers
    groups                     ROC-AUC lost without each group (contribution), and SHAP strength
    features                   of each: φk with the target, strength, direction, permutation
                               importance, effect size, distribution by class, swarm, dependence
    redundant, pairs           redundant features, by φk
    drivers                    the explainer and its reliability; missing is the reason for none
    examples                   the customers with the highest risk, and their strongest drivers
    label_audit                the label compared with the figures of periods

SHAP values are in log-odds, contributions and permutation importance in ROC-AUC.
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
from retain.explanations.shap_profile import Strength
from retain.explanations.tables import label_json, number_json, to_json

PAIRS = 0.5
"""φk from which a pair of features is listed."""
EXAMPLES = 5
"""Number of customers listed with their drivers."""


def document(result: ExplanationResult) -> dict[str, Any]:
    """Return the explanations as plain values."""
    target = result.grounds.target
    strength = strengths_of(result)
    features = summarise_features(result, strength)
    return {
        "level": result.level,
        "target": {
            "label": label_json(result.grounds.activity),
            "customers": len(target),
            "declined": int(target.sum()),
            "rate": float(target.mean()),
        },
        "groups": _groups(result, strength),
        "features": features,
        "redundant": [
            {"features": list(one.features), "phik": one.phik}
            for one in result.associations.redundant()
        ],
        "pairs": _pairs(result.associations),
        "drivers": None if result.drivers is None else _trust(result.drivers, features),
        "missing": result.missing,
        "examples": _examples(result),
        "label_audit": [to_json(one) for one in result.label_audit],
    }


def _groups(result: ExplanationResult, strength: Mapping[str, Strength]) -> list[dict[str, Any]]:
    """Return the groups, largest contribution first."""
    messages = [_group(name, result, strength) for name in result.grounds.groups]

    def rank(one: dict[str, Any]) -> tuple[float, float]:
        contribution, size = one["contribution"], one["strength"]
        return (
            -np.inf if contribution is None else contribution["loss"],
            0.0 if size is None else size["mean"],
        )

    return sorted(messages, key=rank, reverse=True)


def _group(
    name: str, result: ExplanationResult, strength: Mapping[str, Strength]
) -> dict[str, Any]:
    used = name in result.grounds.active_groups
    contribution = result.contributions.get(name)
    reason = str(contribution) if isinstance(contribution, NotApplicable) else None
    return {
        "name": name,
        "features": len(result.grounds.groups[name]),
        "used": used,
        "strength": to_json(strength.get(f"group {name}")) if used else None,
        "contribution": to_json(contribution) if isinstance(contribution, Contribution) else None,
        "why_not": reason,
    }


def _trust(drivers: Drivers, features: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the explainer and the measures of its reliability."""
    both = [one for one in features if one["strength"] and one["permutation"]]
    agreement = rank_agreement(
        [one["strength"]["mean"] for one in both], [one["permutation"]["loss"] for one in both]
    )
    return {
        "explainer": drivers.kind,
        "customers": len(drivers.shares.ids),
        "repeats": drivers.repeats,
        "background": drivers.background,
        "error": drivers.error,
        "difference": drivers.difference,
        "tau": None if agreement is None else agreement.tau,
        "tau_p": None if agreement is None else agreement.p,
        "agree": None if agreement is None else agreement.agree,
    }


def _pairs(associations: Associations) -> list[dict[str, Any]]:
    pairs = associations.pairs[associations.pairs["phik"] > PAIRS]
    return [
        {"a": a, "b": b, "phik": float(phik), "significance": number_json(significance)}
        for a, b, phik, significance in pairs.itertuples(index=False, name=None)
    ]


def _examples(result: ExplanationResult) -> list[dict[str, Any]]:
    """Return the training customers with the highest risk, out of fold."""
    if result.drivers is None or result.strongest is None:
        return []
    shares = result.drivers.shares
    first = np.argsort(-shares.probability, kind="stable")[:EXAMPLES]
    ids = shares.ids[first]
    by_customer = result.strongest[result.strongest["customer_id"].isin(ids)].groupby("customer_id")
    parts = dict(iter(by_customer))
    return [
        {
            "customer_id": str(one),
            "probability": float(shares.probability[at]),
            "drivers": [
                _driver(row, result.grounds.columns) for row in parts[one].to_dict("records")
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
        **{name: number_json(row[name]) for name in ("usual_low", "usual_high", "usual_share")},
        "log_odds": float(row["log_odds"]),
        "points": float(row["points"]),
    }
