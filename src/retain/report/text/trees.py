"""The comparison of two trees in sentences: one for a study, and what its verdicts differ in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

from retain.record.estimates import Estimate
from retain.record.trees_document import (
    BestChange,
    Cause,
    CauseCount,
    PlanChange,
    RunChange,
    StudyChange,
    TreesDocument,
    UnmatchedRun,
    UnreadableRun,
    VerdictChange,
)
from retain.report.text.names import metric_name
from retain.report.text.numbers import Number, format_number
from retain.report.text.words import Message, TextCatalogue, interval, message

MAX_NAMED = 3
"""Runs, causes and metrics that a sentence names."""
TABLE_COLUMNS = ("run", "change", "interval", "moved")
"""Columns of the table of runs whose results differ."""
WITH_TEXT = ("customers", "folds", "code", "config")
"""Causes that have a text of their own."""
NO_CAUSE = message("trees.no_cause")
ALONE = 0.95
"""Level of the interval of a single study."""


def study_sentence(change: StudyChange) -> Message:
    """Return the change of a study in one sentence."""
    runs, metrics = _runs(change), metric_clauses(change)
    clauses = [conclusion(change), *runs, *metrics, *_causes(change)]
    joined = reduce(lambda one, other: message("answer.joined", first=one, second=other), clauses)
    return message("trees.sentence", study=change.study, clauses=joined)


def conclusion(change: StudyChange) -> Message:
    """Return the conclusion on the best run, as a clause."""
    best = change.best
    if change.conclusion == "same":
        return message("trees.head.same", n=Number(change.n_same, "count"))
    if best is None:
        return message(f"trees.obstacle.{change.obstacle}")
    if best.is_same_result:
        return message("trees.head.same_best", run=best.branch.name)
    return message(
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
    otherwise = [_with_reason(run) for run in change.runs if run.states[0] != run.states[1]]
    listed: dict[str, Sequence[Message | str]] = {
        "trees.gone": _unmatched(change.gone_runs),
        "trees.new": _unmatched(change.new_runs),
        "trees.ended_otherwise": otherwise,
        "trees.unreadable": [*_all_unread(change)],
    }
    for key, names in listed.items():
        if names:
            yield message(key, n=Number(len(names), "count"), runs=_first(names))
    if unfinished := sum(change.n_unfinished):
        yield message("trees.unfinished", n=Number(unfinished, "count"))


def _with_reason(run: RunChange) -> Message | str:
    if run.reason is None:
        return run.name
    return message("trees.with_reason", run=run.name, reason=run.reason)


def _all_unread(change: StudyChange) -> Iterator[Message]:
    """Yield what is not believed; the first one with the reason, if nothing is concluded by it."""
    for index, one in enumerate(change.unreadable):
        named = _unread(one)
        if index == 0 and change.obstacle == "best_unread":
            reason = one.reason.partition(". ")[0].rstrip(".")
            named = message("trees.with_reason", run=named, reason=reason)
        yield named


def _unread(one: UnreadableRun) -> Message:
    return message(f"trees.in_tree.{one.tree}", folder=one.folder)


def _unmatched(runs: Sequence[UnmatchedRun]) -> list[str]:
    """Return names, those of the best runs first."""
    return [run.name for run in sorted(runs, key=lambda run: -(run.value or 0.0))]


def metric_clauses(change: StudyChange) -> Iterator[Message]:
    """Yield which metrics moved beyond noise, if the results of any pair differ."""
    differ = sum(not run.is_same and run.difference is not None for run in change.runs)
    if change.n_moved:
        found = [
            message(
                "trees.moved_metric",
                metric=metric_name(one.metric),
                better=Number(one.n_better, "count"),
                worse=Number(one.n_worse, "count"),
            )
            for one in change.metrics
        ]
        yield message("trees.moved", n=Number(change.n_moved, "count"), metrics=_first(found))
    elif differ:
        yield message("trees.still", n=Number(differ, "count"))
    if change.n_other_scores:
        yield message("trees.other_scores", n=Number(change.n_other_scores, "count"))


def _causes(change: StudyChange) -> Iterator[Message]:
    """Yield what can explain the changes, or that nothing can."""
    n_runs = sum(run.has_changed for run in change.runs) or len(change.runs)
    causes = [_counted(one, n_runs) for one in change.causes]
    if causes:
        key = "trees.causes" if change.n_changed + change.n_other_scores else "trees.unchanged"
        yield message(key, causes=_first(causes))
    elif change.n_unexplained:
        yield NO_CAUSE


def _counted(one: CauseCount, n_runs: int) -> Message:
    """Return a cause, with the number of runs that differ in it where these are not all."""
    cause = _cause(one.cause)
    if one.n_runs >= n_runs:
        return cause
    counts = {"n": Number(one.n_runs, "count"), "all": Number(n_runs, "count")}
    return message("trees.cause.of_some", cause=cause, **counts)


def _cause(cause: Cause) -> Message:
    if cause.aspect == "metrics":
        return message(
            "trees.cause.metric_gone" if cause.branch == "-" else "trees.cause.metric_new",
            metric=metric_name(cause.name),
        )
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


def tree_notes(found: TreesDocument) -> list[Message]:
    """Return which studies only one tree has, and which folders are links that lead out."""
    only = {"trees.only_in.main": found.gone_studies, "trees.only_in.branch": found.new_studies}
    named = [message(key, names=_first(names)) for key, names in only.items() if names]
    return [*named, *map(unreadable_message, found.outside)]


def unreadable_message(one: UnreadableRun) -> Message:
    """Return which file or folder is not believed, and why."""
    key = "trees.cannot_be_believed"
    return message(key, folder=_unread(one), reason=one.reason)


def table_messages(change: StudyChange, most: int) -> tuple[list[Message], list[Message]]:
    """Return title and headings of the table of runs that differ, and the notes below ``most``."""
    title = message("trees.table.title", study=change.study, n=Number(change.n_changed, "count"))
    headings = [message(f"trees.table.{name}") for name in TABLE_COLUMNS]
    notes = [message("trees.table.note", alpha=Number(change.alpha, "plain"))]
    if (more := change.n_changed - most) > 0:
        notes.insert(0, message("trees.table.more", n=Number(more, "count")))
    return [title, *headings], notes


def changed_runs(change: StudyChange) -> list[RunChange]:
    """Return the runs whose results differ, those with most metrics beyond noise first."""
    changed = [run for run in change.runs if not run.is_same]
    return sorted(changed, key=lambda run: (-len(run.moves), run.name))


def run_cells(run: RunChange, catalogue: TextCatalogue) -> list[str]:
    """Return the cells of a run's row: name, change, interval, and metrics beyond noise.

    The last cell of a run that ended in another state has both states.
    """
    if run.difference is None:
        states = (catalogue.plain(message(f"state.{state}")) for state in run.states)
        return [run.name, "", "", " → ".join(states)]
    difference, language = run.difference, catalogue.language
    range_ = catalogue.plain(interval(difference.low, difference.high, "change"))
    moved = (
        f"{catalogue.plain(metric_name(move.metric))} "
        f"{format_number(move.difference.value, 'change', language)}"
        for move in run.moves
    )
    change = format_number(difference.value, "change", language)
    return [run.name, change, range_, ", ".join(moved)]


def customer_messages(change: StudyChange) -> list[Message]:
    """Return title and headings of the table of customers whose risk differs most."""
    title = message("trees.customers.title", study=change.study)
    headings = [message(f"trees.customers.{name}") for name in ("customer", "main", "branch")]
    return [title, *headings]


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
