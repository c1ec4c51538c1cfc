"""The content of ``verdict.json``, from a verdict and what else a comparison found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scipy import special

from retain.record.comparison_document import (
    Curves,
    ExcludedRun,
    Gate,
    GateResult,
    MetricDirection,
    RunDifference,
    RunName,
    SealedResult,
    Selection,
    VersusRandom,
    WinnerInfo,
)
from retain.record.document import Record
from retain.record.documents import CautionInfo, to_tree
from retain.record.explanations_document import ExplanationsDocument
from retain.record.study import BrokenRun
from retain.record.verdict_document import CustomerResults, VerdictDocument
from retain.schema.parsing import Config
from retain.verdict.by_snapshot import score_by_snapshot
from retain.verdict.sealed_test import SealedTest
from retain.verdict.verdict import Caution, Verdict
from retain.verdict.versus_random import NOT_TESTED

DOMINANT_SHARE, MIN_FEATURES = 0.5, 3
"""Share of the mean absolute SHAP values that one feature of at least so many may carry."""

FOLDS_SHOWN = 200
"""Number of runs with fold values."""


@dataclass(frozen=True)
class ComparisonExtras:
    """The results of a comparison beyond the verdict itself.

    ``curves``, ``sealed``, ``customer_results`` and ``explanations`` need the winner's scores and
    customers.
    """

    studies: tuple[str, ...]
    question: str | dict[str, str] | None
    interrupted: int
    commands: tuple[str, ...]
    gate: tuple[GateResult, ...] | None
    diffs: tuple[RunDifference, ...]
    curves: Curves | None
    sealed: SealedTest | None
    customer_results: CustomerResults | None
    explanations: ExplanationsDocument | None
    broken: tuple[BrokenRun, ...] = ()
    running: int = 0
    repeated: int = 0

    @property
    def chance(self) -> VersusRandom:
        """The test against a random ranking."""
        return NOT_TESTED if self.sealed is None else self.sealed.chance


def document(verdict: Verdict, extras: ComparisonExtras) -> VerdictDocument:
    """Return the content of ``verdict.json``."""
    winner, results = verdict.winner, extras.customer_results
    return VerdictDocument(
        study="+".join(extras.studies),
        studies=extras.studies,
        question=extras.question,
        summary=verdict.sentence,
        cautions=tuple(_iter_cautions(verdict, extras)),
        selection=Selection(
            rule=verdict.comparison.rule,
            complexity_order=verdict.comparison.complexity_order,
            best=_run_name(verdict, verdict.best),
            simplest_tied=_run_name(verdict, verdict.simplest),
            corrected=verdict.corrected,
        ),
        winner=_winner(verdict),
        tied=tuple(verdict.tied),
        versus_random=extras.chance.model_copy(update={"tied": tuple(verdict.constant_tied)}),
        alpha=verdict.comparison.alpha,
        rope=verdict.comparison.rope,
        **_leaderboard(verdict),
        main_effects=verdict.effects,
        curves=extras.curves,
        diffs=extras.diffs,
        gate=None if extras.gate is None else _gate(extras.gate),
        sealed_test=None if extras.sealed is None else _sealed(extras.sealed),
        by_snapshot=tuple(score_by_snapshot(winner, extras.sealed)),
        excluded_runs=(*map(_excluded_run, verdict.others), *map(_broken_run, extras.broken)),
        n_interrupted=extras.interrupted,
        n_running=extras.running,
        data=winner.data,
        split=winner.split,
        checks=winner.checks,
        explanations=extras.explanations,
        **({} if results is None else dict(results)),
        commands=extras.commands,
        environment=winner.environment,
        git=winner.git,
    )


def as_json(document: Config) -> str:
    """Return a document as text, one line per key and per run."""
    tree = to_tree(document)
    lines = (f"{json.dumps(key)}: {_text(value)}" for key, value in tree.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _text(value: Any) -> str:
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return "[\n " + ",\n ".join(map(_text, value)) + "\n]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _run_name(verdict: Verdict, record: Record) -> RunName:
    return RunName(id=record.id, name=verdict.name(record))


def _winner(verdict: Verdict) -> WinnerInfo:
    winner, candidate = verdict.winner, verdict.candidates[verdict.winner.id]
    return WinnerInfo(
        id=winner.id,
        name=verdict.name(winner),
        overrides=winner.overrides,
        config=winner.config,
        metrics=winner.metrics,
        seeds=tuple(run.seed for run in candidate.runs),
        seed_sd=candidate.seed_sd,
        tuning=winner.tuning,
    )


def _leaderboard(verdict: Verdict) -> dict[str, Any]:
    best = verdict.best
    shown = verdict.records[:FOLDS_SHOWN]
    ends = sorted({len(r.metrics[name].fold_values) - 1 for r in shown for name in r.metrics})
    table = verdict.table.to_json(orient="records", double_precision=15, force_ascii=False)
    return {
        "key_columns": tuple(verdict.keys),
        "metrics": {
            name: MetricDirection(higher_is_better=metric.higher_is_better)
            for name, metric in best.metrics.items()
        },
        "leaderboard": tuple(json.loads(table)),
        "fold_values": {
            record.id: {name: metric.fold_values for name, metric in record.metrics.items()}
            for record in shown
        },
        "t_quantiles": {
            str(free): float(special.stdtrit(free, 0.975)) for free in range(1, max(ends) + 1)
        },
    }


def _gate(checks: tuple[GateResult, ...]) -> Gate:
    return Gate(passed=all(check.passed for check in checks), metrics=checks)


def _sealed(sealed: SealedTest) -> SealedResult:
    return SealedResult(
        n_customers=sealed.customers, metrics=sealed.metrics, accesses=sealed.accesses
    )


def _iter_cautions(verdict: Verdict, extras: ComparisonExtras) -> Iterator[CautionInfo]:
    sealed, chance = extras.sealed, extras.chance
    for one in list_cautions(verdict, extras.explanations):
        yield CautionInfo.of(one.code, one.sentence, **one.values)
    if chance.status == "not_shown":
        yield CautionInfo.of("chance", chance.message, p=chance.p)
    if sealed is not None and len(sealed.accesses) > 1:
        yield CautionInfo.of("sealed_reopened", sealed.description, n_accesses=len(sealed.accesses))


def _excluded_run(record: Record) -> ExcludedRun:
    return ExcludedRun(
        id=record.id,
        study=record.study,
        overrides=record.overrides,
        state=record.state,
        reason=record.reason,
    )


def _broken_run(run: BrokenRun) -> ExcludedRun:
    """Return the entry of a run whose files are invalid, under its folder's name."""
    folder = run.directory.path
    return ExcludedRun(
        id=folder.name,
        study=folder.parent.name,
        overrides=(),
        state="broken",
        reason=run.reason,
    )


def list_cautions(verdict: Verdict, explanations: ExplanationsDocument | None) -> list[Caution]:
    """Return the cautions of the verdict, and of its explanations as in ``verdict.json``."""
    features = [] if explanations is None else explanations.features
    dominant = find_dominant_feature(
        {one.name: one.mean_abs_shap.value for one in features if one.mean_abs_shap is not None}
    )
    return [*verdict.cautions, *([] if dominant is None else [dominant])]


def find_dominant_feature(strength: Mapping[str, float]) -> Caution | None:
    """Return a caution if a feature carries more of the score than all others together.

    ``strength`` is the mean absolute SHAP value of each feature of the model.

    >>> find_dominant_feature({"a": 3.0, "b": 0.5, "c": 0.5}).values["share"]
    0.75
    """
    total = sum(strength.values())
    if len(strength) < MIN_FEATURES or not total:
        return None
    name = max(strength, key=lambda one: strength[one])
    share = strength[name] / total
    if share <= DOMINANT_SHARE:
        return None
    sentence = (
        f"Feature {name!r} carries {share:.0%} of the winner's score: the other "
        f"{len(strength) - 1} features together less than it alone. Was it known in time?"
    )
    return Caution("dominant_feature", sentence, {"feature": name, "share": share})
