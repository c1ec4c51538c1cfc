"""The winner carried on: refitted, and held against the sealed test."""

from __future__ import annotations

import pandas as pd
from threadpoolctl import threadpool_limits

from retain.app.at_hand import at_hand
from retain.app.carried import Carried, Followed
from retain.app.components import experiment
from retain.app.explaining import sealed_explained
from retain.app.prepared import Prepared
from retain.app.studies import scores_of
from retain.campaign.campaign import refuse_impossible
from retain.campaign.reference import reference
from retain.campaign.reference import write as write_reference
from retain.campaign.settings import Settings
from retain.campaign.worth.recalibration import recalibration
from retain.campaign.worth.value import audience
from retain.errors import RetainError
from retain.learning.experiment import fit, score_sealed
from retain.learning.latest import latest
from retain.learning.metrics import chosen
from retain.learning.scores import Scores
from retain.record import Record, RunDirectory, StudyDirectory
from retain.schema import Compare, Run, parse
from retain.verdict.curves import curves
from retain.verdict.model_file import save
from retain.verdict.sealed import Ledger, SealedTest, measured


def follow(
    config: Compare, settings: Settings, study: StudyDirectory, run: RunDirectory, winner: Record
) -> Followed:
    """The winner's curves from what its run wrote; the rest where the customers are at hand.

    Raises
    ------
    RetainError
        When its scores cannot be read, or data that are given are not the winner's.
    """
    scores = scores_of(run, winner)
    prepared, missing = at_hand(config, winner)
    if prepared is None:
        return Followed(curves(scores, None), None, missing)
    _refuse_foreign(scores, prepared, run)
    drawn = curves(scores, prepared.customers.profit)
    _refuse_impossible(scores, prepared, settings)
    return Followed(drawn, carry(config, study, winner, prepared), None)


def _refuse_foreign(scores: Scores, prepared: Prepared, run: RunDirectory) -> None:
    """Refuse scores of others than the winner's customers, or of customers who did otherwise."""
    table, labels = scores.table, prepared.customers.labelled
    known = pd.Index(table["customer_id"]).isin(prepared.splits.ids)
    if known.all() and (labels.loc[table["customer_id"]].to_numpy() == table["target"]).all():
        return
    raise RetainError(
        f"{run.scores} is of other customers than its record's. Delete {run.path} and launch the "
        "line that made it again."
    )


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


def carry(config: Compare, study: StudyDirectory, winner: Record, prepared: Prepared) -> Carried:
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
    ledger = Ledger(study.ledger, study.ledgers_beside)
    openings = ledger.note(winner, results["roc_auc"]["value"])
    return Carried(
        sealed=SealedTest(len(splits.sealed), results, tuple(openings)),
        scores=scores,
        model={"file": study.model.name, "sha256": save(model, study.model)},
        reference={
            "file": study.reference.name,
            "sha256": write_reference(
                reference(built.table(customers), splits.ids, scores), study.reference
            ),
        },
        explained=sealed_explained(config, winner, models, prepared) if config.reasons.on else None,
    )
