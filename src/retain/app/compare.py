"""``retain-compare``: from finished runs to verdict and page, sealed test, segments, campaign.

Exit codes: 0 done, 1 some run is broken and was left out, 2 config, runs or data refused, the
verdict stays with its campaign, or memory or a disk ran out, 3 a gate was not met, 70 a bug of
retain.
"""

from __future__ import annotations

import gc
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from retain.app.command_line import Line
from retain.app.run import answer
from retain.errors import RetainError

if TYPE_CHECKING:
    from retain.app.campaigns import Repointing
    from retain.app.comparison import Asked, Comparison, Results
    from retain.app.studies import Compared
    from retain.record import StudyDirectory
    from retain.schema import Compare
    from retain.verdict.gate import Check

BROKEN, MISSED = 1, 3
"""Exit codes where some run is broken, and where a gate was not met."""
EXPLAINING = ("retain.app.explaining", "phik.phik", "shap")
"""What workers need to find reasons."""


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
    from retain.app.board import diff_told
    from retain.app.comparison import read_scores
    from retain.app.console import console, literal
    from retain.app.settled import composed, without_catalogue
    from retain.app.studies import compared, pair
    from retain.app.tracking import refuse_untrackable, track
    from retain.app.unforeseen import logged_beside
    from retain.app.why import refuse_unread
    from retain.verdict.difference import difference

    config = composed(without_catalogue(line))
    if config.study.name is None and config.runs is None and config.diff is not None:
        ((one, a), (other, b)) = pair(config, None)
        diff_told(
            console(), difference(a, b, (read_scores(one, a), read_scores(other, b)), asked=True)
        )
        return 0
    refuse_untrackable(config.tracking)
    refuse_unread(config.reasons)
    if config.gate_only and not config.gate:
        raise RetainError("gate_only=true judges nothing without a gate; type gate.METRIC=VALUE.")
    found = compared(config)
    with logged_beside(found.home.path):
        code = _judged(line, config, found, pair(config, found))
    if told := track(found.runs, config.tracking, Path(config.outputs)):
        console().print(literal(told), soft_wrap=True, highlight=False)
    return code


def _judged(line: Line, config: Compare, found: Compared, asked: Asked) -> int:
    """Judge the runs, write what was found, and print it."""
    from retain.app.at_hand import with_moved
    from retain.app.board import gate_told, report, written_told
    from retain.app.comparison import Comparison
    from retain.app.console import console
    from retain.app.judging import judge_whole
    from retain.app.settled import settled
    from retain.app.watching import watched
    from retain.verdict.gate import gate

    home = found.home
    found, verdict, scores = judge_whole(found, config.verdict)
    checks = gate(verdict.winner, config.gate)
    code = _code(checks, found)
    if config.gate_only:
        gate_told(console(), checks)
        return code
    config = _with_sealed_test(with_moved(config, verdict.winner), found)
    settings = settled(line, config, verdict.winner)
    comparison = Comparison(
        line.words, config, found, verdict, settings, checks, asked, scores, watched
    )
    try:
        with home.alone(lambda: say_waiting(home)):
            results, repointing, lost = _written(comparison)
    except OSError as error:
        raise RetainError.unwritable(home.path, error, "outputs=FOLDER") from None
    report(console(), home, verdict, results.findings, missing=results.missing)
    if repointing is not None:
        raise RetainError(repointing.describe(shlex.join(["retain-compare", *line.words])))
    written_told(console(), home, lost)
    return code


def _code(checks: Sequence[Check], found: Compared) -> int:
    """Return the exit code of a comparison that ends well."""
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


def say_waiting(study: StudyDirectory) -> None:
    """Say that another command is at the study."""
    from retain.app.console import console, literal

    told = f"waiting for another command that is at {literal(study.path)}"
    console().print(told, soft_wrap=True, highlight=False)


def _written(comparison: Comparison) -> tuple[Results, Repointing | None, list[str]]:
    """Carry the winner on, and put its verdict and campaign in place together.

    The verdict stays as it is where the new one would point to another campaign and nobody
    asked for that; the campaign is written all the same.
    """
    from retain.app.campaigns import find_repointing, pointed_campaign
    from retain.app.comparison import carry_on
    from retain.app.verdict_files import lost_files, read_older, write_customers, write_verdict
    from retain.record import StudyDirectory
    from retain.storage.transaction import transaction
    from retain.verdict.document import document

    home = comparison.found.home
    older = pointed_campaign(read_older(home.verdict_json))
    with transaction(home.path) as staging:
        made = StudyDirectory(staging.path)
        staging.add(made.verdict.name)
        results = carry_on(comparison, made, staging)
        repointing = find_repointing(home, home.verdict, older, results.offered)
        if repointing is not None and not comparison.settings.planning.replace:
            staging.drop(made.verdict.name)
            return results, repointing, []
        write_customers(made, results.offered, results.why)
        tree = document(comparison.verdict, results.findings)
        write_verdict(made, tree, comparison.config.report.language)
        return results, None, lost_files(home.verdict, made.verdict)
