"""What a worker does for the reasons: each a part that can be done beside the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from retain.app.components import experiment
from retain.app.prepared import Prepared
from retain.app.shared_memory import SharedValue
from retain.errors import NotApplicable
from retain.learning.scoring import Scoring
from retain.reasons.associations import Associations, associations
from retain.reasons.budget import Budget
from retain.reasons.contribution import without
from retain.reasons.distributions import Distribution, distributions
from retain.reasons.document import PAIRS
from retain.reasons.explain import Explained, explain
from retain.reasons.fold import FoldExplained, explain_fold
from retain.reasons.grounds import Grounds, grounds
from retain.reasons.label_audit import LabelAudit, label_audit
from retain.record import Record
from retain.schema import Compare, Run, parse


@dataclass(frozen=True)
class Looked:
    """What the customers alone tell."""

    grounds: Grounds
    associations: Associations
    distributions: dict[str, Distribution]
    label_audit: list[LabelAudit]


def look(winner: Record, shared: SharedValue) -> Looked:
    """Return associations, distributions and label audit."""
    prepared: Prepared = shared.load()
    found = grounds(prepared.customers, experiment(parse(Run, winner.config)), prepared.splits)
    return Looked(
        grounds=found,
        associations=associations(found.training, found.target, least=PAIRS),
        distributions=distributions(found.training, found.target, found.columns, seed=winner.seed),
        label_audit=label_audit(prepared.customers),
    )


def explain_part(
    config: Compare, winner: Record, shared: SharedValue, place: int
) -> FoldExplained | NotApplicable:
    """Explain one fold of the winner."""
    prepared: Prepared = shared.load()
    built, fold = experiment(parse(Run, winner.config)), prepared.splits.folds[place]
    with threadpool_limits(config.threads):
        scoring = Scoring(built, prepared.customers, prepared.splits, None)
        try:
            budget = _budget(config, winner, prepared)
            return explain_fold(scoring, fold, budget, config.reasons.permutations)
        except NotApplicable as reason:
            return reason


def leave_out(
    config: Compare, winner: Record, shared: SharedValue, group: str
) -> tuple[float, ...] | NotApplicable:
    """Return ROC-AUC by fold of the winner without a feature group."""
    prepared: Prepared = shared.load()
    built = experiment(parse(Run, winner.config))
    with threadpool_limits(config.threads):
        try:
            return without(built, prepared.customers, prepared.splits, group)
        except NotApplicable as reason:
            return reason


def sealed_explained(
    config: Compare, winner: Record, models: Sequence[BaseEstimator], prepared: Prepared
) -> list[Explained] | NotApplicable:
    """The sealed customers explained, each part by the model that scored it."""
    table = experiment(parse(Run, winner.config)).table(prepared.customers)
    parts, budget = prepared.splits.sealed_parts, _budget(config, winner, prepared)
    with threadpool_limits(config.threads):
        try:
            return [
                explain(model, table.loc[part.train], table.loc[part.test], budget)
                for model, part in zip(models, parts, strict=True)
            ]
        except NotApplicable as reason:
            return reason


def _budget(config: Compare, winner: Record, prepared: Prepared) -> Budget:
    splits, reasons = prepared.splits, config.reasons
    repeats = min(reasons.repeats, winner.split.repeats)
    return Budget(
        seconds=reasons.seconds or 0.0,
        rows=len(splits.ids) * repeats + len(splits.sealed),
        background=reasons.background,
        seed=winner.seed,
    )
