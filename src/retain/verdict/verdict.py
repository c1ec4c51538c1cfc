"""The verdict: who won, who is tied with it, and what the sealed test said.

May import: errors, schema, record, customers, learning.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from retain.errors import RetainError
from retain.record import Record
from retain.verdict.comparable import refuse_unlike
from retain.verdict.leaderboard import METRIC, leaderboard
from retain.verdict.sealed import Opening

SCHEMA = 1
CHANCE = 0.5
NEEDED = (METRIC, "brier", "ece")
"""Metrics no verdict can do without: the ranking, and whether risks are probabilities."""


@dataclass(frozen=True)
class SealedTest:
    """The winner on customers no run has seen: metrics with intervals, and all openings."""

    customers: int
    metrics: dict[str, dict[str, Any]]
    openings: tuple[Opening, ...]


@dataclass(frozen=True)
class Verdict:
    """What a comparison came to, as far as records alone can tell.

    Attributes
    ----------
    winner
        The finished run with the best mean ROC-AUC.
    tied
        Ids of all runs that the corrected test cannot tell from the winner, itself first.
    table
        The leaderboard.
    others
        Runs that failed or have no meaning.
    """

    winner: Record
    tied: tuple[str, ...]
    table: pd.DataFrame
    others: tuple[Record, ...]

    @property
    def sentence(self) -> str:
        """Who won and how sure that is."""
        metric = self.winner.metrics[METRIC]
        name = self.winner.config["model"]["name"]
        rest = len(self.tied) - 1
        beaten = len(self.table) - len(self.tied)
        told = (
            f"{name} ({self.winner.id}) has the best mean ROC-AUC, {metric.mean:.3f} "
            f"[{metric.low:.3f}, {metric.high:.3f}]"
        )
        tied = f"{rest} of the other {len(self.table) - 1} runs cannot be told from it"
        return f"{told}; {tied}, {beaten} score lower (corrected resampled t-test, p < .05)."

    @property
    def cautions(self) -> list[str]:
        """What a reader of the winner's probabilities and rank should know."""
        config, told = self.winner.config, []
        if config["sampler"]["name"] != "none" and config["calibration"]["name"] == "none":
            told.append(
                f"The winner learnt from rows resampled by {config['sampler']['name']} and was not "
                "recalibrated: its risks are not probabilities, and money computed from them is "
                "bent (van den Goorbergh et al. 2022). Add calibration=sigmoid."
            )
        if self.winner.metrics[METRIC].low <= CHANCE:
            told.append(
                "The winner's interval contains .5: on these customers nothing is shown to beat "
                "chance."
            )
        return told


def judge(records: Sequence[Record]) -> Verdict:
    """The verdict over records.

    Raises
    ------
    RetainError
        When none is done, or finished runs are unlike.
    """
    done = [record for record in records if record.state == "done"]
    others = tuple(record for record in records if record.state != "done")
    if not done:
        states = Counter(record.state for record in records)
        told = ", ".join(f"{n} {state}" for state, n in states.items()) or "no runs at all"
        raise RetainError(f"no run is done: found {told}. Launch the sweep first.")
    refuse_unlike(done)
    if missing := [name for name in NEEDED if name not in done[0].metrics]:
        raise RetainError(f"these runs lack the metrics {', '.join(missing)}; run them again.")
    table = leaderboard(done)
    by_id = {record.id: record for record in done}
    tied = tuple(table.loc[table["tied"], "id"])
    return Verdict(by_id[table["id"].iloc[0]], tied, table, others)


def as_json(verdict: Verdict, sealed: SealedTest | None, further: dict[str, Any]) -> str:
    """The verdict as ``verdict.json``; ``further`` adds what later rooms found."""
    winner = verdict.winner
    tree = {
        "schema": SCHEMA,
        "study": winner.study,
        "sentence": verdict.sentence,
        "cautions": verdict.cautions,
        "winner": {
            "id": winner.id,
            "overrides": list(winner.overrides),
            "config": winner.config,
            "metrics": {name: m.model_dump() for name, m in winner.metrics.items()},
        },
        "tied": list(verdict.tied),
        "leaderboard": json.loads(verdict.table.to_json(orient="records", double_precision=15)),
        "not_in_the_leaderboard": [
            {"id": r.id, "overrides": list(r.overrides), "state": r.state, "reason": r.reason}
            for r in verdict.others
        ],
        "data": winner.data.model_dump(),
        "split": winner.split.model_dump(),
        "checks": [check.model_dump() for check in winner.checks],
        "sealed_test": None if sealed is None else _sealed(sealed),
        "environment": winner.environment.model_dump(),
        **further,
    }
    return json.dumps(tree, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _sealed(sealed: SealedTest) -> dict[str, Any]:
    return {
        "customers": sealed.customers,
        "metrics": sealed.metrics,
        "openings": [opening.model_dump() for opening in sealed.openings],
    }
