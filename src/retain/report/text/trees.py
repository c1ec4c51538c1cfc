"""The comparison of two trees in sentences: one for a study, and what its verdicts differ in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

from retain.record.estimates import Estimate
from retain.record.trees_document import (
    BestChange,
    Cause,
    PlanChange,
    StudyChange,
    UnmatchedRun,
    VerdictChange,
)
from retain.report.text.names import metric_name
from retain.report.text.numbers import Number
from retain.report.text.words import Message, interval, message

MAX_NAMED = 3
"""Runs, causes and metrics that a sentence names."""
WITH_TEXT = ("customers", "folds", "code", "config")
"""Causes that have a text of their own."""
ALONE = 0.95
"""Level of the interval of a single study."""


def study_sentence(change: StudyChange) -> Message:
    """Return the change of a study in one sentence."""
    clauses = [*_head(change), *_runs(change), *_metrics(change), *_causes(change)]
    joined = reduce(lambda one, other: message("answer.joined", first=one, second=other), clauses)
    return message("trees.sentence", study=change.study, clauses=joined)


def _head(change: StudyChange) -> Iterator[Message]:
    """Yield the conclusion on the best run."""
    best = change.best
    if change.conclusion == "same":
        yield message("trees.head.same", n=Number(change.n_same, "count"))
    elif best is None:
        yield message(f"trees.obstacle.{change.obstacle}")
    else:
        yield message(
            f"trees.head.{change.conclusion}",
            run=_best_run(best),
            change=Number(best.difference.value, "change"),
            ci=_interval(best),
            margin=Number(change.margin, "plain"),
        )


def _best_run(best: BestChange) -> Message | str:
    if best.is_same_run:
        return best.branch.name
    return message("trees.other_best", main=best.main.name, branch=best.branch.name)


def _interval(best: BestChange) -> Message:
    """Return the interval with its level, and whether it is that of unpaired runs."""
    found = interval(best.difference.low, best.difference.high, "change")
    kind = "alone" if best.level == ALONE else "together"
    ci = message(f"trees.ci.{kind}", range=found)
    return ci if best.is_paired else message("trees.ci.unpaired", ci=ci)


def _runs(change: StudyChange) -> Iterator[Message]:
    """Yield which runs are gone, new, in another state, unreadable or unfinished."""
    otherwise = [run.name for run in change.runs if run.states[0] != run.states[1]]
    listed = {
        "trees.gone": _unmatched(change.gone_runs),
        "trees.new": _unmatched(change.new_runs),
        "trees.ended_otherwise": otherwise,
        "trees.unreadable": [f"{one.tree} {one.folder}" for one in change.unreadable],
    }
    for key, names in listed.items():
        if names:
            yield message(key, n=Number(len(names), "count"), runs=_first(names))
    if unfinished := sum(change.n_unfinished):
        yield message("trees.unfinished", n=Number(unfinished, "count"))


def _unmatched(runs: Sequence[UnmatchedRun]) -> list[str]:
    """Return names, those of the best runs first."""
    return [run.name for run in sorted(runs, key=lambda run: -(run.value or 0.0))]


def _metrics(change: StudyChange) -> Iterator[Message]:
    """Yield which metrics moved beyond noise, if the results of any pair differ."""
    moved = sum(bool(run.moves) for run in change.runs)
    differ = sum(not run.is_same and run.difference is not None for run in change.runs)
    if moved:
        found = [
            message(
                "trees.moved_metric",
                metric=metric_name(one.metric),
                better=Number(one.n_better, "count"),
                worse=Number(one.n_worse, "count"),
            )
            for one in change.metrics
        ]
        yield message("trees.moved", n=Number(moved, "count"), metrics=_first(found))
    elif differ:
        yield message("trees.still", n=Number(differ, "count"))


def _causes(change: StudyChange) -> Iterator[Message]:
    """Yield what can explain the changes, or that nothing can."""
    causes = [_cause(one.cause) for one in change.causes]
    if causes:
        key = "trees.causes" if change.n_changed else "trees.unchanged"
        yield message(key, causes=_first(causes))
    elif change.n_changed:
        yield message("trees.no_cause")


def _cause(cause: Cause) -> Message:
    key = "config" if cause.aspect == "config" else cause.name
    return message(
        f"trees.cause.{key if key in WITH_TEXT else 'named'}",
        name=cause.name,
        main=cause.main,
        branch=cause.branch,
    )


def _first(names: Sequence[Message | str]) -> Sequence[Message | str]:
    """Return the first names, and how many there are more."""
    more = len(names) - MAX_NAMED
    rest = [message("trees.cause.more", n=Number(more, "count"))] if more > 0 else []
    return [*names[:MAX_NAMED], *rest]


def verdict_sentences(change: StudyChange) -> list[Message]:
    """Return what differs between the verdicts of both trees."""
    found = change.verdict
    if found is None:
        return [message("trees.verdict.none")]
    if found.is_same:
        return [*_outdated(found), message("trees.verdict.same")]
    return [*_outdated(found), *_winner(found), *_segments(found), *_plan(found.plan)]


def _outdated(found: VerdictChange) -> Iterator[Message]:
    yield from (message(f"trees.verdict.outdated.{tree}") for tree in found.outdated)


def _winner(found: VerdictChange) -> Iterator[Message]:
    main, branch = found.winners
    if not found.is_winner_same:
        yield message("trees.verdict.winner", main=main.name, branch=branch.name)
    if found.newly_tied:
        yield message("trees.verdict.newly_tied", runs=_first(found.newly_tied))
    if found.no_longer_tied:
        yield message("trees.verdict.no_longer_tied", runs=_first(found.no_longer_tied))


def _segments(found: VerdictChange) -> Iterator[Message]:
    if found.segments:
        yield message("trees.verdict.segments", n=Number(len(found.segments), "count"))


def _plan(plan: PlanChange | None) -> Iterator[Message]:
    if plan is None:
        return
    (was, now), (before, net) = plan.n_treated, plan.expected_net
    yield message(
        "trees.verdict.plan",
        main=Number(was or 0, "count"),
        branch=Number(now or 0, "count"),
        before=_net(before),
        net=_net(net),
    )
    if plan.offers:
        offers = [
            message(
                "trees.cause.named",
                name=one.offer,
                main=Number(one.n_main, "count"),
                branch=Number(one.n_branch, "count"),
            )
            for one in plan.offers
        ]
        yield message("trees.verdict.offers", offers=_first(offers))


def _net(net: Estimate | None) -> Message | Number:
    return message("trees.verdict.no_plan") if net is None else Number(net.value, "money")
