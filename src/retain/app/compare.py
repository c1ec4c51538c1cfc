"""``retain-compare``: from finished runs to verdict and page, sealed test and segments.

Exit codes: 0 done, 2 config, runs or data refused, 3 a gate was not met.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from retain.app.command_line import Line
from retain.app.run import answer
from retain.errors import RetainError

if TYPE_CHECKING:
    from retain.app.prepared import Prepared
    from retain.app.studies import Compared
    from retain.app.winner import Carried
    from retain.learning.scores import Scores
    from retain.record import DataFacts, Record, RunDirectory
    from retain.schema import Compare
    from retain.verdict.difference import Difference
    from retain.verdict.document import Findings
    from retain.verdict.verdict import Verdict

MISSED = 3
"""Exit code where a gate was not met."""
DIFFED = 20
"""Runs, from the best down, that are told apart from the winner customer by customer."""


def main() -> None:
    """The console command ``retain-compare``."""
    sys.exit(answer(compare, sys.argv[1:], "compare"))


def compare(line: Line) -> int:
    """Read the records, judge them, carry the winner on, and write the verdict."""
    from rich.console import Console

    from retain.app.board import diff_told
    from retain.app.studies import compared, pair

    config = _config(line)
    if config.study.name is None and config.runs is None and config.diff is not None:
        ((one, a), (other, b)) = pair(config, None)
        diff_told(Console(), _difference((one, a), (other, b), asked=True))
        return 0
    found = compared(config)
    return _judged(line, config, found, pair(config, found))


def _judged(
    line: Line, config: Compare, found: Compared, asked: Sequence[tuple[RunDirectory, Record]]
) -> int:
    """Judge the runs, write what was found, and print it."""
    from rich.console import Console

    from retain.app.board import report
    from retain.app.prepared import forget
    from retain.app.studies import commands, scores_of
    from retain.app.winner import carry
    from retain.verdict.curves import curves
    from retain.verdict.document import Findings
    from retain.verdict.gate import gate
    from retain.verdict.verdict import judge

    forget()
    verdict = judge(found.records, config.verdict)
    winner = verdict.winner
    checks = gate(winner, config.gate)
    prepared, missing = _data(config, winner)
    scores = scores_of(found.directory(winner))
    diffs = tuple(_differences(verdict, found, asked))
    profit = None if prepared is None else prepared.customers.profit
    try:
        carried = None if prepared is None else carry(config, found.home, winner, scores, prepared)
        findings = Findings(
            studies=found.studies,
            question=_question(found),
            unfinished=found.unfinished,
            commands=commands(found, line.overrides),
            gate=tuple(checks) or None,
            diffs=diffs,
            curves=curves(scores, profit),
            sealed=None if carried is None else carried.sealed,
            further={} if carried is None else carried.as_json(),
        )
        _write(found, verdict, findings, carried)
    except OSError as error:
        raise RetainError(f"{found.home.verdict} cannot be written: {error}.") from None
    report(Console(), found.home, verdict, findings, carried, missing=missing)
    return 0 if all(check.passed for check in checks) else MISSED


def _write(found: Compared, verdict: Verdict, findings: Findings, carried: Carried | None) -> None:
    """Write every file of the verdict."""
    from retain.app.winner import write
    from retain.record import write_text
    from retain.verdict.document import as_json, document
    from retain.verdict.export import write_csv

    tree = document(verdict, findings)
    write_csv(verdict.table, found.home.leaderboard)
    write(found.home, carried)
    write_text(found.home.verdict_json, as_json(tree))


def _config(line: Line) -> Compare:
    """The tree of ``compare.yaml``; ``study=NAME`` stands for ``study.name=NAME``."""
    from retain.app.configs import Composer
    from retain.schema import Compare, parse

    overrides = [
        f"study.name={text.removeprefix('study=')}" if text.startswith("study=") else text
        for text in line.overrides
    ]
    with Composer(replace(line, overrides=tuple(overrides)), "compare") as composer:
        return parse(Compare, composer.one())


def _question(found: Compared) -> str | None:
    """What the study asks; several studies ask several questions."""
    asked = {str(record.config["study"]["question"]) for record in found.records}
    return asked.pop() if len(asked) == 1 else None


def _differences(
    verdict: Verdict, found: Compared, asked: Sequence[tuple[RunDirectory, Record]]
) -> Iterator[Difference]:
    """The two runs asked for, then the winner against each of the first runs."""
    if asked:
        yield _difference(asked[0], asked[1], asked=True)
    winner = verdict.winner
    won = (found.directory(winner), winner)
    for record in verdict.records[:DIFFED]:
        if record is not winner:
            yield _difference(won, (found.directory(record), record))


def _difference(
    one: tuple[RunDirectory, Record], other: tuple[RunDirectory, Record], *, asked: bool = False
) -> Difference:
    """Two runs side by side, by customer too where both have readable scores."""
    from retain.verdict.difference import difference

    scores = [_scores(run) for run, _ in (one, other)]
    both = (scores[0], scores[1]) if scores[0] and scores[1] else None
    return difference(one[1], other[1], both, asked=asked)


def _scores(run: RunDirectory) -> Scores | None:
    from retain.app.studies import scores_of

    try:
        return scores_of(run)
    except RetainError:  # what a loser wrote must not cost the verdict
        return None


def _data(config: Compare, winner: Record) -> tuple[Prepared | None, str | None]:
    """The winner's customers, or a sentence that asks for them.

    Data that are given must be the very same; data that are only recorded may have moved.
    """
    from retain.app.prepared import prepare
    from retain.schema import Run, parse

    given = config.data is not None
    run = parse(Run, {**winner.config, **({"data": config.data} if given else {})})
    try:
        prepared = prepare(run)
        _refuse_other(prepared, winner)
    except RetainError as error:
        if given:
            raise
        ask = f"The sealed test and the segments need the {_told(winner.data)}: "
        return None, f"{error}\n{ask}data=NAME data.dir=PATH"
    return prepared, None


def _refuse_other(prepared: Prepared, winner: Record) -> None:
    """Refuse customers or splits that are not those the winner learnt from."""
    if prepared.data.fingerprint != winner.data.fingerprint:
        raise RetainError(
            f"these runs learnt from {_told(winner.data)}; found {_told(prepared.data)}."
        )
    if prepared.split.fingerprint != winner.split.fingerprint:
        raise RetainError("the splits of these runs cannot be made again with this version.")


def _told(data: DataFacts) -> str:
    return f"customers with fingerprint {data.fingerprint[:12]} ({data.rows} rows)"
