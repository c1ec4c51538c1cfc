"""What a worker does for the reasons: each a part that can be done beside the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from retain.errors import NotApplicable
from retain.execution.dataset import Dataset
from retain.execution.shared_memory import SharedValue
from retain.explanations.ablation import refit_without
from retain.explanations.associations import Associations, associations
from retain.explanations.budget import TimeBudget
from retain.explanations.context import ExplanationContext, grounds
from retain.explanations.distributions import Distribution, distributions
from retain.explanations.document import PAIRS
from retain.explanations.explain import Explained, explain
from retain.explanations.fold import FoldExplained, explain_fold
from retain.explanations.label_audit import LabelAudit, label_audit
from retain.learning.components import build_training_spec
from retain.learning.scoring import FoldScorer
from retain.record import Record
from retain.schema import Compare, Run, parse


@dataclass(frozen=True)
class AssociationResult:
    """What the customers alone tell."""

    grounds: ExplanationContext
    associations: Associations
    distributions: dict[str, Distribution]
    label_audit: list[LabelAudit]


def compute_associations(winner: Record, shared: SharedValue) -> AssociationResult:
    """Return associations, distributions and label audit."""
    prepared: Dataset = shared.load()
    found = grounds(
        prepared.customers, build_training_spec(parse(Run, winner.config)), prepared.splits
    )
    return AssociationResult(
        grounds=found,
        associations=associations(found.training, found.target, least=PAIRS),
        distributions=distributions(found.training, found.target, found.columns, seed=winner.seed),
        label_audit=label_audit(prepared.customers),
    )


def explain_fold_job(
    config: Compare, winner: Record, shared: SharedValue, place: int
) -> FoldExplained | NotApplicable:
    """Explain one fold of the winner."""
    prepared: Dataset = shared.load()
    built, fold = build_training_spec(parse(Run, winner.config)), prepared.splits.folds[place]
    with threadpool_limits(config.threads):
        scoring = FoldScorer(built, prepared.customers, prepared.splits, None)
        try:
            budget = _budget(config, winner, prepared)
            return explain_fold(scoring, fold, budget, config.explain.permutation_repeats)
        except NotApplicable as reason:
            return reason


def ablate_group_job(
    config: Compare, winner: Record, shared: SharedValue, group: str
) -> tuple[float, ...] | NotApplicable:
    """Return ROC-AUC by fold of the winner without a feature group."""
    prepared: Dataset = shared.load()
    built = build_training_spec(parse(Run, winner.config))
    with threadpool_limits(config.threads):
        try:
            return refit_without(built, prepared.customers, prepared.splits, group)
        except NotApplicable as reason:
            return reason


def sealed_explained(
    config: Compare, winner: Record, models: Sequence[BaseEstimator], prepared: Dataset
) -> list[Explained] | NotApplicable:
    """The sealed customers explained, each part by the model that scored it."""
    table = build_training_spec(parse(Run, winner.config)).feature_table(prepared.customers)
    parts, budget = prepared.splits.test_parts, _budget(config, winner, prepared)
    with threadpool_limits(config.threads):
        try:
            return [
                explain(model, table.loc[part.train], table.loc[part.test], budget)
                for model, part in zip(models, parts, strict=True)
            ]
        except NotApplicable as reason:
            return reason


def _budget(config: Compare, winner: Record, prepared: Dataset) -> TimeBudget:
    splits, explain = prepared.splits, config.explain
    repeats = min(explain.cv_repeats, winner.split.n_repeats)
    return TimeBudget(
        seconds=explain.max_seconds or 0.0,
        rows=len(splits.ids) * repeats + len(splits.test_ids),
        background=explain.background_size,
        seed=winner.seed,
    )
