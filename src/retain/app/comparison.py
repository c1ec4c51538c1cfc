"""A comparison from its winner on: what workers find out about it, gathered for the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from retain.errors import RetainError

if TYPE_CHECKING:
    from retain.app.carried import Carried, Followed, TrainingData
    from retain.app.hands import Hands
    from retain.app.offered import Offered
    from retain.app.shared_memory import SharedValue
    from retain.app.studies import Compared
    from retain.app.why import Why
    from retain.campaign.settings import Settings
    from retain.learning.scores import Scores
    from retain.record import Record, RunDirectory, StudyDirectory
    from retain.schema import Compare
    from retain.storage.transaction import Staging
    from retain.verdict.difference import Difference
    from retain.verdict.document import Findings
    from retain.verdict.gate import Check
    from retain.verdict.sealed import SealedTest
    from retain.verdict.verdict import Verdict

DIFFED = 20
"""Runs, from the best down, that are told apart from the winner customer by customer."""
Asked = Sequence[tuple["RunDirectory", "Record"]]
"""The two runs that ``diff`` names, or none."""


@dataclass(frozen=True)
class Comparison:
    """What is compared, how, and what came out of the runs alone."""

    words: Sequence[str]
    config: Compare
    found: Compared
    verdict: Verdict
    settings: Settings
    checks: Sequence[Check]
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

    findings: Findings
    offered: Offered | None
    why: Why | None
    missing: str | None


def carry_on(comparison: Comparison, made: StudyDirectory, staging: Staging) -> Results:
    """The winner's curves, sealed test, reasons, segments and campaign, by workers."""
    from retain.app.campaigns import write_campaign
    from retain.app.hands import Hands
    from retain.app.scratch import scratch
    from retain.app.shared_memory import share
    from retain.app.why import Asking
    from retain.verdict.export import to_csv

    config, winner = comparison.config, comparison.winner
    scores, run = comparison.scores, comparison.found.directory(winner)
    with scratch() as folder, Hands(config.workers, comparison.on_progress) as hands:
        shared = share(scores, folder / "scores")
        loading = hands.give(
            "load", config, (run, winner), shared, folder, does="reads the customers"
        )
        to_csv(comparison.verdict.table, made.leaderboard)
        effects = comparison.verdict.effects  # worked out while the customers are read
        data: TrainingData = loading.outcome()
        to_carry = (config, comparison.settings, made, winner, data)
        carrying = hands.give("carry", *to_carry, does="carries the winner on")
        asking = None
        if config.reasons.on and data.customers is not None:
            asking = Asking(hands, config, winner, data.customers)
        diffs = tuple(_differences(comparison))
        followed: Followed = carrying.outcome()
        carried, why, offered = followed.carried, None, None
        if carried is not None and data.customers is not None:
            if asking is not None:
                why = asking.answer(effects, scores, carried.explained)
            scored = ((data.customers, data.scores), carried.scores)
            offered = _offered(hands, comparison, scored, why)
            offered = write_campaign(offered, staging)
    findings = _findings(comparison, followed, diffs, offered, why)
    return Results(findings, offered, why, data.missing)


def _findings(
    comparison: Comparison,
    followed: Followed,
    diffs: tuple[Difference, ...],
    offered: Offered | None,
    why: Why | None,
) -> Findings:
    from retain.app.studies import commands
    from retain.verdict.document import Findings

    found, carried = comparison.found, followed.carried
    return Findings(
        studies=found.studies,
        question=_question(found),
        unfinished=found.unfinished + found.running,
        running=found.running,
        repeated=found.repeated,
        broken=found.broken,
        commands=commands(found, comparison.words),
        gate=tuple(comparison.checks) or None,
        diffs=diffs,
        curves=followed.curves,
        sealed=None if carried is None else _noted(comparison, carried),
        further=_further(carried, offered),
        reasons=None if why is None else why.tree,
    )


def _noted(comparison: Comparison, carried: Carried) -> SealedTest:
    """The sealed test with all its openings, this one in the ledger before any verdict has it."""
    from retain.verdict.sealed import Ledger

    home, roc_auc = comparison.found.home, carried.sealed.metrics["roc_auc"]["value"]
    openings = Ledger(home.ledger, home.ledgers_beside).note(comparison.winner, roc_auc)
    return replace(carried.sealed, openings=tuple(openings))


def _offered(
    hands: Hands,
    comparison: Comparison,
    scored: tuple[tuple[SharedValue, SharedValue], Scores],
    why: Why | None,
) -> Offered:
    """Segments and campaign, by a worker; drivers go along where they were found."""
    from retain.app.offered import Words

    words = None
    if why is not None and why.drivers is not None:
        words = Words(why.drivers, why.features, why.levels)
    to_plan = (comparison.config, comparison.settings, *scored, words)
    made: Offered = hands.give("plan", *to_plan, does="plans the campaign").outcome()
    return made


def _further(carried: Carried | None, offered: Offered | None) -> dict[str, Any]:
    """The part of ``verdict.json`` that needs the customers."""
    if carried is None or offered is None:
        return {}
    return {"model": carried.model, "reference": carried.reference, **offered.tree}


def _question(found: Compared) -> str | None:
    """What the study asks; several studies ask several questions."""
    asked = {str(record.config["study"]["question"]) for record in found.records}
    return asked.pop() if len(asked) == 1 else None


def _differences(comparison: Comparison) -> Iterator[Difference]:
    """The two runs asked for, then the winner against each of the first runs."""
    from retain.verdict.difference import difference

    if comparison.asked:
        ((one, a), (other, b)) = comparison.asked
        yield difference(a, b, (read_scores(one, a), read_scores(other, b)), asked=True)
    winner, found, won = comparison.winner, comparison.found, comparison.scores
    for record in comparison.verdict.records[:DIFFED]:
        if record is not winner:
            yield difference(winner, record, (won, read_scores(found.directory(record), record)))


def read_scores(run: RunDirectory, record: Record) -> Scores | None:
    """A run's scores, None where they cannot be read."""
    from retain.app.studies import scores_of

    try:
        return scores_of(run, record)
    except RetainError:  # what a loser wrote must not cost the verdict
        return None
