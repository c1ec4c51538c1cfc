"""The change of one study from one tree to another: its facts, from records alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retain.record.comparison_document import RunName
from retain.record.document import Record
from retain.record.estimates import Estimate
from retain.record.trees_document import (
    BestChange,
    Cause,
    CauseCount,
    Conclusion,
    MetricCount,
    Obstacle,
    RunChange,
    StudyChange,
    UnmatchedRun,
    UnreadableRun,
)
from retain.record.verdict_document import VerdictDocument
from retain.verdict.config_keys import differing_keys, get_key, label_run
from retain.verdict.paired import METRIC
from retain.verdict.trees.aspects import find_causes, shorten
from retain.verdict.trees.best_run import ScoredRuns, change_of_best
from retain.verdict.trees.matching import Matching, match_runs
from retain.verdict.trees.movement import Movement, find_moves
from retain.verdict.trees.verdict_change import compare_verdicts


@dataclass(frozen=True)
class StudyRuns:
    """A study of one tree, as far as it can be read.

    Attributes
    ----------
    records
        Of all runs that ended, whatever their state.
    scored
        The finished configurations whose scores were read; None if there is none.
    score_hashes
        Hashes of the scores of the runs whose scores were read, by id.
    unread
        Ids of the runs without a record, or whose record or scores are not believed.
    best_is_unread
        Whether a run that is not believed is the best by its record, or may be.
    is_verdict_outdated
        Whether the verdict was made from other records than those that are there.
    unreadable
        Runs, scores and verdicts that are not believed.
    n_unfinished
        Number of folders of runs without a record.
    """

    records: tuple[Record, ...]
    scored: ScoredRuns | None
    verdict: VerdictDocument | None
    unreadable: tuple[UnreadableRun, ...]
    n_unfinished: int
    score_hashes: Mapping[str, str] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    best_is_unread: bool = False
    is_verdict_outdated: bool = False


@dataclass(frozen=True)
class TreeTests:
    """The numbers that decide: ``level`` is that of the interval of the best run's change."""

    margin: float
    alpha: float
    level: float = 0.95


def compare_study(name: str, main: StudyRuns, branch: StudyRuns, tests: TreeTests) -> StudyChange:
    """Return the change of a study, without its sentence."""
    matching = match_runs(main.records, branch.records)
    names = _names(main.records) | _names(branch.records)
    runs = [
        run.model_copy(update={"has_other_scores": _have_other_scores(main, branch, run)})
        for run in _compare_pairs(matching, names, tests.alpha)
    ]
    obstacle = _find_obstacle(main, branch)
    best = None if obstacle else _compare_best(main, branch, names, matching, tests.level)
    unreadable = (*main.unreadable, *branch.unreadable)
    unfinished = main.n_unfinished, branch.n_unfinished
    complete = not (matching.new or matching.gone or unreadable or any(unfinished))
    conclusion: Conclusion = "incomparable"
    if complete and runs and not any(run.has_changed for run in runs):
        conclusion = "same"
    elif best is not None and best.is_same_result:
        conclusion = "not_worse"
    elif best is not None:
        conclusion = conclude(best.difference, tests.margin)
    verdict = None
    if main.verdict is not None and branch.verdict is not None:
        outdated = main.is_verdict_outdated, branch.is_verdict_outdated
        verdict = compare_verdicts(main.verdict, branch.verdict, matching, names, outdated)
    return StudyChange(
        study=name,
        summary="",
        conclusion=conclusion,
        obstacle=obstacle,
        best=best,
        margin=tests.margin,
        alpha=tests.alpha,
        n_same=sum(run.is_same for run in runs),
        n_changed=sum(not run.is_same for run in runs),
        n_moved=sum(bool(run.moves) for run in runs),
        n_other_scores=sum(run.is_same and run.has_changed for run in runs),
        n_unexplained=sum(run.has_changed and not (run.causes or run.reason) for run in runs),
        causes=_count_causes(runs),
        metrics=_count_moves(runs, matching),
        runs=tuple(runs),
        new_runs=tuple(_describe(one, names) for one in matching.new if one.id not in main.unread),
        gone_runs=tuple(
            _describe(one, names) for one in matching.gone if one.id not in branch.unread
        ),
        unreadable=unreadable,
        n_unfinished=unfinished,
        verdict=verdict,
    )


def _names(records: Sequence[Record]) -> dict[str, str]:
    """Return names that differ from run to run of a study, by id."""
    keys = differing_keys([record.config for record in records])
    return {
        record.id: shorten(label_run({"id": record.id, **_values(record, list(keys))}, keys))
        if keys
        else str(get_key(record.config, "model") or record.id)
        for record in records
    }


def _values(record: Record, keys: Sequence[str]) -> Mapping[str, object]:
    return {key: get_key(record.config, key) for key in keys}


