"""A comparison from its winner on: what workers find out about it, gathered for the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from retain.errors import RetainError
from retain.record import BrokenRun, Record
from retain.verdict.verdict import judge
from retain.workflows.runs import refuse_only_broken, scores_of

if TYPE_CHECKING:
    from retain.campaign.audience import CampaignSettings
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
    from retain.workflows.test_set import TrainingData, WinnerJobs, WinnerResult


def write_comparison(comparison: Comparison) -> tuple[Results, Repointing | None, list[str]]:
    """Carry the winner on, and put its verdict and campaign in place together.

    The verdict stays as it is where the new one would point to another campaign and nobody
    asked for that; the campaign is written all the same.
    """
    from retain.record import StudyDirectory
    from retain.storage.transaction import transaction
    from retain.verdict.document import document
    from retain.workflows.campaign_files import find_repointing, pointed_campaign
    from retain.workflows.verdict_files import (
        lost_files,
        read_older,
        write_customers,
        write_verdict,
    )

    home = comparison.found.home
    older = pointed_campaign(read_older(home.verdict_json))
    with transaction(home.path) as staging:
        made = StudyDirectory(staging.path)
        staging.add(made.verdict.name)
        results = carry_on(comparison, made, staging)
        repointing = find_repointing(home, home.verdict, older, results.offered)
        if repointing is not None and not comparison.settings.planning.replace:
            staging.drop(made.verdict.name)
            return results, repointing, []
        write_customers(made, results.offered, results.why)
        tree = document(comparison.verdict, results.findings)
        write_verdict(made, tree, comparison.config.report.language)
        return results, None, lost_files(home.verdict, made.verdict)


DIFFED = 20
"""Runs, from the best down, that are told apart from the winner customer by customer."""
Asked = Sequence[tuple["RunDirectory", "Record"]]
"""The two runs that ``diff`` names, or none."""


@dataclass(frozen=True)
class Comparison:
    """What is compared, how, and what came out of the runs alone."""

    words: Sequence[str]
    config: Compare
    found: RunSelection
    verdict: Verdict
    settings: CampaignSettings
    checks: Sequence[GateResult]
    asked: Asked
    scores: Scores
    on_progress: Callable[[int, int], None] | None = None

    @property
    def winner(self) -> Record:
        """The run whose model goes on to segments and a campaign."""
        return self.verdict.winner


@dataclass(frozen=True)
class Results:
    """What the winner led to.

    Attributes
    ----------
    missing
        Asks for the customers where they are not at hand; else None.
    """

    findings: ComparisonExtras
    offered: CampaignFiles | None
    why: Explanations | None
    missing: str | None


def carry_on(comparison: Comparison, made: StudyDirectory, staging: Staging) -> Results:
    """The winner's curves, sealed test, reasons, segments and campaign, by workers."""
    from retain.execution.executor import WorkerExecutor
    from retain.execution.shared_memory import launch_dir, share
    from retain.verdict.export import to_csv
    from retain.workflows.campaign_files import write_campaign
    from retain.workflows.explanations import ExplanationJobs

    config, winner = comparison.config, comparison.winner
    scores, run = comparison.scores, comparison.found.directory(winner)
    with launch_dir() as folder, WorkerExecutor(config.workers, comparison.on_progress) as executor:
        shared = share(scores, folder / "scores")
        loading = executor.submit(
            "load", config, (run, winner), shared, folder, description="reads the customers"
        )
        to_csv(comparison.verdict.table, made.leaderboard)
        effects = comparison.verdict.effects  # worked out while the customers are read
        data: TrainingData = loading.result()
        to_carry = (config, comparison.settings, made, winner, data)
        refitting = executor.submit("carry", *to_carry, description="carries the winner on")
        asking = None
        if config.explain.on and data.customers is not None:
            asking = ExplanationJobs(executor, config, winner, data.customers)
        diffs = tuple(_differences(comparison))
        winner_jobs: WinnerJobs = refitting.result()
        carried, why, offered = winner_jobs.carried, None, None
        if carried is not None and data.customers is not None:
            if asking is not None:
                why = asking.answer(effects, scores, carried.explained)
            scored = ((data.customers, data.scores), carried.scores)
            offered = _offered(executor, comparison, scored, why)
            offered = write_campaign(offered, staging)
    findings = _findings(comparison, winner_jobs, diffs, offered, why)
    return Results(findings, offered, why, data.missing)


def _findings(
    comparison: Comparison,
    winner_jobs: WinnerJobs,
    diffs: tuple[Difference, ...],
    offered: CampaignFiles | None,
    why: Explanations | None,
) -> ComparisonExtras:
    from retain.verdict.document import ComparisonExtras
    from retain.workflows.runs import reproduce_commands

    found, carried = comparison.found, winner_jobs.carried
    return ComparisonExtras(
        studies=found.studies,
        question=_question(found),
        unfinished=found.unfinished + found.running,
        running=found.running,
        repeated=found.repeated,
        broken=found.broken,
        commands=reproduce_commands(found, comparison.words),
        gate=tuple(comparison.checks) or None,
        diffs=diffs,
        curves=winner_jobs.curves,
        sealed=None if carried is None else _noted(comparison, carried),
        further=_further(carried, offered),
        reasons=None if why is None else why.tree,
    )


def _noted(comparison: Comparison, carried: WinnerResult) -> SealedTest:
    """The sealed test with all its openings, this one in the ledger before any verdict has it."""
    from retain.verdict.sealed_test import Ledger

    home, roc_auc = comparison.found.home, carried.sealed.metrics["roc_auc"]["value"]
    openings = Ledger(home.ledger, home.ledgers_beside).note(comparison.winner, roc_auc)
    return replace(carried.sealed, openings=tuple(openings))


def _offered(
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


def _further(carried: WinnerResult | None, offered: CampaignFiles | None) -> dict[str, Any]:
    """The part of ``verdict.json`` that needs the customers."""
    if carried is None or offered is None:
        return {}
    return {"model": carried.model, "reference": carried.reference, **offered.tree}


def _question(found: RunSelection) -> str | None:
    """What the study asks; several studies ask several questions."""
    asked = {str(record.config["study"]["question"]) for record in found.records}
    return asked.pop() if len(asked) == 1 else None


def _differences(comparison: Comparison) -> Iterator[Difference]:
    """The two runs asked for, then the winner against each of the first runs."""
    from retain.verdict.difference import difference

    if comparison.asked:
        ((one, a), (other, b)) = comparison.asked
        yield difference(a, b, (read_scores(one, a), read_scores(other, b)), requested=True)
    winner, found, won = comparison.winner, comparison.found, comparison.scores
    for record in comparison.verdict.records[:DIFFED]:
        if record is not winner:
            yield difference(winner, record, (won, read_scores(found.directory(record), record)))


def read_scores(run: RunDirectory, record: Record) -> Scores | None:
    """A run's scores, None where they cannot be read."""
    from retain.workflows.runs import scores_of

    try:
        return scores_of(run, record)
    except RetainError:  # what a loser wrote must not cost the verdict
        return None


def judge_whole(
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
        refuse_only_broken(found.broken, sum(record.state == "done" for record in found.records))
        verdict = judge(found.records, judging)
        try:
            return found, verdict, scores_of(found.directory(verdict.winner), verdict.winner)
        except RetainError as error:
            found = _without(found, verdict.winner, str(error))


def _without(found: RunSelection, record: Record, reason: str) -> RunSelection:
    broken = BrokenRun(found.directory(record), reason)
    runs = tuple((run, other) for run, other in found.runs if other is not record)
    return replace(found, runs=runs, broken=(*found.broken, broken))
