"""The verdict over runs that can be believed: a winner whose scores are lost is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retain.app.studies import refuse_only_broken, scores_of
from retain.errors import RetainError
from retain.record import BrokenRun, Record
from retain.verdict.verdict import judge

if TYPE_CHECKING:
    from retain.app.studies import Compared
    from retain.learning.scores import Scores
    from retain.schema import Judging
    from retain.verdict.verdict import Verdict


def judge_whole(found: Compared, judging: Judging) -> tuple[Compared, Verdict, Scores]:
    """Return the runs without broken ones, the verdict over them, and the winner's scores.

    A winner whose scores cannot be read is broken, and the next best one wins.

    Raises
    ------
    RetainError
        If no run is left, or those left cannot stand in one table.
    """
    while True:
        refuse_only_broken(found.broken, sum(record.state == "done" for record in found.records))
        verdict = judge(found.records, judging)
        try:
            return found, verdict, scores_of(found.directory(verdict.winner), verdict.winner)
        except RetainError as error:
            found = _without(found, verdict.winner, str(error))


def _without(found: Compared, record: Record, reason: str) -> Compared:
    broken = BrokenRun(found.directory(record), reason)
    runs = tuple((run, other) for run, other in found.runs if other is not record)
    return replace(found, runs=runs, broken=(*found.broken, broken))