def _compare_pairs(matching: Matching, names: Mapping[str, str], alpha: float) -> list[RunChange]:
    finished = [pair for pair in matching.pairs if all(record.state == "done" for record in pair)]
    moved = find_moves(finished, alpha)
    movements = {main.id: movement for (main, _), movement in zip(finished, moved, strict=True)}
    return [
        _compare_pair(main, branch, names[main.id], movements.get(main.id))
        for main, branch in matching.pairs
    ]


def _compare_pair(main: Record, branch: Record, name: str, movement: Movement | None) -> RunChange:
    return RunChange(
        id=main.id,
        branch_id=branch.id,
        name=name,
        states=(main.state, branch.state),
        reason=_reason(main, branch),
        is_same=main.state == branch.state and _have_same_metrics(main, branch),
        causes=find_causes(main, branch),
        difference=None if movement is None else movement.difference,
        moves=() if movement is None else movement.moves,
    )


def _reason(main: Record, branch: Record) -> str | None:
    """Return why one of two runs has no result, that of the branch first."""
    reason = branch.reason or main.reason
    return None if main.state == branch.state or not reason else shorten(reason)


def _have_same_metrics(main: Record, branch: Record) -> bool:
    one, other = _folds(main), _folds(branch)
    return all(one[name] == other[name] for name in one.keys() & other.keys())


def _have_other_scores(main: StudyRuns, branch: StudyRuns, run: RunChange) -> bool | None:
    """Return whether the scores of two runs differ; None if those of one were not read."""
    was, now = main.score_hashes.get(run.id), branch.score_hashes.get(run.branch_id)
    return None if was is None or now is None else was != now


def _folds(record: Record) -> dict[str, tuple[float, ...]]:
    return {name: metric.fold_values for name, metric in record.metrics.items()}


def _describe(record: Record, names: Mapping[str, str]) -> UnmatchedRun:
    metric = record.metrics.get(METRIC)
    value = None if metric is None else metric.value
    return UnmatchedRun(id=record.id, name=names[record.id], state=record.state, value=value)


def _find_obstacle(main: StudyRuns, branch: StudyRuns) -> Obstacle | None:
    """Return why the best runs cannot be compared, or None."""
    is_unread = main.best_is_unread or branch.best_is_unread
    if not all(any(one.state == "done" for one in tree.records) for tree in (main, branch)):
        return "best_unread" if is_unread else "no_finished_run"
    if main.scored is None or branch.scored is None:
        return "no_scores"
    if is_unread or main.scored.best.id in branch.unread or branch.scored.best.id in main.unread:
        return "best_unread"
    one, other = (get_key(tree.best.config, "data") for tree in (main.scored, branch.scored))
    return None if one == other else "other_source"


def _compare_best(
    main: StudyRuns,
    branch: StudyRuns,
    names: Mapping[str, str],
    matching: Matching,
    level: float,
) -> BestChange | None:
    if main.scored is None or branch.scored is None:
        return None
    one, other = main.scored.best, branch.scored.best
    is_same_run = any((a.id, b.id) == (one.id, other.id) for a, b in matching.pairs)
    found = Estimate(0.0, 0.0, 0.0)  # of one model with one result, however it was chosen
    if not is_same_run or _folds(one) != _folds(other):
        found = change_of_best(main.scored, branch.scored, level=level)
    return BestChange(
        main=RunName(id=one.id, name=names[one.id]),
        branch=RunName(id=other.id, name=names[other.id]),
        is_same_run=is_same_run,
        main_value=one.metrics[METRIC].value,
        branch_value=other.metrics[METRIC].value,
        difference=found,
        is_paired=main.scored.is_paired_with(branch.scored),
        level=level,
    )


def conclude(difference: Estimate, margin: float) -> Conclusion:
    """Return what the interval of a change shows; ``margin`` is the loss that counts as none.

    >>> conclude(Estimate(-0.001, -0.006, 0.004), margin=0.01)
    'not_worse'
    """
    if difference.low > 0:
        return "better"
    if difference.high < 0:
        return "worse"
    return "not_worse" if difference.low > -margin else "unclear"


def _count_causes(runs: Sequence[RunChange]) -> tuple[CauseCount, ...]:
    changed = [run for run in runs if run.has_changed] or runs
    counts: Counter[Cause] = Counter(cause for run in changed for cause in run.causes)
    return tuple(CauseCount(cause=cause, n_runs=n) for cause, n in counts.most_common())


def _count_moves(runs: Sequence[RunChange], matching: Matching) -> tuple[MetricCount, ...]:
    pairs = Counter(
        name for main, other in matching.pairs for name in main.metrics if name in other.metrics
    )
    moved = Counter((move.metric, move.is_better) for run in runs for move in run.moves)
    return tuple(
        MetricCount(
            metric=name, n_pairs=pairs[name], n_better=moved[name, True], n_worse=moved[name, False]
        )
        for name in sorted({metric for metric, _ in moved})
    )
