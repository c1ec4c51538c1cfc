"""The verdict: winner, tied runs, comparison with chance, and main effects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from retain.errors import RetainError
from retain.record.facts import Record
from retain.schema.compare import ComparisonConfig
from retain.verdict.keys import check_comparable, get_key, label_run
from retain.verdict.leaderboard import keys_of, leaderboard
from retain.verdict.main_effects import MainEffect, find_main_effects, texts_of
from retain.verdict.paired import METRIC, Chance, test_against_random
from retain.wording import describe_count, format_ci

NEEDED = (METRIC, "brier", "ece")
"""Metrics that a verdict needs: ranking and calibration."""


@dataclass(frozen=True)
class Caution:
    """A warning about the winner's rank or probabilities.

    ``code`` and ``values`` are for programs and translations, ``sentence`` is English.
    """

    code: str
    sentence: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """The result of a comparison of records.

    Attributes
    ----------
    winner
        The selected run: the best, or the simplest of those tied with it.
    best, simplest
        The run with the best mean ROC-AUC, and the simplest of the tied.
    tied
        Ids of the best run and of all that neither test distinguishes from it.
    table
        The leaderboard; ``records`` are its runs in the same order.
    keys
        Columns of settings in the leaderboard.
    others
        Runs that failed or are not applicable.
    """

    winner: Record
    best: Record
    simplest: Record
    tied: tuple[str, ...]
    table: pd.DataFrame
    records: tuple[Record, ...]
    keys: tuple[str, ...]
    chance: Chance
    others: tuple[Record, ...]
    comparison: ComparisonConfig

    @cached_property
    def effects(self) -> tuple[MainEffect, ...]:
        """Main effects on ROC-AUC, by axis of the sweep."""
        table, row = self.table[list(self.keys)], self.records.index(self.winner)
        return tuple(
            find_main_effects(self.records, table, row, _excluded_reasons(self.others, self.keys))
        )

    def name(self, record: Record) -> str:
        """Return the label of a run in the leaderboard."""
        (row,) = self.table[self.table["id"] == record.id].to_dict("records")
        return label_run(row, self.keys) if self.keys else str(record.config["model"]["name"])

    @property
    def sentence(self) -> str:
        """The winner, the certainty and the selection, in a sentence."""
        metric = self.best.metrics[METRIC]
        rest, beaten = len(self.tied) - 1, len(self.table) - len(self.tied)
        best = (
            f"{self.name(self.best)} ({self.best.id}) has the best mean ROC-AUC: "
            f"{metric.value:.3f} ({format_ci(metric.low, metric.high)})"
        )
        if not rest and not beaten:
            return f"{best}. There is no other run to compare it with."
        tied = describe_count(rest, "other run is", "other runs are") if rest else "no other run is"
        lower = describe_count(beaten, "run scores", "runs score") if beaten else "no run scores"
        message = f"{best}; {tied} tied with it, {lower} significantly lower "
        message += f"({self.comparison.description})."
        return f"{message} {self._selection_sentence}" if self._selection_sentence else message

    @property
    def _selection_sentence(self) -> str:
        if self.simplest.id == self.best.id:
            return ""
        simplest = f"{self.name(self.simplest)} ({self.simplest.id})"
        if self.winner.id == self.best.id:
            return f"The simplest of the tied runs is {simplest}."
        return f"The simplest of the tied runs is chosen: {simplest}."

    @property
    def cautions(self) -> list[Caution]:
        """Warnings about the winner's probabilities and rank."""
        config, cautions = self.winner.config, []
        sampler = config["sampler"]["name"]
        if sampler != "none" and config["calibration"]["name"] == "none":
            sentence = (
                f"The winner was trained on rows resampled by {sampler} and was not recalibrated: "
                "its scores cannot be read as probabilities, and amounts of money computed from "
                "them are biased (van den Goorbergh et al. 2022). Add calibration=sigmoid."
            )
            cautions.append(Caution("resampled_not_recalibrated", sentence, {"sampler": sampler}))
        if not self.chance.beaten:
            cautions.append(Caution("chance", self.chance.sentence, {"p": self.chance.p}))
        return cautions


def compare_runs(records: Sequence[Record], comparison: ComparisonConfig) -> Verdict:
    """Return the verdict over records; the first of a run's records in two studies counts.

    Raises
    ------
    RetainError
        When no run is complete, or finished runs are not comparable.
    """
    unique = {record.id: record for record in reversed(records)}
    records = [record for record in records if unique[record.id] is record]
    done = [record for record in records if record.state == "done"]
    others = tuple(record for record in records if record.state != "done")
    _check_any_done(done, records)
    check_comparable(done)
    if missing := [name for name in NEEDED if name not in done[0].metrics]:
        raise RetainError(f"these runs lack the metrics {', '.join(missing)}; run them again.")
    table = leaderboard(done, comparison)
    ordered = tuple(unique[id_] for id_ in table["id"])
    tied = tuple(table.loc[table["tied"], "id"])
    best = ordered[0]
    simplest = min((unique[id_] for id_ in tied), key=lambda r: _complexity(r, comparison))
    winner = best if comparison.rule == "best" else simplest
    keys = keys_of(table, list(best.metrics))
    return Verdict(
        winner=winner,
        best=best,
        simplest=simplest,
        tied=tied,
        table=table,
        records=ordered,
        keys=tuple(keys),
        chance=test_against_random(ordered, tied, comparison.alpha),
        others=others,
        comparison=comparison,
    )


def _check_any_done(done: Sequence[Record], records: Sequence[Record]) -> None:
    if not done:
        states = Counter(record.state for record in records)
        counts = ", ".join(f"{n} {state}" for state, n in states.items()) or "no runs at all"
        raise RetainError(f"no run is done: found {counts}. Launch the sweep first.")
    if all(record.stopped_early for record in done):
        raise RetainError(
            f"all {len(done)} runs were stopped by a race whose leader is not here; launch the "
            "line again."
        )


def _complexity(record: Record, comparison: ComparisonConfig) -> tuple[int, float, str]:
    """Return the rank of a run's model in the order of complexity, better ROC-AUC first."""
    name, order = record.config["model"]["name"], comparison.complexity_order
    rank = order.index(name) if name in order else len(order)
    return rank, -round(record.metrics[METRIC].value, 9), record.id


def _excluded_reasons(
    others: Sequence[Record], keys: Sequence[str]
) -> Mapping[tuple[str, ...], str]:
    """Return the reasons of runs outside the leaderboard, by the texts of their keys."""
    reasons = {}
    for record in others:
        reason = (record.reason or "").splitlines()[:1]
        texts = texts_of([get_key(record.config, key) for key in keys])
        reasons[texts] = f"{record.state.replace('_', ' ')}: {' '.join(reason)}"
    return reasons
