"""Numbers of an outcome in the terminal: means of two groups, their difference and its interval."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from retain.record.estimates import Estimate
from retain.wording import format_interval, format_signed


class OutcomeScale(NamedTuple):
    """The unit of an outcome in the terminal, and the formats of means, differences and ends."""

    times: int
    unit: str
    mean: str
    difference: str
    end: str

    def cells(self, means: Iterable[float | None], gap: Estimate | None) -> list[str]:
        """Return the cells of means, of a difference and of its interval; empty where unknown."""
        texts = [
            "" if mean is None else format_signed(mean * self.times, self.mean) for mean in means
        ]
        if gap is None:
            return [*texts, "", ""]
        value, low, high = (end * self.times for end in (gap.value, gap.low, gap.high))
        difference = format_signed(value, f"+{self.difference}")
        return [*texts, difference, format_interval(low, high, f"+{self.end}")]
