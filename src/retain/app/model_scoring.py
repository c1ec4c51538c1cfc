"""A saved model called in a process of its own.

A model's file is checked for its types, but not every number in it means what its library takes
for granted: one made up by a stranger can crash the process that predicts with it, and costs that
process alone.
"""

from __future__ import annotations

from pathlib import Path

from threadpoolctl import threadpool_limits

from retain.app.shared_memory import SharedValue
from retain.learning.experiment import score_new
from retain.learning.scores import Scores
from retain.verdict.model_file import load


def score_shared(path: Path, sha256: str, table: SharedValue, rows: int, threads: int) -> Scores:
    """Return the scores of a shared table of customers by the model in a file.

    Raises
    ------
    RetainError
        If the file is not the one its verdict speaks of, or holds types that are not trusted.
    """
    with threadpool_limits(threads):
        return score_new(load(path, sha256), table.load(), rows=rows)
