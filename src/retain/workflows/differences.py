"""The differences that a comparison shows: of the two runs asked for, and of the best runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from retain.learning.scores import Scores
from retain.record.comparison_document import RunDifference
from retain.record.directory import RunDirectory
from retain.record.document import Record
from retain.verdict.difference import compare_pair
from retain.verdict.verdict import Verdict
from retain.workflows.runs import RunSelection, try_read_scores

MAX_DIFFS = 20
"""Number of best runs that are compared with the winner customer by customer."""
DiffRuns = Sequence[tuple[RunDirectory, Record]]
"""The two runs of ``diff``, or none."""


def iter_differences(
    selection: RunSelection, verdict: Verdict, scores: Scores, requested: DiffRuns
) -> Iterator[RunDifference]:
    """Yield the difference of the ``diff`` runs, then of the winner and each of the best runs.

    ``scores`` are those of the winner.
    """
    if requested:
        ((run_a, a), (run_b, b)) = requested
        both = (try_read_scores(run_a, a), try_read_scores(run_b, b))
        yield compare_pair(a, b, both, requested=True)
    for record in verdict.records[:MAX_DIFFS]:
        if record is not verdict.winner:
            other_scores = try_read_scores(selection.find_directory(record), record)
            yield compare_pair(verdict.winner, record, (scores, other_scores))
