"""The winner carried on: refitted, held against the sealed test, its customers in segments."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from retain.app.components import experiment
from retain.app.prepared import Prepared
from retain.campaign.segments import placed, profiles
from retain.learning.experiment import fit, score_sealed
from retain.learning.metrics import chosen
from retain.learning.scores import Scores
from retain.record import Record, StudyDirectory
from retain.schema import Compare, Run, Segmentation, parse
from retain.verdict.export import write_csv
from retain.verdict.model_file import save
from retain.verdict.sealed import Ledger, SealedTest, measured


@dataclass(frozen=True)
class Carried:
    """What the winner led to.

    Attributes
    ----------
    sealed
        Its result on the customers no run has seen.
    segments
        Profile of each segment.
    placed
        Every scored customer with risk and segment, indexed by customer id.
    money
        What the money is measured in, assumptions included.
    """

    sealed: SealedTest
    segments: pd.DataFrame
    placed: pd.DataFrame
    segmentation: Segmentation
    money: str
    model: dict[str, str]

    @property
    def scored(self) -> dict[str, int]:
        """How many customers were scored out of fold and how many in the sealed test."""
        counts = self.placed["origin"].value_counts()
        return {str(origin): int(n) for origin, n in counts.items()}

    def as_json(self) -> dict[str, Any]:
        """The part of ``verdict.json`` that needs the customers."""
        return {
            "model": self.model,
            "segments": json.loads(self.segments.to_json(orient="records", double_precision=15)),
            "segmentation": self.segmentation.model_dump(),
            "money": self.money,
            "scored": self.scored,
        }


def carry(
    config: Compare, study: StudyDirectory, winner: Record, outside: Scores, prepared: Prepared
) -> Carried:
    """Refit the winner on all training customers, open the sealed test, place every customer.

    ``outside`` are its out-of-fold scores.

    Raises
    ------
    RetainError
        When the segmentation's bands place nobody; the sealed test has not been opened by then.
    """
    customers, splits = prepared.customers, prepared.splits
    built = experiment(parse(Run, winner.config))
    with threadpool_limits(config.threads):
        model = fit(built, customers, splits.ids)
    scores = score_sealed(model, built, customers, splits.sealed)
    table = placed([outside, scores], customers, config.segmentation)
    metrics = chosen(built.metrics, with_profit=customers.profit is not None)
    results = measured(scores, customers.profit, metrics, resamples=config.resamples)
    openings = Ledger(study.ledger, study.ledgers_beside).note(winner, results["roc_auc"]["value"])
    return Carried(
        sealed=SealedTest(len(splits.sealed), results, tuple(openings)),
        segments=profiles(table, customers),
        placed=table,
        segmentation=config.segmentation,
        money=_money(config.segmentation, prepared),
        model={"file": study.model.name, "sha256": save(model, study.model)},
    )


def write(study: StudyDirectory, carried: Carried | None) -> None:
    """Write segments and customers; without them, leave no older ones beside a newer verdict."""
    if carried is None:
        for path in (study.segments, study.customers, study.model):
            path.unlink(missing_ok=True)
        return
    write_csv(carried.segments, study.segments)
    write_csv(carried.placed.reset_index(names="customer_id"), study.customers)


def _money(segmentation: Segmentation, prepared: Prepared) -> str:
    if prepared.customers.profit is None:
        return "no profit is known, so segments are of risk alone"
    return (
        f"profit in {prepared.customers.profit_unit or 'a unit not stated'}; at risk = risk × "
        f"profit × {segmentation.horizon:g} months × {segmentation.share_lost:g} of it lost "
        "(assumptions)"
    )
