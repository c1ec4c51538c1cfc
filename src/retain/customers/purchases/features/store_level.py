"""The purchases of the whole store by day, and its trend around snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from math import gcd
from typing import TYPE_CHECKING

from retain.customers.purchases.features.snapshots import SnapshotCalendar
from retain.customers.purchases.parsing.rows import SECONDS_PER_DAY
from retain.record.label import StoreLevel

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


YEAR = 364
"""Days of a year of whole weeks: the same weekdays."""


SUMS = {
    "amount": "SUM(cents)",
    "items": "SUM(items)",
    "promo": "SUM(buys * COALESCE(promo, 0))",
    "promo_known": "SUM(CASE WHEN promo IS NULL THEN 0 ELSE buys END)",
    "returned": "SUM(CASE WHEN cents < 0 THEN -cents ELSE 0 END)",
}
"""SQL of further sums of a day: ``promo`` are purchases at a discount, ``promo_known`` those that
say whether they are."""
_NEEDS = {"promo_known": "promo", "returned": "amount"}


@dataclass(frozen=True)
class StoreLevels:
    """Purchases of each day of a log from ``first_day`` on, and the snapshots of its table.

    ``sums`` are those of ``SUMS`` by day, as far as the log has the columns.
    """

    first_day: int
    daily: tuple[int, ...]
    snapshots: tuple[int, ...]
    sums: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def ratios_sql(self, above: str, below: str, days: int) -> str | None:
        """Return SQL of a ratio of two sums of the window before each snapshot; None without one.

        The window ends at the snapshot, so nothing of the ratio lies after it.
        """
        cases = []
        for day in self.snapshots:
            top, bottom = (self._sum(name, day - days, day) for name in (above, below))
            if top > 0 and bottom > 0:
                ratio = f"CAST({top} AS DOUBLE) / CAST({bottom} AS DOUBLE)"
                cases.append(f"WHEN p.snapshot = {day - self.first_day + 1} THEN {ratio}")
        return f"CASE {' '.join(cases)} END" if cases else None

    @property
    def has_returns(self) -> bool:
        """True if the log has any amount below zero."""
        return any(self.sums.get("returned", ()))

    def _sum(self, name: str, begin: int, end: int) -> int:
        low, high = (min(max(day - self.first_day, 0), len(self.daily)) for day in (begin, end))
        return sum(self.sums[name][low:high]) if name in self.sums else 0

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
        trends = self._trends(lookback, horizon)
        parts = (
            " ".join(
                f"WHEN snapshot = {day - self.first_day + 1} THEN {trend[part]}"
                for day, trend in trends.items()
            )
            for part in range(2)
        )
        above, below = (f"CASE {cases} END" for cases in parts)
        return above, below

    def largest_trend_part(self, lookback: int, horizon: int) -> int:
        """Return the largest integer of ``trend_sql``."""
        return max(
            (part for trend in self._trends(lookback, horizon).values() for part in trend),
            default=1,
        )

    def _trends(self, lookback: int, horizon: int) -> dict[int, tuple[int, int]]:
        return {day: self.trend(day, lookback, horizon) for day in self.snapshots}

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


def read_store_levels(
    connection: Connection, calendar: SnapshotCalendar, columns: frozenset[str]
) -> StoreLevels:
    """Return the orders of each day, or its purchases where the log has no order ids, and sums.

    ``columns`` are those of the relation ``purchases``.
    """
    counted = "SUM(buys * opens)" if "order" in columns else "SUM(buys)"
    names = [name for name in SUMS if _NEEDS.get(name, name) in columns]
    listed = ", ".join(f"CAST({sql} AS BIGINT)" for sql in (counted, *(SUMS[n] for n in names)))
    rows = connection.execute(
        f"SELECT CAST(FLOOR(t / {SECONDS_PER_DAY}) AS BIGINT), {listed} FROM purchases GROUP BY 1"  # noqa: S608
    ).fetchall()
    by_day = {int(day): tuple(map(int, sums)) for day, *sums in rows}
    empty = (0,) * (len(names) + 1)
    days = range(calendar.first_day, calendar.last_day + 1)
    daily, *sums = zip(*(by_day.get(day, empty) for day in days), strict=True)
    return StoreLevels(
        calendar.first_day, daily, calendar.snapshots, dict(zip(names, sums, strict=True))
    )
