"""A comparison from its winner on: what workers find out about it, gathered for the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from retain.errors import RetainError
from retain.record import BrokenRun, Record
from retain.verdict.verdict import judge
from retain.workflows.runs import check_any_readable, read_run_scores

if TYPE_CHECKING:
    from retain.campaign.audience import Settings
    from retain.execution.executor import WorkerExecutor
    from retain.execution.shared_memory import SharedValue
    from retain.learning.scores import Scores
    from retain.record import RunDirectory, StudyDirectory
    from retain.schema import Compare, ComparisonConfig
    from retain.storage.transaction import Staging
    from retain.verdict.difference import Difference
    from retain.verdict.document import ComparisonExtras
    from retain.verdict.gate import GateResult
    from retain.verdict.sealed_test import SealedTest
    from retain.verdict.verdict import Verdict
    from retain.workflows.campaign import CampaignFiles
    from retain.workflows.campaign_files import Repointing
    from retain.workflows.explanations import Explanations
    from retain.workflows.runs import RunSelection
    from retain.workflows.test_set import TrainingData, WinnerEvaluation, WinnerResult


def write_comparison(
    comparison: Comparison,
) -> tuple[ComparisonResults, Repointing | None, list[str]]:
    """Carry the winner on, and put its verdict and campaign in place together.

    The verdict stays as it is where the new one would point to another campaign and nobody
    asked for that; the campaign is written all the same.
    """
    from retain.record import StudyDirectory
    from retain.storage.transaction import transaction
    from retain.verdict.document import document
    from retain.workflows.campaign_files import campaign_id_of, find_repointing
    from retain.workflows.verdict_files import (
        find_lost_files,
        try_read_json,
        write_tables,
        write_verdict,
    )

    home = comparison.selection.output_dir
    older = campaign_id_of(try_read_json(home.verdict_json))
    with transaction(home.path) as staging:
        made = StudyDirectory(staging.path)
        staging.add(made.verdict.name)
        results = evaluate_and_plan(comparison, made, staging)
        repointing = find_repointing(home, home.verdict, older, results.campaign)
        if repointing is not None and not comparison.settings.planning.replace:
            staging.drop(made.verdict.name)
            return results, repointing, []
        write_tables(made, results.campaign, results.explanations)
        tree = document(comparison.verdict, results.extras)
        write_verdict(made, tree, comparison.config.report.language)
        return results, None, find_lost_files(home.verdict, made.verdict)


MAX_DIFFS = 20
"""Runs, from the best down, that are told apart from the winner customer by customer."""
DiffRuns = Sequence[tuple["RunDirectory", "Record"]]
"""The two runs that ``diff`` names, or none."""


@dataclass(frozen=True)
class Comparison:
    """What is compared, how, and what came out of the runs alone."""

    arguments: Sequence[str]
    config: Compare
    selection: RunSelection
    verdict: Verdict
    settings: Settings
    checks: Sequence[GateResult]
    diff_runs: DiffRuns
    scores: Scores
    on_progress: Callable[[int, int], None] | None = None

    @property
    def winner(self) -> Record:
        """The run whose model goes on to segments and a campaign."""
        return self.verdict.winner


@dataclass(frozen=True)
class ComparisonResults:
    """What the winner led to.

    Attributes
    ----------
    missing_data_message
        Asks for the customers where they are not at hand; else None.
    """

    extras: ComparisonExtras
    campaign: CampaignFiles | None
    explanations: Explanations | None
    missing_data_message: str | None


def evaluate_and_plan(
    comparison: Comparison, made: StudyDirectory, staging: Staging
) -> ComparisonResults:
    """The winner's curves, sealed test, reasons, segments and campaign, by workers."""
    from retain.execution.executor import WorkerExecutor
    from retain.execution.shared_memory import launch_dir, share
    from retain.verdict.export import to_csv
    from retain.workflows.campaign_files import write_campaign
    from retain.workflows.explanations import ExplanationJobs

    config, winner = comparison.config, comparison.winner
    scores, run = comparison.scores, comparison.selection.find_directory(winner)
    with launch_dir() as folder, WorkerExecutor(config.workers, comparison.on_progress) as executor:
        shared = share(scores, folder / "scores")
        loading = executor.submit(
            "load", config, (run, winner), shared, folder, description="reads the customers"
        )
        to_csv(comparison.verdict.table, made.leaderboard)
        effects = comparison.verdict.effects  # worked out while the customers are read
        data: TrainingData = loading.result()
        to_carry = (config, comparison.settings, made, winner, data)
        refitting = executor.submit("refit", *to_carry, description="carries the winner on")
        asking = None
        if config.explain.on and data.dataset is not None:
            asking = ExplanationJobs(executor, config, winner, data.dataset)
        diffs = tuple(_iter_differences(comparison))
        winner_jobs: WinnerEvaluation = refitting.result()
        carried, why, offered = winner_jobs.result, None, None
        if carried is not None and data.dataset is not None:
            if asking is not None:
                why = asking.collect(effects, scores, carried.test_explanations)
            scored = ((data.dataset, data.scores), carried.test_scores)
            offered = _plan_campaign(executor, comparison, scored, why)
            offered = write_campaign(offered, staging)
    findings = _collect_extras(comparison, winner_jobs, diffs, offered, why)
    return ComparisonResults(findings, offered, why, data.missing_data_message)


