"""``retain-compare``: from finished runs to verdict and page, sealed test, segments, campaign.

Exit codes: 0 done, 1 some run is broken and was left out, 2 config, runs or data refused, 3 a gate
was not met.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retain.app.command_line import Line
from retain.app.run import answer
from retain.errors import RetainError

if TYPE_CHECKING:
    from retain.app.carried import Carried, Followed
    from retain.app.hands import Hands
    from retain.app.offered import Offered
    from retain.app.studies import Compared
    from retain.app.why import Why
    from retain.campaign.settings import Settings
    from retain.learning.scores import Scores
    from retain.record import Record, RunDirectory, StudyDirectory
    from retain.schema import Compare
    from retain.verdict.difference import Difference
    from retain.verdict.verdict import Verdict

BROKEN, MISSED = 1, 3
"""Exit codes where some run is broken, and where a gate was not met."""
EXPLAINING = ("retain.app.explaining", "phik.phik", "shap")
"""What workers need to find reasons."""
DIFFED = 20
"""Runs, from the best down, that are told apart from the winner customer by customer."""


def main() -> None:
    """The console command ``retain-compare``."""
    code = answer(compare, sys.argv[1:], "compare")
    gc.freeze()  # nothing is looked through for garbage on the way out
    sys.exit(code)


def compare(line: Line) -> int:
    """Read the records, judge them, carry the winner on, and write the verdict."""
    from retain.app.workers import warm_up

    with suppress(OSError):  # a worker that cannot start says so
        warm_up(*(() if "reasons=none" in line.overrides else EXPLAINING))  # while this one reads
    with nothing_thrown_away():
        return _compared(line)


@contextmanager
def nothing_thrown_away() -> Iterator[None]:
    """No search for garbage meanwhile: among thousands of records, all wanted, it costs a half."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()


def _compared(line: Line) -> int:
    from rich.console import Console

    from retain.app.board import diff_told
    from retain.app.settled import composed, without_catalogue
    from retain.app.studies import compared, pair
    from retain.app.tracking import refuse_untrackable, track
    from retain.app.why import refuse_unread
    from retain.verdict.difference import difference

    config = composed(without_catalogue(line))
    if config.study.name is None and config.runs is None and config.diff is not None:
        ((one, a), (other, b)) = pair(config, None)
        diff_told(Console(), difference(a, b, (_scores(one, a), _scores(other, b)), asked=True))
        return 0
    refuse_untrackable(config.tracking)
    refuse_unread(config.reasons)
    found = compared(config)
    code = _judged(line, config, found, pair(config, found))
    if told := track(found.runs, config.tracking, Path(config.outputs)):
        Console().print(told, soft_wrap=True, markup=False, highlight=False)
    return code


def _judged(
    line: Line, config: Compare, found: Compared, asked: Sequence[tuple[RunDirectory, Record]]
) -> int:
    """Judge the runs, write what was found, and print it."""
    from rich.console import Console

    from retain.app.at_hand import with_moved
    from retain.app.board import report
    from retain.app.hands import Hands
    from retain.app.judging import judge_whole
    from retain.app.settled import settled
    from retain.app.studies import commands
    from retain.app.watching import watched
    from retain.app.why import Asking
    from retain.storage.writing import replacing
    from retain.verdict.document import Findings, document
    from retain.verdict.export import to_csv
    from retain.verdict.gate import gate

    found, verdict, scores = judge_whole(found, config.verdict)
    winner = verdict.winner
    checks = gate(winner, config.gate)
    config = _with_sealed_test(with_moved(config, winner), found)
    settings = settled(line, config, winner)
    to_carry = (config, settings, found.home, found.directory(winner), winner)
    try:
        with (
            Hands(config.workers, watched) as hands,
            replacing(found.home.leaderboard) as leaderboard,
        ):
            carrying = hands.give("carry", *to_carry, does="carries the winner on")
            asking = Asking(hands, config, winner) if config.reasons.on else None
            diffs = tuple(_differences(verdict, found, asked))
            to_csv(verdict.table, leaderboard)
            effects = verdict.effects  # worked out while the others are at it
            followed: Followed = carrying.outcome()
            carried, why, offered = followed.carried, None, None
            if carried is not None:
                if asking is not None:
                    why = asking.answer(effects, scores, carried.explained)
                offered = _offered(hands, (config, winner, settings), (scores, carried.scores), why)
        findings = Findings(
            studies=found.studies,
            question=_question(found),
            unfinished=found.unfinished + found.running,
            running=found.running,
            repeated=found.repeated,
            broken=found.broken,
            commands=commands(found, line.overrides),
            gate=tuple(checks) or None,
            diffs=diffs,
            curves=followed.curves,
            sealed=None if carried is None else carried.sealed,
            further=_further(carried, offered),
            reasons=None if why is None else why.tree,
        )
        _write_customers(found.home, offered, why)
        _write(found.home, document(verdict, findings), config.report.language)
    except OSError as error:
        raise RetainError(f"{found.home.verdict} cannot be written: {error}.") from None
    report(Console(), found.home, verdict, findings, missing=followed.missing)
    if not all(check.passed for check in checks):
        return MISSED
    return BROKEN if found.broken else 0


