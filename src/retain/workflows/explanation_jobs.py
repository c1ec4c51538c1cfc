"""The parts of the explanations that workers compute side by side."""

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
from retain.explanations.context import ExplanationContext, build_context
from retain.explanations.distributions import Distribution, distributions
from retain.explanations.document import MIN_PAIR_PHIK
from retain.explanations.explain import Explained, explain
from retain.explanations.fold import FoldExplained, explain_fold
from retain.explanations.label_audit import label_audit
from retain.explanations.time_budget import TimeBudget
from retain.learning.components import build_training_spec
from retain.learning.scoring import FoldScorer
from retain.record.document import Record
from retain.record.explanations_document import LabelAudit
from retain.schema.compare import Compare
from retain.schema.parsing import parse
from retain.schema.run import Run


@dataclass(frozen=True)
class AssociationResult:
    """The explanations that need only the customers."""

    context: ExplanationContext
    associations: Associations
    distributions: dict[str, Distribution]
    label_audit: list[LabelAudit]


def compute_associations(winner: Record, shared: SharedValue) -> AssociationResult:
    """Return associations, distributions and the label audit of the training customers."""
    dataset: Dataset = shared.load()
    context = build_context(
        dataset.customers, build_training_spec(parse(Run, winner.config)), dataset.splits
    )
    training, target = context.training, context.target
    return AssociationResult(
        context=context,
        associations=associations(training, target, least=MIN_PAIR_PHIK),
        distributions=distributions(training, target, context.columns, seed=winner.seed),
        label_audit=label_audit(dataset.customers),
    )


def explain_fold_job(
    config: Compare, winner: Record, shared: SharedValue, fold_index: int
) -> FoldExplained | NotApplicable:
    """Explain one fold of the winner."""
    dataset: Dataset = shared.load()
    spec, fold = build_training_spec(parse(Run, winner.config)), dataset.splits.folds[fold_index]
    with threadpool_limits(config.threads):
        scorer = FoldScorer(spec, dataset.customers, dataset.splits, None)
        try:
            budget = _time_budget(config, winner, dataset)
            return explain_fold(scorer, fold, budget, config.explain.permutation_repeats)
        except NotApplicable as reason:
            return reason


def ablate_group_job(
    config: Compare, winner: Record, shared: SharedValue, group: str
) -> tuple[float, ...] | NotApplicable:
    """Return ROC-AUC by fold of the winner without a feature group."""
    dataset: Dataset = shared.load()
    spec = build_training_spec(parse(Run, winner.config))
    with threadpool_limits(config.threads):
        try:
            return refit_without(spec, dataset.customers, dataset.splits, group)
        except NotApplicable as reason:
            return reason


def explain_test_customers(
    config: Compare, winner: Record, models: Sequence[BaseEstimator], dataset: Dataset
) -> list[Explained] | NotApplicable:
    """Explain the customers of the sealed test, each part by the model that scored it."""
    table = build_training_spec(parse(Run, winner.config)).feature_table(dataset.customers)
    parts, budget = dataset.splits.test_parts, _time_budget(config, winner, dataset)
    with threadpool_limits(config.threads):
        try:
            return [
                explain(model, table.loc[part.train], table.loc[part.test], budget)
                for model, part in zip(models, parts, strict=True)
            ]
        except NotApplicable as reason:
            return reason


def _time_budget(config: Compare, winner: Record, dataset: Dataset) -> TimeBudget:
    splits, explain = dataset.splits, config.explain
    repeats = min(explain.cv_repeats, winner.split.n_repeats)
    return TimeBudget(
        seconds=explain.max_seconds or 0.0,
        rows=len(splits.ids) * repeats + len(splits.test_ids),
        background=explain.background_size,
        seed=winner.seed,
    )
