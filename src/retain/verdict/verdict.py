"""The verdict: winner, tied runs, and main effects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from retain.errors import RetainError
from retain.record.comparison_document import CorrectedMeans, MainEffect
from retain.record.document import Record
from retain.schema.compare import ComparisonConfig
from retain.verdict.candidates import Candidate, group_by_seed
from retain.verdict.config_keys import check_comparable, get_key, label_run
from retain.verdict.corrected import correct_means
from retain.verdict.leaderboard import keys_of, leaderboard
from retain.verdict.main_effects import find_main_effects, texts_of
from retain.verdict.paired import METRIC, find_constant_runs
from retain.verdict.placements import Placements
from retain.wording import describe_count, format_ci

LEAKS = ("single_feature_auc", "target_or_profit_among_features", "id_predicts_target")
"""Checks whose failures, if the user allowed them, are cautions."""
SUSPICIOUS_AUC = 0.98
"""ROC-AUC above which a model has probably seen the answer."""
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
    constant_tied
        Ids of runs among the tied that give all customers the same score.
    corrected
        The winner's means, corrected for its choice.
    candidates
        The configurations by the id of their record, with the runs that differ only in seed.
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
    constant_tied: tuple[str, ...]
    others: tuple[Record, ...]
    comparison: ComparisonConfig
    corrected: CorrectedMeans
    candidates: Mapping[str, Candidate]

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
        further = (self._selection_sentence, self.corrected.message, self.seed_sentence)
        return " ".join((message, *filter(None, further)))

    @property
    def seed_sentence(self) -> str:
        """The averaging of runs that differ only in seed, as a sentence; empty without any."""
        n_runs = sum(len(one.runs) for one in self.candidates.values())
        if n_runs == len(self.candidates):
            return ""
        message = (
            f"{n_runs} runs are {describe_count(len(self.candidates), 'configuration')}: runs that "
            "differ only in seed are averaged."
        )
        chosen = self.candidates[self.winner.id]
        if chosen.seed_sd is None:
            return message
        return (
            f"{message} Between the {len(chosen.runs)} seeds of the winner the standard deviation "
            f"of ROC-AUC is {chosen.seed_sd:.4f}; the run with seed {self.winner.seed} is used "
            "from here on."
        )

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
        if self.constant_tied:
            sentence = (
                "A run that gives all customers the same score is tied with the best in "
                "cross-validation."
            )
            cautions.append(Caution("constant_tied", sentence, {"tied": list(self.constant_tied)}))
        return [*cautions, *self._leak_cautions]

    @property
    def _leak_cautions(self) -> list[Caution]:
        """Signs of a leak: what the audit saw, and a model too good to be true."""
        cautions = [
            Caution(
                check.code,
                f"{check.message[:1].upper()}{check.message[1:]}",
                {"outcome": check.outcome, "values": check.model_dump(mode="json")["values"]},
            )
            for check in self.winner.checks
            if check.outcome == "caution" or (check.outcome == "failed" and check.code in LEAKS)
        ]
        value = self.winner.metrics[METRIC].value
        if value > SUSPICIOUS_AUC:
            sentence = (
                f"The winner's mean ROC-AUC is {value:.3f}, above {SUSPICIOUS_AUC}: who buys less "
                "can hardly be known that well in advance. Look for a feature that was known only "
                "afterwards, and leave it out."
            )
            cautions.append(Caution("suspicious_auc", sentence, {"roc_auc": value}))
        return cautions


def compare_runs(
    records: Sequence[Record], comparison: ComparisonConfig, placements: Placements | None = None
) -> Verdict:
    """Return the verdict over records; the first of a run's records in two studies counts.

    Runs that differ only in seed are one candidate. ``placements`` are those of finished runs, by
    id; without them candidates are compared by their folds alone.

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
    candidates = {one.record.id: one for one in group_by_seed(done)}
    unique = {id_: one.record for id_, one in candidates.items()}
    placements = _average_placements(placements, candidates)
    table = leaderboard(list(unique.values()), comparison, placements)
    _add_seeds(table, candidates)
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
        constant_tied=find_constant_runs(ordered, tied),
        others=others,
        comparison=comparison,
        corrected=correct_means(winner, ordered, placements),
        candidates=candidates,
    )


def _average_placements(
    placements: Placements | None, candidates: Mapping[str, Candidate]
) -> Placements | None:
    """Return the placements of the candidates with all folds, averaged over their seeds."""
    if placements is None:
        return None
    found = placements.average(
        (id_, [run.id for run in one.runs])
        for id_, one in candidates.items()
        if not one.record.stopped_early
    )
    return found if len(found.ids) > 1 else None


def _add_seeds(table: pd.DataFrame, candidates: Mapping[str, Candidate]) -> None:
    """Add the number of seeds of each candidate, and the deviation between them."""
    found = [candidates[id_] for id_ in table["id"]]
    deviations = [np.nan if one.seed_sd is None else one.seed_sd for one in found]
    table.insert(table.shape[1] - 1, "n_seeds", [len(one.runs) for one in found])
    table.insert(table.shape[1] - 1, "seed_sd", deviations)


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