def _with_sealed_test(config: Compare, found: Compared) -> Compare:
    """The settings, in which the sealed test stays closed while runs may still change the winner.

    Looked at before the last run has ended, it would be looked at again for another winner.
    """
    if config.sealed_test != "auto":
        return config
    return config.model_copy(update={"sealed_test": "closed" if found.running else "open"})


def _write(home: StudyDirectory, tree: dict[str, Any], language: str) -> None:
    """Write the verdict, and draw its page here and its pictures apart."""
    from retain.app.apart import apart
    from retain.report.charts import drawable
    from retain.report.page import page
    from retain.storage.writing import write_text
    from retain.verdict.document import as_json

    to_draw = (drawable(tree), language, home.pictures, {"fishbone": home.verdict})
    with apart("draw", *to_draw, does="draws the pictures") as drawn:
        write_text(home.verdict_json, as_json(tree))
        write_text(home.report, page(tree, language))
        drawn()


def _offered(
    hands: Hands,
    about: tuple[Compare, Record, Settings],
    scores: tuple[Scores, Scores],
    why: Why | None,
) -> Offered:
    """Segments and campaign, by a worker; drivers go along where they were found."""
    from retain.app.offered import Words

    words = None
    if why is not None and why.drivers is not None:
        words = Words(why.drivers, why.features, why.levels)
    made: Offered = hands.give("plan", *about, scores, words, does="plans the campaign").outcome()
    return made


def _further(carried: Carried | None, offered: Offered | None) -> dict[str, Any]:
    """The part of ``verdict.json`` that needs the customers."""
    if carried is None or offered is None:
        return {}
    return {"model": carried.model, "reference": carried.reference, **offered.tree}


def _write_customers(study: StudyDirectory, offered: Offered | None, why: Why | None) -> None:
    """Write segments, campaign, drivers; leave no older ones beside a newer verdict."""
    from retain.app.offered import forget_campaign

    if why is None:
        for path in (study.drivers, study.features, study.groups):
            path.unlink(missing_ok=True)
    else:
        why.write(study)
    if offered is None:
        for path in (study.segments, study.customers, study.model, study.reference):
            path.unlink(missing_ok=True)
        forget_campaign(study)
    else:
        offered.write(study)


def _question(found: Compared) -> str | None:
    """What the study asks; several studies ask several questions."""
    asked = {str(record.config["study"]["question"]) for record in found.records}
    return asked.pop() if len(asked) == 1 else None


def _differences(
    verdict: Verdict, found: Compared, asked: Sequence[tuple[RunDirectory, Record]]
) -> Iterator[Difference]:
    """The two runs asked for, then the winner against each of the first runs."""
    from retain.verdict.difference import difference

    if asked:
        ((one, a), (other, b)) = asked
        yield difference(a, b, (_scores(one, a), _scores(other, b)), asked=True)
    winner = verdict.winner
    won = _scores(found.directory(winner), winner)
    for record in verdict.records[:DIFFED]:
        if record is not winner:
            yield difference(winner, record, (won, _scores(found.directory(record), record)))


def _scores(run: RunDirectory, record: Record) -> Scores | None:
    """A run's scores, None where they cannot be read."""
    from retain.app.studies import scores_of

    try:
        return scores_of(run, record)
    except RetainError:  # what a loser wrote must not cost the verdict
        return None
