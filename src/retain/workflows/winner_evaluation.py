"""The evaluation of the winner: refitted on all training customers, tested on the sealed test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from retain.campaign.campaign import check_settings
from retain.campaign.reference import build_reference, write_reference
from retain.campaign.value.fit_recalibration import fit_recalibration
from retain.campaign.value.value import build_audience
from retain.errors import NotApplicable
from retain.execution.dataset import Dataset
from retain.execution.shared_memory import SharedValue
from retain.learning.components import build_training_spec
from retain.learning.cross_validation import fit, score_test
from retain.learning.metric_selection import select_metrics
from retain.learning.scores import Scores, select_latest_snapshot
from retain.record.comparison_document import Curves
from retain.record.document import Record
from retain.record.documents import SavedFile
from retain.record.study import StudyDirectory
from retain.schema.compare import Compare
from retain.schema.parsing import parse
from retain.schema.run import Run
from retain.schema.scoring import CampaignSettings
from retain.verdict.curves import curves
from retain.verdict.model_file import save_model
from retain.verdict.sealed_test import SealedTest, score_sealed_test
from retain.verdict.versus_random import compare_with_random
from retain.workflows.explanation_jobs import explain_test_customers

if TYPE_CHECKING:
    from retain.explanations.explain import Explained


@dataclass(frozen=True)
class TrainingData:
    """A winner's scores and customers, read once for all processes of a comparison.

    Attributes
    ----------
    scores
        The out-of-fold scores of its run.
    dataset
        The ``Dataset`` of its training customers; None if they were not found.
    missing_data_message
        Message that asks for the customers; None if they were found.
    """

    scores: SharedValue
    dataset: SharedValue | None
    missing_data_message: str | None


@dataclass(frozen=True)
class WinnerResult:
    """The refitted winner and its sealed test.

    Attributes
    ----------
    sealed_test
        Metrics on the customers of the sealed test; the caller writes the ledger.
    test_scores
        Scores of these customers.
    model
        Name and SHA-256 of the model's file.
    reference
        Name and SHA-256 of the file about the training customers.
    test_explanations
        Explanations of the test customers by model, or the reason why there are none; None if
        nothing is explained.
    """

    sealed_test: SealedTest
    test_scores: Scores
    model: SavedFile
    reference: SavedFile
    test_explanations: list[Explained] | NotApplicable | None


@dataclass(frozen=True)
class WinnerEvaluation:
    """The winner's curves, and its results if its customers were found."""

    curves: Curves
    result: WinnerResult | None


def evaluate_winner(  # noqa: PLR0913, PLR0917 - a job has positional arguments
    config: Compare,
    settings: CampaignSettings,
    staged: StudyDirectory,
    winner: Record,
    data: TrainingData,
    access_number: int,
) -> WinnerEvaluation:
    """Return the winner's curves, and its results if its customers were found.

    ``staged`` is the new study folder: the model and the reference are written to its verdict.
    ``access_number`` is that of this winner in the ledger, for the level of the test of chance.

    Raises
    ------
    RetainError
        If rules or offers are impossible for these customers; the sealed test stays closed.
    """
    scores: Scores = data.scores.load()
    if data.dataset is None:
        return WinnerEvaluation(curves(scores, None), None)
    dataset: Dataset = data.dataset.load()
    customers = dataset.customers
    winner_curves = curves(scores, customers.profit, customers.duplicate_groups)
    _check_rules_and_offers(scores, dataset, settings)
    result = refit_and_test(config, staged, winner, dataset, access_number=access_number)
    return WinnerEvaluation(winner_curves, result)


def _check_rules_and_offers(
    oof_scores: Scores, dataset: Dataset, settings: CampaignSettings
) -> None:
    """Check segmentation rules and offers before the sealed test is opened."""
    customers, scores, _ = select_latest_snapshot(dataset.customers, [oof_scores])
    audience = build_audience(
        scores,
        customers,
        fit_recalibration(oof_scores, dataset.customers),
        settings.assumptions,
        consent=settings.campaign.consent,
    )
    check_settings(audience, settings)


def refit_and_test(
    config: Compare,
    staged: StudyDirectory,
    winner: Record,
    dataset: Dataset,
    *,
    access_number: int,
) -> WinnerResult:
    """Refit the winner on all training customers and score the sealed test.

    The saved model is fitted on all training customers. It scores the test customers, except those
    who are training customers at earlier snapshots: other models, fitted without them, score them.
    """
    customers, splits = dataset.customers, dataset.splits
    spec = build_training_spec(parse(Run, winner.config))
    with threadpool_limits(config.threads):
        models = [fit(spec, customers, part.train) for part in splits.test_parts]
        model = models[0] if len(models) == 1 else fit(spec, customers, splits.ids)
    scores = score_test(models, spec, customers, splits)
    metrics = select_metrics(spec.metrics, with_profit=customers.profit is not None)
    tested, groups = scores.table, customers.duplicate_groups
    results = score_sealed_test(
        scores, customers.profit, metrics, groups=groups, simulations=config.resamples
    )
    chance = compare_with_random(
        tested["target"].to_numpy(),
        tested["probability"].to_numpy(),
        groups.loc[tested["customer_id"]].to_numpy(),
        access_number=access_number,
    )
    table = spec.feature_table(customers)
    training = build_reference(table, splits.ids, scores, customers.columns)
    model_sha256 = save_model(model, staged.model)
    reference_sha256 = write_reference(training, staged.reference)
    explanations = None
    if config.explain.on:
        explanations = explain_test_customers(config, winner, models, dataset)
    return WinnerResult(
        sealed_test=SealedTest(len(splits.test_ids), results, (), chance),
        test_scores=scores,
        model=SavedFile(file=staged.model.name, sha256=model_sha256),
        reference=SavedFile(file=staged.reference.name, sha256=reference_sha256),
        test_explanations=explanations,
    )
