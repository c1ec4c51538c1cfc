"""The computing budget of explanations, which stop early if they will exceed it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from retain.errors import NotApplicable

MIN_TIMED_SECONDS = 0.5
"""Seconds a chunk must take before its pace counts: shorter ones are mostly overhead."""
FIRST_CHUNK_ROWS = 8
"""Rows of the first chunk."""
CHUNK_SECONDS = 4.0
"""Target seconds of a later chunk."""
MAX_CHUNK_ROWS = 20_000
"""Largest number of rows of a chunk, which bounds memory."""


@dataclass(frozen=True)
class TimeBudget:
    """The limits of time and memory of explanations.

    Attributes
    ----------
    seconds
        Computing time.
    rows
        Rows to explain over all folds and repeats.
    background
        Number of background customers for sampled values.
    seed
        Seed of the samples.
    """

    seconds: float
    rows: int
    background: int
    seed: int

    def chunks(self, rows: int, what: str) -> Iterator[slice]:
        """Yield slices that cover all rows: a small first one, then of about ``CHUNK_SECONDS``.

        Raises
        ------
        NotApplicable
            At the current pace ``what`` would exceed the budget.

        >>> list(TimeBudget(60.0, 10, 25, 0).chunks(10, "counting"))
        [slice(0, 8, None), slice(8, 10, None)]
        """
        done, size = 0, FIRST_CHUNK_ROWS
        while done < rows:
            start = time.process_time()
            part = slice(done, min(done + size, rows))
            yield part
            elapsed = time.process_time() - start
            pace = elapsed / (part.stop - part.start)
            if elapsed > MIN_TIMED_SECONDS and pace * self.rows > self.seconds:
                raise NotApplicable(
                    f"{what} {self.rows:,} customers would take about {pace * self.rows:,.0f} s "
                    f"of computing, and may take {self.seconds:g} s"
                )
            done = part.stop
            size = max(1, min(int(CHUNK_SECONDS / max(pace, 1e-9)), MAX_CHUNK_ROWS))
