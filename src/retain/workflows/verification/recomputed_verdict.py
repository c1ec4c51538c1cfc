"""The verdict recomputed from the records of its runs, as the comparison computed it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from retain.errors import RetainError
from retain.learning.score_file import GROUP_COLUMN, read_score_table
from retain.record.consistency import RecordChecker
from retain.record.directory import RunDirectory
from retain.record.document import Record
from retain.record.manifest import DisagreementError
from retain.record.reading import Reader
from retain.record.study import BrokenRun, StudyDirectory
from retain.record.verdict_document import CustomerResults, VerdictDocument
from retain.schema.compare import ComparisonConfig
from retain.storage.paths import check_name
from retain.storage.pinned import check_pinned
from retain.verdict.curves import curves
from retain.verdict.document import ComparisonExtras, document
from retain.verdict.gate import check_gate
from retain.verdict.sealed_test import SealedTest
from retain.workflows.compare import select_winner
from retain.workflows.differences import DiffRuns, iter_differences
from retain.workflows.runs import RunSelection

if TYPE_CHECKING:
    from retain.learning.scores import Scores
    from retain.record.comparison_document import Curves, RunDifference
    from retain.verdict.verdict import Verdict


def recompute_verdict(
    study: StudyDirectory, saved: VerdictDocument, runs: Mapping[str, str]
) -> VerdictDocument:
    """Return the verdict over the records of its runs; what needs more is taken from ``saved``.

    Parameters
    ----------
    runs
        SHA-256 of the records, as in the manifest of the verdict.

    Raises
    ------
    DisagreementError
        A record is missing or is not the one that was compared.
    RetainError
        The records cannot be compared.
    """
    pairs = tuple(_read_run(study, saved, name, sha256) for name, sha256 in runs.items())
    counts = (saved.n_interrupted, saved.n_running)
    selection = RunSelection(study, saved.studies, pairs, (), *counts)
    config = ComparisonConfig(
        alpha=saved.alpha,
        rope=saved.rope,
        rule=saved.selection.rule,
        complexity_order=saved.selection.complexity_order,
    )
    selection, verdict, scores = select_winner(selection, config)
    extras = ComparisonExtras(
        studies=saved.studies,
        question=selection.question,
        interrupted=saved.n_interrupted,
        running=saved.n_running,
        broken=_broken_runs(saved),
        commands=saved.commands,
        gate=None if saved.gate is None else tuple(check_gate(verdict, _thresholds(saved))),
        diffs=_differences(selection, verdict, scores, saved),
        curves=_curves(selection, verdict, scores, saved),
        sealed=_sealed_test(saved),
        customer_results=_customer_results(saved),
        explanations=saved.explanations,
    )
    return document(verdict, extras).model_copy(update={"files": saved.files})


def _read_run(
    study: StudyDirectory, saved: VerdictDocument, name: str, sha256: str
) -> tuple[RunDirectory, Record]:
    """Return a run and its record, which is the one that was compared."""
    of_study, _, folder = name.partition("/")
    home = study.path
    if len(saved.studies) > 1:  # their verdict lies beside them
        home = home.parent / check_name("study", of_study)
        if not home.is_dir():
            raise RetainError(
                f"{study.path} is the verdict of several studies, and {home} is not there; copy "
                "the studies beside it."
            )
    run = RunDirectory(home / check_name("run", folder))
    try:
        check_pinned(run.record, sha256, "manifest.json", within=home)
        record = Reader().read(run.record, within=home)
    except RetainError as error:
        raise DisagreementError(str(error)) from None
    problem = None if record is None else RecordChecker().find_problem(record, run.path)
    if record is None or problem is not None:
        raise DisagreementError(f"{run.record}: {problem or 'it is missing'}.")
    return run, record


def _broken_runs(saved: VerdictDocument) -> tuple[BrokenRun, ...]:
    return tuple(
        BrokenRun(RunDirectory(Path(one.study) / one.id), one.reason or "")
        for one in saved.excluded_runs
        if one.state == "broken"
    )


def _thresholds(saved: VerdictDocument) -> dict[str, float]:
    return {} if saved.gate is None else {one.name: one.threshold for one in saved.gate.metrics}


def _differences(
    selection: RunSelection, verdict: Verdict, scores: Scores, saved: VerdictDocument
) -> tuple[RunDifference, ...]:
    """Return the differences; the pair that was asked for may be of runs that are elsewhere."""
    asked = [one for one in saved.diffs if one.requested]
    ids = {record.id for record in selection.records}
    here = [one for one in asked if {one.a, one.b} <= ids]
    requested: DiffRuns = [selection.find_run(id_) for one in here for id_ in (one.a, one.b)]
    elsewhere = [one for one in asked if one not in here]
    return (*elsewhere, *iter_differences(selection, verdict, scores, requested))


def _curves(
    selection: RunSelection, verdict: Verdict, scores: Scores, saved: VerdictDocument
) -> Curves | None:
    """Return the curves of the winner; that of profit needs the customers."""
    if saved.curves is None:
        return None
    groups = None
    if saved.sealed_test is not None:  # else the comparison did not know who is a copy of whom
        run = selection.find_directory(verdict.winner)
        table = read_score_table(run.scores, verdict.winner, within=run.path)
        if GROUP_COLUMN in table.column_names:
            frame = table.select(["customer_id", GROUP_COLUMN]).to_pandas()
            groups = pd.Series(frame.drop_duplicates().set_index("customer_id")[GROUP_COLUMN])
    found = curves(scores, None, groups)
    return found.model_copy(update={"captured_profit": saved.curves.captured_profit})


def _sealed_test(saved: VerdictDocument) -> SealedTest | None:
    if saved.sealed_test is None:
        return None
    sealed = saved.sealed_test
    return SealedTest(sealed.n_customers, sealed.metrics, sealed.accesses, saved.versus_random)


def _customer_results(saved: VerdictDocument) -> CustomerResults | None:
    if saved.segments is None:
        return None
    return CustomerResults(**{name: getattr(saved, name) for name in CustomerResults.model_fields})
