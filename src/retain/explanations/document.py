"""The explanations of a winner as ``verdict.json`` has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from retain.customers.customers import Column
from retain.errors import NotApplicable
from retain.explanations.associations import Associations
from retain.explanations.drivers import Drivers, rank_agreement
from retain.explanations.feature_summary import ExplanationResult, strengths_of, summarise_features
from retain.explanations.tables import number_or_none
from retain.record.estimates import Estimate
from retain.record.explanations_document import (
    Ablation,
    Driver,
    DriversInfo,
    ExampleCustomer,
    ExplainedTarget,
    ExplanationsDocument,
    FeatureInfo,
    FeaturePair,
    GroupInfo,
)

MIN_PAIR_PHIK = 0.5
"""φk from which a pair of features is listed."""
N_EXAMPLES = 5
"""Number of customers listed with their drivers."""


def document(result: ExplanationResult) -> ExplanationsDocument:
    """Return the explanations for ``verdict.json``."""
    target = result.context.target
    strength = strengths_of(result)
    features = summarise_features(result, strength)
    return ExplanationsDocument(
        level=result.level,
        target=ExplainedTarget(
            label=result.context.target_label,
            n_customers=len(target),
            n_declined=int(target.sum()),
            decline_rate=float(target.mean()),
        ),
        groups=_groups(result, strength),
        features=features,
        redundant=tuple(result.associations.redundant()),
        feature_pairs=_pairs(result.associations),
        drivers=None if result.drivers is None else _trust(result.drivers, features),
        reason=result.missing,
        examples=_examples(result),
        label_audit=tuple(result.label_audit),
    )


def add_contributions(
    document: ExplanationsDocument, result: ExplanationResult
) -> ExplanationsDocument:
    """Return the document with the contributions of the result in its groups."""
    return document.model_copy(update={"groups": _groups(result, strengths_of(result))})


def _groups(result: ExplanationResult, strength: Mapping[str, Estimate]) -> tuple[GroupInfo, ...]:
    """Return the groups, largest contribution first."""
    groups = [_group(name, result, strength) for name in result.context.groups]

    def rank(one: GroupInfo) -> tuple[float, float]:
        return (
            -np.inf if one.ablation is None else one.ablation.auc_loss.value,
            0.0 if one.mean_abs_shap is None else one.mean_abs_shap.value,
        )

    return tuple(sorted(groups, key=rank, reverse=True))


def _group(name: str, result: ExplanationResult, strength: Mapping[str, Estimate]) -> GroupInfo:
    used = name in result.context.active_groups
    contribution = result.contributions.get(name)
    return GroupInfo(
        name=name,
        n_features=len(result.context.groups[name]),
        in_model=used,
        mean_abs_shap=strength.get(f"group {name}") if used else None,
        ablation=contribution if isinstance(contribution, Ablation) else None,
        reason=str(contribution) if isinstance(contribution, NotApplicable) else None,
    )


def _trust(drivers: Drivers, features: Sequence[FeatureInfo]) -> DriversInfo:
    """Return the explainer and the measures of its reliability."""
    pairs = ((one.mean_abs_shap, one.permutation_importance) for one in features)
    both = [
        (size.value, loss.value) for size, loss in pairs if size is not None and loss is not None
    ]
    agreement = rank_agreement([size for size, _ in both], [loss for _, loss in both])
    return DriversInfo(
        explainer=drivers.kind,
        n_customers=len(drivers.contributions.ids),
        n_repeats=drivers.repeats,
        background_size=drivers.background,
        standard_error=drivers.error,
        max_probability_gap=drivers.difference,
        rank_correlation=None if agreement is None else agreement.tau,
        rank_correlation_p=None if agreement is None else agreement.p,
        ranks_agree=None if agreement is None else agreement.agree,
    )


def _pairs(associations: Associations) -> tuple[FeaturePair, ...]:
    pairs = associations.pairs[associations.pairs["phik"] > MIN_PAIR_PHIK]
    return tuple(
        FeaturePair(a=a, b=b, phik=float(phik), significance=number_or_none(significance))
        for a, b, phik, significance in pairs.itertuples(index=False, name=None)
    )


def _examples(result: ExplanationResult) -> tuple[ExampleCustomer, ...]:
    """Return the training customers with the highest risk, out of fold."""
    if result.drivers is None or result.strongest is None:
        return ()
    contributions = result.drivers.contributions
    first = np.argsort(-contributions.probability, kind="stable")[:N_EXAMPLES]
    ids = contributions.ids[first]
    by_customer = result.strongest[result.strongest["customer_id"].isin(ids)].groupby("customer_id")
    parts = {one: part.to_dict("records") for one, part in by_customer}
    return tuple(
        ExampleCustomer(
            customer_id=str(one),
            probability=float(contributions.probability[at]),
            drivers=tuple(_driver(row, result.context.columns) for row in parts.get(one, ())),
        )
        for one, at in zip(ids, first, strict=True)
    )


def _driver(row: Mapping[Any, Any], columns: Mapping[str, Column]) -> Driver:
    """Return one driver of one customer."""
    column, level = columns[row["feature"]], row["level"]
    return Driver(
        feature=row["feature"],
        kind=column.kind,
        value=number_or_none(row["value"]),
        level=column.level(level) if isinstance(level, str) else None,
        typical_low=number_or_none(row["typical_low"]),
        typical_high=number_or_none(row["typical_high"]),
        typical_share=number_or_none(row["typical_share"]),
        log_odds=float(row["log_odds"]),
        probability_points=float(row["probability_points"]),
    )
