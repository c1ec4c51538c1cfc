"""The computing an explanation may take: given up as soon as it can be seen not to fit in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from retain.errors import NotApplicable

TELLING = 0.5
"""Seconds a chunk must take before its pace counts: shorter ones are mostly beginnings."""
FIRST = 8
"""Rows of the first chunk, from which the pace is known."""
CHUNK = 4.0
"""Seconds a further chunk is to take."""
LARGEST = 20_000
"""Rows of a chunk, at most, which bounds its memory."""


@dataclass(frozen=True)
class TimeBudget:
    """The limits of time and memory of explanations.

    Attributes
    ----------
    seconds
        Of computing.
    rows
        Customers, each counted as often as it is explained.
    background
        Customers that each is compared with where values are sampled.
    seed
        Of the samples.
    """

    seconds: float
    rows: int
    background: int
    seed: int

    def chunks(self, rows: int, what: str) -> Iterator[slice]:
        """Slices that cover ``rows`` of them, the first few, then as many as take seconds.

        Raises
        ------
        NotApplicable
            As soon as the pace tells that ``what`` would take longer for all customers.

        >>> list(TimeBudget(60.0, 10, 25, 0).chunks(10, "counting"))
        [slice(0, 8, None), slice(8, 10, None)]
        """
        done, size = 0, FIRST
        while done < rows:
            begun = time.process_time()
            part = slice(done, min(done + size, rows))
            yield part
            spent = time.process_time() - begun
            pace = spent / (part.stop - part.start)
            if spent > TELLING and pace * self.rows > self.seconds:
                raise NotApplicable(
                    f"{what} {self.rows:,} customers would take about {pace * self.rows:,.0f} s "
                    f"of computing, and may take {self.seconds:g} s"
                )
            done = part.stop
            size = max(1, min(int(CHUNK / max(pace, 1e-9)), LARGEST))
