"""The winner carried on: refitted, and held against the sealed test."""

from __future__ import annotations

from threadpoolctl import threadpool_limits

from retain.app.carried import Carried, Followed, TrainingData
from retain.app.components import experiment
from retain.app.explaining import sealed_explained
from retain.app.prepared import Prepared
from retain.campaign.campaign import refuse_impossible
from retain.campaign.reference import reference
from retain.campaign.reference import write as write_reference
from retain.campaign.settings import Settings
from retain.campaign.worth.recalibration import recalibration
from retain.campaign.worth.value import audience
from retain.learning.experiment import fit, score_sealed
from retain.learning.latest import latest
from retain.learning.metrics import chosen
from retain.learning.scores import Scores
from retain.record import Record, StudyDirectory
from retain.schema import Compare, Run, parse
from retain.verdict.curves import curves
from retain.verdict.model_file import save
from retain.verdict.sealed import SealedTest, measured


def follow(
    config: Compare, settings: Settings, made: StudyDirectory, winner: Record, data: TrainingData
) -> Followed:
    """The winner's curves from what its run wrote; the rest where the customers are at hand.

    ``made`` is the study as it is being made: the model and the reference go to its verdict.

    Raises
    ------
    RetainError
        When rules or offers are impossible for these customers; the sealed test stays closed.
    """
    scores: Scores = data.scores.load()
    if data.customers is None:
        return Followed(curves(scores, None), None)
    prepared: Prepared = data.customers.load()
    drawn = curves(scores, prepared.customers.profit)
    _refuse_impossible(scores, prepared, settings)
    return Followed(drawn, carry(config, made, winner, prepared))


def _refuse_impossible(outside: Scores, prepared: Prepared, settings: Settings) -> None:
    """Refuse rules and offers that mean nothing here, while the sealed test is still closed."""
    customers, parts, _ = latest(prepared.customers, [outside])
    found = audience(
        parts,
        customers,
        recalibration(outside),
        settings.value,
        consent=settings.planning.consent,
    )
    refuse_impossible(found, settings)


def carry(config: Compare, made: StudyDirectory, winner: Record, prepared: Prepared) -> Carried:
    """Refit the winner on all training customers and open the sealed test.

    What is saved has met every training customer. The sealed ones are scored by it, or where
    they are also among the training customers, at earlier days, by others that never met them.
    """
    customers, splits = prepared.customers, prepared.splits
    built = experiment(parse(Run, winner.config))
    with threadpool_limits(config.threads):
        models = [fit(built, customers, part.train) for part in splits.sealed_parts]
        model = models[0] if len(models) == 1 else fit(built, customers, splits.ids)
    scores = score_sealed(models, built, customers, splits)
    metrics = chosen(built.metrics, with_profit=customers.profit is not None)
    results = measured(scores, customers.profit, metrics, resamples=config.resamples)
    learnt_from = reference(built.table(customers), splits.ids, scores)
    return Carried(
        sealed=SealedTest(len(splits.sealed), results, ()),
        scores=scores,
        model={"file": made.model.name, "sha256": save(model, made.model)},
        reference={
            "file": made.reference.name,
            "sha256": write_reference(learnt_from, made.reference),
        },
        explained=sealed_explained(config, winner, models, prepared) if config.reasons.on else None,
    )
