"""``verdict.json``: the results of a comparison, for programs and for the page.

schema                     counts up when the meaning of a key changes
study, studies, question   what was compared
summary, cautions          the answer in English, and what a reader should know
selection                  rule, best, simplest_tied; winner is one of the two; corrected: the
winner's means, corrected for its choice
winner                     id, name, overrides, config, metrics, seeds, tuning
tied                       ids tied with the best
versus_random              the winner against a random ranking, on the sealed test
alpha, rope                level of the tests, region of practical equivalence
key_columns, metrics       columns of the leaderboard that tell runs apart, and its metrics
leaderboard                one object a run, best first
fold_values, t_quantiles   metrics by fold of the first runs, and what their intervals need
main_effects               what moved ROC-AUC: levels against a reference, missing runs
curves                     of the winner, out of fold
diffs                      two runs each: config, metrics, customers whose score changed most
gate                       thresholds asked for, and by how much they were missed
sealed_test                the winner on customers no run has seen; all accesses to it
by_snapshot                the winner's ROC-AUC by snapshot; empty where rows have no days
excluded_runs              runs that failed, have no meaning or are broken, and why
n_interrupted, n_running   runs without a record: that no process is doing, and that one is
data, split, checks        customers, folds and audit, as the winner's record tells them
explanations               why: see explanations/document.py; null without explain=… or drivers
model, n_scored            the winner refitted: its file; customers it scored, by origin
segments                   what each segment is
dominant_segment           a band or segment with more than 90 % of the customers; null if none
fitted_thresholds          segmentation and offers with the bounds that customers are placed by
recalibration              what turns scores into probabilities, and how it was chosen
calibration_check          observed beside expected declines by tenth of the risk, tests and flags
settings                   value, segmentation, offers and campaign, as they were asked for
campaign                   who is offered what, control group, what may be expected; null
where none was asked for, {"reason": why} where none could be
commands, environment, git how to do it again
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from scipy import special

from retain.record.document import Record
from retain.record.study import BrokenRun
from retain.verdict.by_snapshot import SnapshotScore, score_by_snapshot
from retain.verdict.cautions import list_cautions
from retain.verdict.corrected import CorrectedMeans
from retain.verdict.difference import Difference
from retain.verdict.gate import GateResult
from retain.verdict.main_effects import MainEffect
from retain.verdict.sealed_test import SealedTest
from retain.verdict.verdict import Verdict
from retain.verdict.versus_random import Chance

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


SCHEMA = 4
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
    diffs: tuple[Difference, ...]
    curves: dict[str, Any] | None
    sealed: SealedTest | None
    customer_results: dict[str, Any]
    explanations: dict[str, Any] | None
    broken: tuple[BrokenRun, ...] = ()
    running: int = 0
    repeated: int = 0

    @property
    def chance(self) -> Chance:
        """The test against a random ranking."""
        return Chance() if self.sealed is None else self.sealed.chance


def document(verdict: Verdict, extras: ComparisonExtras) -> dict[str, Any]:
    """Return the tree of ``verdict.json``, in plain values."""
    winner = verdict.winner
    return {
        "schema": SCHEMA,
        "study": "+".join(extras.studies),
        "studies": list(extras.studies),
        "question": extras.question,
        "summary": verdict.sentence,
        "cautions": _cautions(verdict, extras),
        "selection": {
            "rule": verdict.comparison.rule,
            "best": _run_name(verdict, verdict.best),
            "simplest_tied": _run_name(verdict, verdict.simplest),
            "corrected": _corrected(verdict.corrected),
        },
        "winner": {
            **_run_name(verdict, winner),
            "overrides": list(winner.overrides),
            "config": winner.config,
            "metrics": {name: m.model_dump(mode="json") for name, m in winner.metrics.items()},
            "seeds": [run.seed for run in verdict.candidates[winner.id].runs],
            "seed_sd": verdict.candidates[winner.id].seed_sd,
            "tuning": None if winner.tuning is None else winner.tuning.model_dump(mode="json"),
        },
        "tied": list(verdict.tied),
        "versus_random": _versus_random(verdict, extras.chance),
        "alpha": verdict.comparison.alpha,
        "rope": verdict.comparison.rope,
        **_leaderboard(verdict),
        "main_effects": [_effect(effect) for effect in verdict.effects],
        "curves": extras.curves,
        "diffs": [_to_plain(one) for one in extras.diffs],
        "gate": None if extras.gate is None else _gate(extras.gate),
        "sealed_test": None if extras.sealed is None else _sealed(extras.sealed),
        "by_snapshot": [_snapshot(one) for one in score_by_snapshot(winner, extras.sealed)],
        "excluded_runs": [
            *map(_excluded_run, verdict.others),
            *map(_broken_run, extras.broken),
        ],
        "n_interrupted": extras.interrupted,
        "n_running": extras.running,
        "data": winner.data.model_dump(mode="json"),
        "split": winner.split.model_dump(mode="json"),
        "checks": [check.model_dump(mode="json") for check in winner.checks],
        "explanations": extras.explanations,
        **extras.customer_results,
        "commands": list(extras.commands),
        "environment": winner.environment.model_dump(mode="json"),
        "git": winner.git.model_dump(mode="json"),
    }


def as_json(tree: dict[str, Any]) -> str:
    """Return a document as text, one line per key and per run."""
    lines = (f"{json.dumps(key)}: {_text(value)}" for key, value in tree.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _text(value: Any) -> str:
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return "[\n " + ",\n ".join(map(_text, value)) + "\n]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _to_plain(item: DataclassInstance) -> Any:
    """Return a dataclass in JSON's types."""
    return json.loads(_text(asdict(item)))


