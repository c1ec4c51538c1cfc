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
from retain.learning.components import experiment
from retain.learning.scoring import FoldScorer
from retain.record import Record
from retain.schema import Compare, Run, parse


@dataclass(frozen=True)
class AssociationResult:
    """What the customers alone tell."""

    context: ExplanationContext
    associations: Associations
    distributions: dict[str, Distribution]
    label_audit: list[LabelAudit]


def compute_associations(winner: Record, shared: SharedValue) -> AssociationResult:
    """Return associations, distributions and label audit."""
    dataset: Dataset = shared.load()
    found = grounds(dataset.customers, experiment(parse(Run, winner.config)), dataset.splits)
    return AssociationResult(
        context=found,
        associations=associations(found.training, found.target, least=PAIRS),
        distributions=distributions(found.training, found.target, found.columns, seed=winner.seed),
        label_audit=label_audit(dataset.customers),
    )


def explain_fold_job(
    config: Compare, winner: Record, shared: SharedValue, fold_index: int
) -> FoldExplained | NotApplicable:
    """Explain one fold of the winner."""
    dataset: Dataset = shared.load()
    built, fold = experiment(parse(Run, winner.config)), dataset.splits.folds[fold_index]
    with threadpool_limits(config.threads):
        scoring = FoldScorer(built, dataset.customers, dataset.splits, None)
        try:
            budget = _time_budget(config, winner, dataset)
            return explain_fold(scoring, fold, budget, config.explain.permutation_repeats)
        except NotApplicable as reason:
            return reason


def ablate_group_job(
    config: Compare, winner: Record, shared: SharedValue, group: str
) -> tuple[float, ...] | NotApplicable:
    """Return ROC-AUC by fold of the winner without a feature group."""
    dataset: Dataset = shared.load()
    built = experiment(parse(Run, winner.config))
    with threadpool_limits(config.threads):
        try:
            return refit_without(built, dataset.customers, dataset.splits, group)
        except NotApplicable as reason:
            return reason


def explain_test_customers(
    config: Compare, winner: Record, models: Sequence[BaseEstimator], dataset: Dataset
) -> list[Explained] | NotApplicable:
    """The sealed customers explained, each part by the model that scored it."""
    table = experiment(parse(Run, winner.config)).table(dataset.customers)
    parts, budget = dataset.splits.sealed_parts, _time_budget(config, winner, dataset)
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
    repeats = min(explain.cv_repeats, winner.split.repeats)
    return TimeBudget(
        seconds=explain.max_seconds or 0.0,
        rows=len(splits.ids) * repeats + len(splits.sealed),
        background=explain.background_size,
        seed=winner.seed,
    )
