"""The part of a verdict that the dashboard keeps: winner, tied runs, how sure that is, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from retain.dashboard.rows import RunRow, format_commit
from retain.dashboard.texts import shorten
from retain.errors import RetainError
from retain.record.comparison_document import VersusRandom
from retain.record.documents import read_document
from retain.record.estimates import Estimate
from retain.record.study import StudyDirectory
from retain.record.verdict_document import VerdictDocument
from retain.storage.reading import MIB
from retain.verdict.candidates import describe_configuration
from retain.verdict.paired import METRIC

VERDICT_BYTES = 64 * MIB
"""Largest verdict that is read; one over ten thousand runs has about ten MiB."""


@dataclass(frozen=True)
class VerdictSummary:
    """A verdict in short.

    Attributes
    ----------
    problem
        Why it cannot be read; all else is empty then.
    written_at
        When its file was written, by the file.
    tied
        Ids of the runs that are not distinguishable from the best.
    corrected
        The winner's mean ROC-AUC, corrected for its choice among the candidates.
    sealed
        Its ROC-AUC on the sealed test.
    """

    problem: str = ""
    written_at: str = ""
    studies: tuple[str, ...] = ()
    winner: str = ""
    name: str = ""
    tied: frozenset[str] = frozenset()
    corrected: Estimate | None = None
    n_candidates: int = 0
    sealed: Estimate | None = None
    chance: VersusRandom | None = None
    commit: str = ""
    has_report: bool = False


def tag_runs(rows: Sequence[RunRow], verdict: VerdictSummary | None) -> dict[str, str]:
    """Return ``winner`` or ``tied`` by the id of a run, for those that a verdict says it of.

    A verdict takes runs that differ in the seed alone for one and names one of them; the others are
    tied like it.
    """
    if verdict is None or verdict.problem:
        return {}
    named = verdict.tied | {verdict.winner}
    tags = {row.id: "tied" for row in rows if row.id in named}
    if len({row.config.get("seed") for row in rows if row.config}) > 1:
        configs = {row.id: describe_configuration(row.config) for row in rows if row.config}
        tied = {configs[id_] for id_ in tags if id_ in configs}
        tags |= {id_: "tied" for id_, text in configs.items() if text in tied}
    return tags | {row.id: "winner" for row in rows if row.id == verdict.winner}


def read_verdict(study: StudyDirectory) -> VerdictSummary:
    """Return the verdict of a study in short, with the problem if it cannot be read."""
    path = study.verdict_json
    try:
        _, verdict = read_document(
            VerdictDocument, path, max_bytes=VERDICT_BYTES, within=study.path
        )
    except RetainError as error:
        return VerdictSummary(problem=shorten(error))
    sealed = verdict.sealed_test and verdict.sealed_test.metrics.get(METRIC)
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    corrected = verdict.selection.corrected
    return VerdictSummary(
        written_at=written.isoformat(timespec="seconds"),
        studies=verdict.studies,
        winner=verdict.winner.id,
        name=shorten(verdict.winner.name),
        tied=frozenset(verdict.tied),
        corrected=corrected.metrics.get(METRIC),
        n_candidates=corrected.n_candidates,
        sealed=Estimate(sealed.value, sealed.low, sealed.high) if sealed else None,
        chance=verdict.versus_random,
        commit=format_commit(verdict.git.commit, dirty=verdict.git.dirty),
        has_report=study.report.is_file(),
    )