def _run_name(verdict: Verdict, record: Record) -> dict[str, str]:
    return {"id": record.id, "name": verdict.name(record)}


def _corrected(corrected: CorrectedMeans) -> dict[str, Any]:
    """Return the winner's means, corrected for its choice, with the method in words."""
    return {**_to_plain(corrected), "message": corrected.sentence}


def _leaderboard(verdict: Verdict) -> dict[str, Any]:
    best = verdict.best
    shown = verdict.records[:FOLDS_SHOWN]
    ends = sorted({len(r.metrics[name].fold_values) - 1 for r in shown for name in r.metrics})
    table = verdict.table.to_json(orient="records", double_precision=15, force_ascii=False)
    return {
        "key_columns": list(verdict.keys),
        "metrics": {
            name: {"higher_is_better": metric.higher_is_better}
            for name, metric in best.metrics.items()
        },
        "leaderboard": json.loads(table),
        "fold_values": {
            record.id: {name: list(metric.fold_values) for name, metric in record.metrics.items()}
            for record in shown
        },
        "t_quantiles": {
            str(free): float(special.stdtrit(free, 0.975)) for free in range(1, max(ends) + 1)
        },
    }


def _effect(effect: MainEffect) -> dict[str, Any]:
    return {
        "factor": effect.axis,
        "reference": effect.reference,
        "levels": [
            {
                "level": level.level,
                "difference": {"value": level.mean, "low": level.low, "high": level.high},
                "p": level.p,
                "n_pairs": level.pairs,
                "n_runs": level.runs,
                "n_reference_runs": level.reference_runs,
            }
            for level in effect.levels
        ],
        "missing_runs": {"n_runs": effect.holes, "examples": list(effect.examples)},
    }


def _snapshot(one: SnapshotScore) -> dict[str, Any]:
    return {
        "snapshot": one.snapshot,
        "is_sealed_test": one.is_sealed_test,
        "n_rows": one.n_rows,
        "decline_rate": one.decline_rate,
        "roc_auc": {"value": one.roc_auc, "low": one.low, "high": one.high},
        "n_folds": one.n_folds,
    }


def _gate(checks: Sequence[GateResult]) -> dict[str, Any]:
    return {
        "passed": all(check.passed for check in checks),
        "metrics": [_to_plain(check) for check in checks],
    }


def _sealed(sealed: SealedTest) -> dict[str, Any]:
    return {
        "n_customers": sealed.customers,
        "metrics": sealed.metrics,
        "accesses": [
            opening.model_dump(mode="json", exclude={"schema_"}) for opening in sealed.accesses
        ],
    }


def _versus_random(verdict: Verdict, chance: Chance) -> dict[str, Any]:
    return {
        "status": chance.status,
        "p": chance.p,
        "level": chance.level,
        "access_number": chance.access_number,
        "n_customers": chance.n_customers,
        "n_groups": chance.n_groups,
        "tied": list(verdict.constant_tied),
        "message": chance.sentence,
    }


def _cautions(verdict: Verdict, extras: ComparisonExtras) -> list[dict[str, Any]]:
    sealed, chance = extras.sealed, extras.chance
    messages = [
        {"code": one.code, "message": one.sentence, **one.values}
        for one in list_cautions(verdict, extras.explanations)
    ]
    if chance.status == "not_shown":
        messages.append({"code": "chance", "message": chance.sentence, "p": chance.p})
    if sealed is not None and len(sealed.accesses) > 1:
        count = len(sealed.accesses)
        messages.append(
            {"code": "sealed_reopened", "message": sealed.description, "n_accesses": count}
        )
    return messages


def _excluded_run(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "study": record.study,
        "overrides": list(record.overrides),
        "state": record.state,
        "reason": record.reason,
    }


def _broken_run(run: BrokenRun) -> dict[str, Any]:
    """Return the entry of a run whose files are invalid, under its folder's name."""
    folder = run.directory.path
    return {
        "id": folder.name,
        "study": folder.parent.name,
        "overrides": [],
        "state": "broken",
        "reason": run.reason,
    }
