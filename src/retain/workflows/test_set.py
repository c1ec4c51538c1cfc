"""The winner carried on: refitted, and held against the sealed test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from retain.campaign.audience import CampaignSettings
from retain.campaign.campaign import refuse_impossible
from retain.campaign.reference import reference
from retain.campaign.reference import write as write_reference
from retain.campaign.value.recalibration import recalibration
from retain.campaign.value.value import build_audience
from retain.errors import NotApplicable
from retain.execution.dataset import Dataset
from retain.execution.shared_memory import SharedValue
from retain.learning.components import build_training_spec
from retain.learning.experiment import fit, score_test
from retain.learning.metrics import select_metrics
from retain.learning.scores import Scores, select_latest_snapshot
from retain.record import Record, StudyDirectory
from retain.schema import Compare, Run, parse
from retain.verdict.curves import curves
from retain.verdict.model_file import save
from retain.verdict.sealed_test import SealedTest, score_sealed_test
from retain.workflows.explanation_jobs import sealed_explained

if TYPE_CHECKING:
    from retain.explanations.explain import Explained


@dataclass(frozen=True)
class TrainingData:
    """A winner's scores and customers, read once for all processes of a comparison.

    Attributes
    ----------
    scores
        The out-of-fold scores its run wrote.
    customers
        The customers it learnt from with their splits, a ``Prepared``; None where they are not at
        hand.
    missing
        The message that asks for the customers; None where they are at hand.
    """

    scores: SharedValue
    customers: SharedValue | None
    missing: str | None


@dataclass(frozen=True)
class WinnerResult:
    """The winner on its customers.

    Attributes
    ----------
    sealed
        Its result on the customers no run has seen; who asked for it writes the ledger.
    scores
        Their scores.
    model
        Name and SHA-256 of the model's file.
    reference
        Name and SHA-256 of the file that tells of the training customers.
    explained
        The sealed customers explained, by model, or why they are not; None where nobody asked.
    """

    sealed: SealedTest
    scores: Scores
    model: dict[str, str]
    reference: dict[str, str]
    explained: list[Explained] | NotApplicable | None


@dataclass(frozen=True)
class WinnerJobs:
    """The winner's curves, and what it led to where its customers are at hand."""

    curves: dict[str, Any]
    carried: WinnerResult | None


def evaluate_winner(
    config: Compare,
    settings: CampaignSettings,
    made: StudyDirectory,
    winner: Record,
    data: TrainingData,
) -> WinnerJobs:
    """The winner's curves from what its run wrote; the rest where the customers are at hand.

    ``made`` is the study as it is being made: the model and the reference go to its verdict.

    Raises
    ------
    RetainError
        When rules or offers are impossible for these customers; the sealed test stays closed.
    """
    scores: Scores = data.scores.load()
    if data.customers is None:
        return WinnerJobs(curves(scores, None), None)
    prepared: Dataset = data.customers.load()
    drawn = curves(scores, prepared.customers.profit)
    _refuse_impossible(scores, prepared, settings)
    return WinnerJobs(drawn, refit_and_test(config, made, winner, prepared))


def _refuse_impossible(outside: Scores, prepared: Dataset, settings: CampaignSettings) -> None:
    """Refuse rules and offers that mean nothing here, while the sealed test is still closed."""
    customers, parts, _ = select_latest_snapshot(prepared.customers, [outside])
    found = build_audience(
        parts,
        customers,
        recalibration(outside),
        settings.assumptions,
        consent=settings.planning.consent,
    )
    refuse_impossible(found, settings)


def refit_and_test(
    config: Compare, made: StudyDirectory, winner: Record, prepared: Dataset
) -> WinnerResult:
    """Refit the winner on all training customers and open the sealed test.

    What is saved has met every training customer. The sealed ones are scored by it, or where
    they are also among the training customers, at earlier days, by others that never met them.
    """
    customers, splits = prepared.customers, prepared.splits
    built = build_training_spec(parse(Run, winner.config))
    with threadpool_limits(config.threads):
        models = [fit(built, customers, part.train) for part in splits.test_parts]
        model = models[0] if len(models) == 1 else fit(built, customers, splits.ids)
    scores = score_test(models, built, customers, splits)
    metrics = select_metrics(built.metrics, with_profit=customers.profit is not None)
    results = score_sealed_test(scores, customers.profit, metrics, resamples=config.resamples)
    learnt_from = reference(built.feature_table(customers), splits.ids, scores)
    return WinnerResult(
        sealed=SealedTest(len(splits.test_ids), results, ()),
        scores=scores,
        model={"file": made.model.name, "sha256": save(model, made.model)},
        reference={
            "file": made.reference.name,
            "sha256": write_reference(learnt_from, made.reference),
        },
        explained=sealed_explained(config, winner, models, prepared) if config.explain.on else None,
    )
