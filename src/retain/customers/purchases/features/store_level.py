"""The purchases of the whole store by day, and its trend around snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import gcd

from retain.record.label import StoreLevel

YEAR = 364
"""Days of a year of whole weeks: the same weekdays."""


@dataclass(frozen=True)
class StoreLevels:
    """Purchases of each day of a log from ``first_day`` on, and the snapshots of its table."""

    first_day: int
    daily: tuple[int, ...]
    snapshots: tuple[int, ...]

    def total(self, begin: int, end: int) -> int:
        """Return the purchases from day ``begin`` to before ``end``.

        >>> StoreLevels(10, (1, 2, 3), ()).total(11, 99)
        5
        """
        sums = [0, *accumulate(self.daily)]
        low, high = (min(max(day - self.first_day, 0), len(self.daily)) for day in (begin, end))
        return sums[high] - sums[low]

    def trend(self, day: int, lookback: int, horizon: int) -> tuple[int, int]:
        """Return numerator and denominator of the rate after a day over that before it.

        >>> StoreLevels(0, (2, 2, 2, 2, 3, 3), ()).trend(4, 4, 2)
        (3, 2)
        """
        after = self.total(day, day + horizon) * lookback
        before = self.total(day - lookback, day) * horizon
        common = gcd(after, before)
        return (after // common, before // common) if before else (1, 1)

    def trend_sql(self, lookback: int, horizon: int) -> tuple[str, str]:
        """Return SQL of both parts of the trend, by the column ``snapshot``."""
        trends = {day: self.trend(day, lookback, horizon) for day in self.snapshots}
        parts = (
            " ".join(
                f"WHEN snapshot = {day - self.first_day + 1} THEN {trend[part]}"
                for day, trend in trends.items()
            )
            for part in range(2)
        )
        above, below = (f"CASE {cases} END" for cases in parts)
        return above, below

    def describe(self, day: int, text: str, lookback: int, horizon: int) -> StoreLevel:
        """Return the trend at a snapshot and a year before it, for records."""
        before = day - YEAR
        reaches = before - lookback >= self.first_day
        return StoreLevel(
            snapshot=text,
            trend=self._ratio(day, lookback, horizon),
            trend_last_year=self._ratio(before, lookback, horizon) if reaches else None,
        )

    def _ratio(self, day: int, lookback: int, horizon: int) -> float | None:
        if self.total(day - lookback, day) == 0:
            return None
        above, below = self.trend(day, lookback, horizon)
        return above / below
