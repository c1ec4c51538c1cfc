"""The answer in five sentences, generated from the numbers of the verdict."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from retain.record.comparison_document import FactorLevel, GateResult, MainEffect, SealedMetric
from retain.record.document import MetricSummary
from retain.record.estimates import Estimate
from retain.record.verdict_document import VerdictDocument
from retain.report.text.names import code, metric_name, run_label, run_name
from retain.report.text.numbers import Number, count_path
from retain.report.text.words import LANGUAGES, Message, Values, interval, message, words
from retain.report.tree import METRIC, present
from retain.wording import format_value

BASELINES = frozenset({"dummy", "recency_rule", "bg_nbd", "pareto_nbd"})
"""Models without a choice of features: one score for all, and rules of thumb."""


def answer(tree: VerdictDocument) -> list[Message]:
    """Return the answer: winner, ties, baseline, main effects, sealed test.

    With a gate, ties and the comparison with chance share one sentence.
    """
    first, tied, chance = _winner(tree), _ties(tree), _chance(tree)
    last = [_largest_effect(tree), _sealed_test(tree)]
    if tree.gate is None:
        return [first, tied, chance, *last]
    return [first, message("answer.joined", first=tied, second=chance), *last, _gate(tree)]


def sentence(clause: Message) -> Markup:
    """Return a clause as a sentence in every language."""
    shown = Markup("")
    for language in LANGUAGES:
        text = words(language).html(clause)
        capitalised = text[:1].upper() + text[1:]
        stop = "" if text.endswith((".", "?", "!", "…")) else "."
        shown += Markup('<span class="{0}" lang="{0}">{1}{2}</span>').format(
            language, capitalised, stop
        )
    return shown


def score(values: Estimate | MetricSummary | SealedMetric) -> dict[str, Number | Message]:
    """Return a metric and its interval by placeholder."""
    return {
        "mean": Number(values.value, "score"),
        "range": interval(values.low, values.high, "score"),
    }


def _winner(tree: VerdictDocument) -> Message:
    """Return the winner with its mean, raw and corrected for the choice."""
    chosen = _chosen(tree)
    corrected = tree.selection.corrected
    if corrected.method == "one_candidate":
        return chosen
    return message(
        "answer.corrected",
        first=chosen,
        n=Number(corrected.n_candidates, "count"),
        **score(corrected.metrics[METRIC]),
    )


def _chosen(tree: VerdictDocument) -> Message:
    winner, runs = tree.winner, count_path(len(tree.leaderboard), "leaderboard")
    values: Values = {
        "run": run_name(winner.name, winner.id),
        **score(winner.metrics[METRIC]),
    }
    if len(tree.leaderboard) == 1:
        return message("answer.single", **values)
    best = tree.selection.best
    if best.id == winner.id:
        return message("answer.best", n=runs, **values)
    return message("answer.simplest", n=runs, best=run_name(best.name, best.id), **values)


def _ties(tree: VerdictDocument) -> Message:
    if len(tree.leaderboard) == 1:
        return message("answer.alone")
    if len(tree.tied) < 2:
        return message("answer.untied", tests=_tests(tree))
    values: Values = {"n": count_path(len(tree.tied), "tied"), "tests": _tests(tree)}
    simplest = tree.selection.simplest_tied
    if simplest.id == tree.winner.id:
        return message("answer.tied_winner_simplest", **values)
    run = run_name(simplest.name, simplest.id)
    return message("answer.tied_other_simplest", run=run, **values)


def _tests(tree: VerdictDocument) -> Message:
    """Return the test behind ties."""
    return message("answer.tests", alpha=Number(tree.alpha, "plain"))


def _chance(tree: VerdictDocument) -> Message:
    chance = tree.versus_random
    tested = {}
    if chance.status != "not_tested":
        tested = {"p": Number(chance.p, "p_is"), "level": Number(chance.level, "value")}
    said = message(f"answer.chance.{chance.status}", **tested)
    if chance.n_groups < chance.n_customers:
        groups, customers = (Number(n, "count") for n in (chance.n_groups, chance.n_customers))
        said = message("answer.chance.with_copies", first=said, groups=groups, customers=customers)
    rows = {row["id"]: row for row in tree.leaderboard}
    tied = [
        run_name(run_label(rows[one], tree.key_columns), one) for one in chance.tied if one in rows
    ]
    return message("answer.chance.with_tied", first=said, runs=tied) if tied else said


def _largest_effect(tree: VerdictDocument) -> Message:
    measured = [(effect, level) for effect in tree.main_effects for level in effect.levels]
    candidates = [one for one in measured if not _is_baseline(*one)]
    if not candidates:
        return message("answer.moved.baseline" if measured else "answer.moved.unknown")
    # p is corrected for the number of levels; an interval alone would call one of many clear.
    significant = [one for one in candidates if one[1].p < tree.alpha]
    effect, level = max(significant or candidates, key=lambda one: abs(one[1].difference.value))
    difference = level.difference
    return message(
        "answer.moved.clear" if significant else "answer.moved.unclear",
        level=_setting(effect, level.level),
        reference=_setting(effect, effect.reference),
        pairs=_compared_pairs(effect, level),
        mean=Number(difference.value, "change"),
        range=interval(difference.low, difference.high, "change"),
    )


def _compared_pairs(effect: MainEffect, level: FactorLevel) -> Message:
    """Return the number of pairs; all else is equal only in pairs of single runs."""
    n, runs, reference_runs = (
        Number(n, "count") for n in (level.n_pairs, level.n_runs, level.n_reference_runs)
    )
    if level.n_pairs == level.n_runs == level.n_reference_runs:
        return message("answer.pairs.single", n=n)
    averaged = {"runs": runs, "reference_runs": reference_runs, "factor": code(effect.factor)}
    return message("answer.pairs.averaged", n=n, **averaged)


def _is_baseline(effect: MainEffect, level: FactorLevel) -> bool:
    """Return whether a level or its reference is a baseline: beating one is no finding."""
    pair = {str(level.level), str(effect.reference)}
    return effect.factor == "model" and not BASELINES.isdisjoint(pair)


def _setting(effect: MainEffect, value: Any) -> Markup:
    """Return a setting as one types it."""
    return code(f"{effect.factor}={format_value(value)}")


def _sealed_test(tree: VerdictDocument) -> Message:
    sealed = tree.sealed_test
    if sealed is None:
        return message("answer.unopened")
    return message(
        "answer.sealed_in_time" if tree.by_snapshot else "answer.sealed",
        n=Number(sealed.n_customers, "count"),
        times=describe_accesses(tree),
        **score(sealed.metrics[METRIC]),
    )


def describe_accesses(tree: VerdictDocument) -> Message:
    """Return the number of accesses to the sealed test as a message."""
    n_accesses = len(present(tree.sealed_test).accesses)
    if n_accesses == 1:
        return message("answer.once")
    return message("answer.times", n=count_path(n_accesses, "sealed_test.accesses"))


def _gate(tree: VerdictDocument) -> Message:
    gate = present(tree.gate)
    if gate.passed:
        return message("answer.gate_passed")
    missed = [one for one in gate.metrics if not one.passed]
    return message("answer.gate_missed", misses=[gate_miss(one) for one in missed])


def gate_miss(one: GateResult) -> Message:
    """Return the message that a metric missed its threshold, and by how much."""
    return message(
        "answer.miss",
        metric=metric_name(one.name),
        value=Number(one.value, "score"),
        threshold=Number(one.threshold, "plain"),
        by=Number(one.missed_by, "fine"),
    )
