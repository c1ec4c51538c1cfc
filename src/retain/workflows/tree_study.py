"""The runs and the verdict of a study of one tree, as far as they are believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from math import inf
from pathlib import Path, PurePosixPath
from typing import Literal

from retain.errors import RetainError
from retain.record.consistency import RecordChecker, is_own_folder
from retain.record.directory import RunDirectory
from retain.record.document import Record
from retain.record.documents import read_document
from retain.record.manifest import MANIFEST, ManifestDocument
from retain.record.study import BrokenRun, StudyDirectory
from retain.record.trees_document import UnreadableRun
from retain.record.verdict_document import VerdictDocument
from retain.storage.reading import MissingFileError
from retain.storage.writing import hash_file
from retain.verdict.candidates import group_by_seed
from retain.verdict.paired import METRIC
from retain.verdict.trees.best_run import ScoredRuns
from retain.verdict.trees.study_change import StudyRuns
from retain.workflows.run_placements import PlacedRuns, place_runs, rank_runs
from retain.workflows.runs import check_record

Side = Literal["main", "branch"]
Run = tuple[RunDirectory, Record]
MAX_REASON = 300
"""Maximum number of characters of a reason."""


def read_study(study: StudyDirectory, side: Side) -> StudyRuns:
    """Return the records, scores and verdict of a study, as far as they can be read."""
    checker = RecordChecker(other_code=True)
    written = [*study.read()]
    found = [(run, check_record(run, record, checker, by_name=False)) for run, record in written]
    read = [(run, record) for run, record in found if isinstance(record, Record)]
    runs, copies = _without_copies(read)
    broken = [record for _, record in found if isinstance(record, BrokenRun)]
    ranked = rank_runs(runs)
    placed = place_runs(ranked)
    edited = {one.directory.path for one in placed.edited}
    runs = [(run, record) for run, record in runs if run.path not in edited]
    scored, unlike = _compare_like(runs, placed)
    verdict, problems = _read_verdict(study, side)
    claims = {run.path: record for run, record in written if isinstance(record, Record)}
    broken, more = _split_copies(broken, claims, {record.id for _, record in runs})
    unread = sorted((*broken, *placed.broken, *unlike), key=lambda one: -_claimed(one, claims))
    unreadable = [_describe_broken(one, side) for one in (*unread, *copies, *more)]
    unfinished = [run.path.name.rpartition("-")[2] for run, record in found if record is None]
    best = max((_mean(record) for _, record in runs), default=-inf)
    return StudyRuns(
        records=tuple(record for _, record in runs),
        scored=scored,
        verdict=verdict,
        unreadable=(*unreadable, *problems),
        n_unfinished=len(unfinished),
        score_hashes=placed.score_hashes,
        unread=frozenset((*unfinished, *(id_ for one in unread for id_ in _ids(one, claims)))),
        best_is_unread=bool(edited)
        or not _is_best_read(runs, placed, {record.id for _, record in ranked})
        or any(best <= _claimed(one, claims) < inf for one in broken),
        is_verdict_outdated=verdict is not None and _is_outdated(study, runs),
    )


def _without_copies(runs: Sequence[Run]) -> tuple[list[Run], list[BrokenRun]]:
    """Return the runs with an id of their own, and those whose id another folder has too.

    Of folders with the same id the one that is named as retain does is the run.
    """
    first: dict[str, Run] = {}
    for run, record in sorted(runs, key=lambda one: not is_own_folder(one[1], one[0].path)):
        first.setdefault(record.id, (run, record))
    own = {run.path for run, _ in first.values()}
    copies = [
        BrokenRun(run, f"{run.record}: it is a copy of {first[record.id][0].path.name}.")
        for run, record in runs
        if run.path not in own
    ]
    return [one for one in runs if one[0].path in own], copies


def _split_copies(
    broken: Sequence[BrokenRun], claims: Mapping[Path, Record], known: AbstractSet[str]
) -> tuple[list[BrokenRun], list[BrokenRun]]:
    """Return the broken runs, and those that are copies of a known run in a renamed folder."""
    ids = [claims[one.directory.path].id if one.directory.path in claims else "" for one in broken]
    pairs = list(zip(broken, ids, strict=True))
    return [one for one, id_ in pairs if id_ not in known], [
        one for one, id_ in pairs if id_ in known
    ]


def _ids(run: BrokenRun, claims: Mapping[Path, Record]) -> set[str]:
    """Return the ids that a run may have: by its folder, and by its record if it can be read."""
    path = run.directory.path
    own = {claims[path].id} if path in claims else set()
    return {path.name.rpartition("-")[2], *own}


def _claimed(run: BrokenRun, claims: Mapping[Path, Record]) -> float:
    """Return the mean ROC-AUC that the record of a run claims; infinity if it cannot be read."""
    path = run.directory.path
    return _mean(claims[path]) if path in claims else inf


def _mean(record: Record) -> float:
    whole = record.state == "done" and not record.stopped_early
    return record.metrics[METRIC].value if whole and METRIC in record.metrics else -inf


def _is_best_read(runs: Sequence[Run], placed: PlacedRuns, tried: AbstractSet[str]) -> bool:
    """Return whether all scores of the best configuration were read, of those that were tried.

    Its runs with other seeds may be beyond the bounds of what is read.
    """
    whole = [one for _, one in runs if one.state == "done" and not one.stopped_early]
    read = () if placed.placements is None else placed.placements.ids
    if not whole:
        return True
    best = max(group_by_seed(whole), key=lambda one: one.record.metrics[METRIC].value)
    return {run.id for run in best.runs} & tried <= {*read}


def _is_outdated(study: StudyDirectory, runs: Sequence[Run]) -> bool:
    """Return whether a verdict was made from other records than those of the study."""
    try:
        document = read_document(ManifestDocument, study.verdict / MANIFEST, within=study.path)[1]
        made_from = {PurePosixPath(name).name: one for name, one in (document.runs or {}).items()}
        now = {
            run.path.name: hash_file(run.record, within=run.path)
            for run, record in runs
            if record.state == "done" or run.path.name in made_from
        }
    except RetainError:
        return True
    return now != made_from


def _describe_broken(run: BrokenRun, side: Side) -> UnreadableRun:
    folder = run.directory.path.name
    reason = run.reason.replace(f"{run.directory.path}/", "")  # the folder is named beside it
    return UnreadableRun(tree=side, folder=printable(folder), reason=printable(reason[:MAX_REASON]))


def _compare_like(
    runs: Sequence[Run], placed: PlacedRuns
) -> tuple[ScoredRuns | None, Sequence[BrokenRun]]:
    """Return the configurations whose scores were read and can be compared, and other runs."""
    if placed.placements is None or placed.rows is None:
        return None, ()
    by_id = {record.id: (run, record) for run, record in runs}
    read = [by_id[id_] for id_ in placed.placements.ids]
    unlike = [*_unlike_first(read)]
    out = {run.path for run in (one.directory for one in unlike)}
    alike = [record for run, record in read if run.path not in out]
    candidates = group_by_seed(alike)
    return ScoredRuns.of(candidates, placed.placements, placed.rows), unlike


def _unlike_first(runs: Sequence[Run]) -> Iterator[BrokenRun]:
    """Yield the runs that have other metrics or numbers of folds than the first."""
    _, first = runs[0]
    for run, record in runs[1:]:
        if (record.metrics.keys(), record.folds) != (first.metrics.keys(), first.folds):
            other = "it has other metrics or folds than the best run of the study"
            yield BrokenRun(run, f"{run.record}: {other}.")


def _read_verdict(
    study: StudyDirectory, side: Side
) -> tuple[VerdictDocument | None, Sequence[UnreadableRun]]:
    """Return the verdict of a study, None where there is none or it cannot be read."""
    try:
        return read_document(VerdictDocument, study.verdict_json, within=study.path)[1], ()
    except MissingFileError:
        return None, ()
    except RetainError as error:
        reason = printable(str(error)[:MAX_REASON])
        folder = study.verdict.name
        return None, [UnreadableRun(tree=side, folder=folder, reason=reason)]


def printable(text: str) -> str:
    """Return a text that JSON can hold, whatever the name of a file is made of."""
    return text.encode("utf-8", "replace").decode("utf-8")