def _collect_extras(
    comparison: Comparison,
    winner_jobs: WinnerEvaluation,
    diffs: tuple[Difference, ...],
    offered: CampaignFiles | None,
    why: Explanations | None,
) -> ComparisonExtras:
    from retain.verdict.document import ComparisonExtras
    from retain.workflows.runs import format_commands

    found, carried = comparison.selection, winner_jobs.result
    return ComparisonExtras(
        studies=found.studies,
        question=_common_question(found),
        unfinished=found.n_unfinished + found.n_running,
        running=found.n_running,
        repeated=found.n_repeated,
        broken=found.broken,
        commands=format_commands(found, comparison.arguments),
        gate=tuple(comparison.checks) or None,
        diffs=diffs,
        curves=winner_jobs.curves,
        sealed=None if carried is None else _record_access(comparison, carried),
        further=_campaign_keys(carried, offered),
        reasons=None if why is None else why.tree,
    )


def _record_access(comparison: Comparison, carried: WinnerResult) -> SealedTest:
    """The sealed test with all its openings, this one in the ledger before any verdict has it."""
    from retain.verdict.sealed_test import Ledger

    home, roc_auc = comparison.selection.output_dir, carried.sealed_test.metrics["roc_auc"]["value"]
    openings = Ledger(home.ledger, home.ledgers_beside).note(comparison.winner, roc_auc)
    return replace(carried.sealed_test, openings=tuple(openings))


def _plan_campaign(
    executor: WorkerExecutor,
    comparison: Comparison,
    scored: tuple[tuple[SharedValue, SharedValue], Scores],
    why: Explanations | None,
) -> CampaignFiles:
    """Segments and campaign, by a worker; drivers go along where they were found."""
    from retain.workflows.campaign import DriverTexts

    words = None
    if why is not None and why.drivers is not None:
        words = DriverTexts(why.drivers, why.features, why.levels)
    to_plan = (comparison.config, comparison.settings, *scored, words)
    made: CampaignFiles = executor.submit(
        "plan", *to_plan, description="plans the campaign"
    ).result()
    return made


def _campaign_keys(carried: WinnerResult | None, offered: CampaignFiles | None) -> dict[str, Any]:
    """The part of ``verdict.json`` that needs the customers."""
    if carried is None or offered is None:
        return {}
    return {"model": carried.model, "reference": carried.reference, **offered.tree}


def _common_question(found: RunSelection) -> str | None:
    """What the study asks; several studies ask several questions."""
    asked = {str(record.config["study"]["question"]) for record in found.records}
    return asked.pop() if len(asked) == 1 else None


def _iter_differences(comparison: Comparison) -> Iterator[Difference]:
    """The two runs asked for, then the winner against each of the first runs."""
    from retain.verdict.difference import difference

    if comparison.diff_runs:
        ((one, a), (other, b)) = comparison.diff_runs
        yield difference(a, b, (try_read_scores(one, a), try_read_scores(other, b)), asked=True)
    winner, found, won = comparison.winner, comparison.selection, comparison.scores
    for record in comparison.verdict.records[:MAX_DIFFS]:
        if record is not winner:
            yield difference(
                winner, record, (won, try_read_scores(found.find_directory(record), record))
            )


def try_read_scores(run: RunDirectory, record: Record) -> Scores | None:
    """A run's scores, None where they cannot be read."""
    from retain.workflows.runs import read_run_scores

    try:
        return read_run_scores(run, record)
    except RetainError:  # what a loser wrote must not cost the verdict
        return None


def select_winner(
    found: RunSelection, judging: ComparisonConfig
) -> tuple[RunSelection, Verdict, Scores]:
    """Return the runs without broken ones, the verdict over them, and the winner's scores.

    A winner whose scores cannot be read is broken, and the next best one wins.

    Raises
    ------
    RetainError
        If no run is left, or those left cannot stand in one table.
    """
    while True:
        check_any_readable(found.broken, sum(record.state == "done" for record in found.records))
        verdict = judge(found.records, judging)
        try:
            return (
                found,
                verdict,
                read_run_scores(found.find_directory(verdict.winner), verdict.winner),
            )
        except RetainError as error:
            found = _exclude_broken(found, verdict.winner, str(error))


def _exclude_broken(found: RunSelection, record: Record, reason: str) -> RunSelection:
    broken = BrokenRun(found.find_directory(record), reason)
    runs = tuple((run, other) for run, other in found.runs if other is not record)
    return replace(found, runs=runs, broken=(*found.broken, broken))
