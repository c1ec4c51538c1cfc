"""The comparison of finished runs: the winner, its sealed test, explanations and campaign."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from retain.errors import RetainError
from retain.execution.executor import Future, WorkerExecutor
from retain.execution.plan import collect_environment
from retain.execution.shared_memory import launch_dir, share
from retain.record.document import Record
from retain.record.manifest import write_manifest
from retain.record.study import BrokenRun, StudyDirectory
from retain.storage.transaction import transaction
from retain.storage.writing import hash_files, write_text
from retain.verdict.verdict import compare_runs
from retain.workflows.differences import DiffRuns, iter_differences
from retain.workflows.launch_commands import format_commands
from retain.workflows.open_campaigns import find_open_campaigns
from retain.workflows.run_placements import rank_runs, read_placements
from retain.workflows.runs import check_any_readable, hash_records, read_run_scores

if TYPE_CHECKING:
    from retain.learning.scores import Scores
    from retain.record.comparison_document import GateResult, RunDifference
    from retain.record.directory import RunDirectory
    from retain.record.verdict_document import CustomerResults, VerdictDocument
    from retain.schema.compare import Compare, ComparisonConfig
    from retain.schema.scoring import CampaignSettings
    from retain.storage.transaction import Staging
    from retain.verdict.document import ComparisonExtras
    from retain.verdict.sealed_test import Ledger, SealedTest
    from retain.verdict.verdict import Verdict
    from retain.workflows.campaign import CampaignFiles
    from retain.workflows.campaign_files import Repointing
    from retain.workflows.explanations import Explanations
    from retain.workflows.runs import RunSelection
    from retain.workflows.winner_evaluation import TrainingData, WinnerEvaluation, WinnerResult


@dataclass(frozen=True)
class Comparison:
    """The runs and settings of a comparison, with the verdict over the runs.

    Attributes
    ----------
    arguments
        The arguments of the command line, for the commands in the verdict.
    gate_results
        The results of the gate.
    scores
        The out-of-fold scores of the winner.
    on_progress
        Called with the number of worker jobs done and submitted.
    """

    arguments: Sequence[str]
    config: Compare
    selection: RunSelection
    verdict: Verdict
    settings: CampaignSettings
    gate_results: Sequence[GateResult]
    diff_runs: DiffRuns
    scores: Scores
    on_progress: Callable[[int, int], None] | None = None

    @property
    def winner(self) -> Record:
        """The best run."""
        return self.verdict.winner


@dataclass(frozen=True)
class ComparisonResults:
    """The results of a comparison beyond its verdict.

    ``missing_data_message`` asks for the customers if they were not found.
    """

    extras: ComparisonExtras
    campaign: CampaignFiles | None
    explanations: Explanations | None
    missing_data_message: str | None


def select_winner(
    selection: RunSelection, config: ComparisonConfig
) -> tuple[RunSelection, Verdict, Scores]:
    """Return the readable runs, the verdict over them, and the winner's scores.

    If the scores of a winner cannot be read, it is broken and the next best run wins. So is a run
    whose record has other metrics than its scores.

    Raises
    ------
    RetainError
        If no run is left, or the runs cannot be compared.
    """
    placements, edited = read_placements(selection)
    selection = _without(selection, edited)
    while True:
        n_done = sum(record.state == "done" for record in selection.records)
        check_any_readable(selection.broken, n_done)
        verdict = compare_runs(selection.records, config, placements)
        run = selection.find_directory(verdict.winner)
        try:
            return selection, verdict, read_run_scores(run, verdict.winner)
        except RetainError as error:
            others = [one for one in rank_runs(selection.runs) if one[1].id != verdict.winner.id]
            unreadable = (BrokenRun(run, str(error)), *_unreadable_before_next(others))
            selection = _without(selection, unreadable)


def _unreadable_before_next(
    ranked: Sequence[tuple[RunDirectory, Record]],
) -> Iterator[BrokenRun]:
    """Yield the runs that come before the first one with readable scores."""
    for run, record in ranked:
        try:
            read_run_scores(run, record)
        except RetainError as error:
            yield BrokenRun(run, str(error))
        else:
            return


def _without(selection: RunSelection, broken: Sequence[BrokenRun]) -> RunSelection:
    """Return the selection with these runs, and the same runs in other studies, as broken."""
    out = {selection.record_of(one.directory).id for one in broken}
    runs = tuple(pair for pair in selection.runs if pair[1].id not in out)
    return replace(selection, runs=runs, broken=(*selection.broken, *broken))


def write_comparison(
    comparison: Comparison,
) -> tuple[ComparisonResults, Repointing | None, list[str]]:
    """Evaluate the winner, and put its verdict and campaign in place together.

    An existing verdict is kept if the new one would point to another campaign, unless
    ``campaign.replace`` is set; the campaign is written in any case.

    Returns
    -------
    tuple
        The results, the change of campaign that kept the existing verdict, if any, and the names
        of files that only the previous verdict had.
    """
    from retain.verdict.document import document
    from retain.workflows.campaign_files import find_repointing

    study = comparison.selection.output_dir
    with transaction(study.path) as staging:
        staged = StudyDirectory(staging.path)
        staging.add(staged.verdict.name)
        results = evaluate_and_plan(comparison, staged, staging)
        repointing = find_repointing(study, study.verdict_json, results.campaign)
        if repointing is not None and not comparison.settings.campaign.replace:
            staging.drop(staged.verdict.name)
            return results, repointing, []
        for tables in (results.explanations, results.campaign):
            if tables is not None:
                tables.write(staged)
        verdict = document(comparison.verdict, results.extras)
        _write_verdict(staged, verdict, comparison.config.report.language)
        runs = hash_records(comparison.selection)
        write_manifest(staged.verdict, collect_environment().code_sha256, runs)
        old, new = (_file_names(folder) for folder in (study.verdict, staged.verdict))
        return results, None, sorted(old - new)


def _write_verdict(study: StudyDirectory, document: VerdictDocument, language: str) -> None:
    """Write ``verdict.json`` with the hashes of the tables beside it, the page and its charts."""
    from retain.report.page.page import page
    from retain.report.render import chart_subset
    from retain.verdict.document import as_json

    document = document.model_copy(update={"files": hash_files(study.verdict)})
    study.pictures.mkdir()
    arguments = (chart_subset(document), language, study.pictures, {"fishbone": study.verdict})
    with WorkerExecutor(1) as executor:
        drawing = executor.submit("render", *arguments)
        write_text(study.verdict_json, as_json(document))
        write_text(study.report, page(document, language))
        drawing.result()


def _file_names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*")}


def evaluate_and_plan(
    comparison: Comparison, staged: StudyDirectory, staging: Staging
) -> ComparisonResults:
    """Evaluate and explain the winner and plan its campaign, in worker processes."""
    from retain.verdict.export import ExportDialect, write_csv
    from retain.workflows.campaign_files import write_campaign
    from retain.workflows.explanations import ExplanationJobs

    config, winner = comparison.config, comparison.winner
    scores, run = comparison.scores, comparison.selection.find_directory(winner)
    with launch_dir() as folder, WorkerExecutor(config.workers, comparison.on_progress) as executor:
        loading = executor.submit(
            "load", config, (run, winner), share(scores, folder / "scores"), folder
        )
        dialect = ExportDialect(config.export.choose(config.report))
        write_csv(comparison.verdict.table, staged.leaderboard, dialect)
        effects = comparison.verdict.effects  # computed while the customers are read
        data: TrainingData = loading.result()
        arguments = (config, comparison.settings, staged, winner, data)
        access = _ledger(comparison).access_number(winner)
        refitting = executor.submit("refit", *arguments, access)
        explaining = None
        if config.explain.on and data.dataset is not None:
            explaining = ExplanationJobs(executor, config, winner, data.dataset)
        diffs = tuple(
            iter_differences(comparison.selection, comparison.verdict, scores, comparison.diff_runs)
        )
        evaluation: WinnerEvaluation = refitting.result()
        explanations, campaign = None, None
        if evaluation.result is not None and data.dataset is not None:
            result = evaluation.result
            if explaining is not None:
                addressed = comparison.settings.offers.addressed_features
                tested = result.test_explanations
                explanations = explaining.collect(effects, scores, tested, addressed)
            if explanations is not None and comparison.settings.campaign.on:
                name = comparison.verdict.name(winner)
                explanations.check_offers(comparison.settings.offers, name)
            texts = None if explanations is None else explanations.driver_texts
            scored = ((data.dataset, data.scores), result.test_scores, texts)
            ranking = result.sealed_test.chance.status
            planning = _submit_plan(executor, comparison, *scored, ranking)
            if explaining is not None and explanations is not None:
                explanations = explaining.add_refits(explanations)  # made beside the plan
            campaign = write_campaign(planning.result(), staging)
    extras = _collect_extras(comparison, evaluation, diffs, campaign, explanations)
    return ComparisonResults(extras, campaign, explanations, data.missing_data_message)


def _collect_extras(
    comparison: Comparison,
    evaluation: WinnerEvaluation,
    diffs: tuple[RunDifference, ...],
    campaign: CampaignFiles | None,
    explanations: Explanations | None,
) -> ComparisonExtras:
    from retain.verdict.document import ComparisonExtras

    selection, result = comparison.selection, evaluation.result
    return ComparisonExtras(
        studies=selection.studies,
        question=selection.question,
        interrupted=selection.n_interrupted,
        running=selection.n_running,
        repeated=selection.n_repeated,
        broken=selection.broken,
        commands=format_commands(selection, comparison.arguments),
        gate=tuple(comparison.gate_results) or None,
        diffs=diffs,
        curves=evaluation.curves,
        sealed=None if result is None else _record_access(comparison, result),
        customer_results=_customer_results(result, campaign),
        explanations=None if explanations is None else explanations.document,
    )


def _record_access(comparison: Comparison, result: WinnerResult) -> SealedTest:
    """Add this access to the ledger, and return the sealed test with all its accesses."""
    sealed_test = result.sealed_test
    auc = sealed_test.metrics["roc_auc"].value
    openings = _ledger(comparison).add(comparison.winner, auc)
    return replace(sealed_test, accesses=tuple(openings))


def _ledger(comparison: Comparison) -> Ledger:
    from retain.verdict.sealed_test import Ledger

    study = comparison.selection.output_dir
    return Ledger(study.ledger, study.ledgers_beside)


def _submit_plan(executor: WorkerExecutor, comparison: Comparison, *scored: object) -> Future:
    study = comparison.selection.output_dir
    others = find_open_campaigns(study, comparison.settings, study.verdict_json)
    arguments = (comparison.config, comparison.settings, *scored, others)
    return executor.submit("plan", *arguments)


def _customer_results(
    result: WinnerResult | None, campaign: CampaignFiles | None
) -> CustomerResults | None:
    """Return the part of ``verdict.json`` that needs the customers."""
    if result is None or campaign is None:
        return None
    files = {"model": result.model, "reference": result.reference}
    return campaign.results.model_copy(update=files)
