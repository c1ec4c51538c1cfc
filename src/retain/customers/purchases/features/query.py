"""The description of the feature table: snapshots, windows and sums, as the templates need them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

from retain.customers.purchases.features.day_buckets import (
    DayBucket,
    WindowSpans,
    WindowSum,
    buckets_between,
    build_day_buckets,
    build_day_table,
    compute_window_spans,
    shorter_horizons,
    shorter_lookbacks,
)
from retain.customers.purchases.features.label import (
    LabelVariant,
    decline_sql,
    list_label_variants,
    list_measures,
    needed_sql,
)
from retain.customers.purchases.features.snapshots import SnapshotCalendar
from retain.customers.purchases.features.store_level import YEAR, StoreLevels
from retain.customers.purchases.features.variation import rate_variation_sql
from retain.customers.purchases.parsing.rows import SECONDS_PER_DAY
from retain.schema.purchases import LabelRule

DISCOUNT_SHIFT = 2**31
"""One integer holds two counts: discounted purchases, and 2³¹ × purchases with a known discount."""
_BITS_PER_WORD = 63  # categories that fit into a signed 64-bit integer
_MAX_WORDS = 4  # with more, categories are counted without bitmasks
_MAX_WIDE_COLUMNS = 400  # of a customer's row; with more, the snapshots are split
OPTIONAL_SUMS = ("minutes", "contacts", "profit")


@dataclass(frozen=True)
class FeatureQuery:
    """The feature table to compute; ``columns`` and ``n_categories`` are those of the log.

    The histories of everyone are those of ``population_day``, by default the first snapshot.
    """

    calendar: SnapshotCalendar
    label: LabelRule
    windows: tuple[int, ...]
    columns: frozenset[str]
    n_categories: int
    has_target: bool
    levels: StoreLevels
    population_day: int | None = None

    @property
    def has_last_year(self) -> bool:
        """True if some snapshot has the same days a year before."""
        reaches = max(self.calendar.snapshots) - YEAR >= self.calendar.first_day
        return reaches and self.label.horizon <= YEAR

    @cached_property
    def spans(self) -> WindowSpans:
        """Lengths of all windows."""
        spans = compute_window_spans(self.label, self.windows, has_target=self.has_target)
        if not self.has_last_year:
            return spans
        year = (YEAR - self.label.horizon, YEAR)
        return replace(spans, lookbacks=tuple(sorted({*spans.lookbacks, *year} - {0})))

    @cached_property
    def buckets(self) -> tuple[DayBucket, ...]:
        """Buckets of the log's days."""
        return build_day_buckets(self.calendar, self.spans)

    @cached_property
    def day_table(self) -> dict[str, list[int]]:
        """The table ``days``: day, bucket, bit."""
        return build_day_table(self.buckets, self.calendar.first_day)

    @cached_property
    def variants(self) -> tuple[LabelVariant, ...]:
        """The label and its variants, none without a target."""
        if not self.has_target:
            return ()
        return list_label_variants(self.label, list_measures(self.columns), self.levels)

    @property
    def optional_sums(self) -> tuple[str, ...]:
        """Optional columns of the log that are summed."""
        return tuple(name for name in OPTIONAL_SUMS if name in self.columns)

    @property
    def money_column(self) -> str | None:
        """Column that measures a customer's value: profit, else amount, else None."""
        return next((name for name in ("profit", "amount") if name in self.columns), None)

    @property
    def has_many_categories(self) -> bool:
        """True if there are too many categories for bitmasks."""
        return self.n_categories > _BITS_PER_WORD * _MAX_WORDS

    @property
    def bitmask_words(self) -> range:
        """Indices of the integers that hold the categories' bits."""
        return range(0 if self.has_many_categories else -(-self.n_categories // _BITS_PER_WORD))

    @cached_property
    def window_sums(self) -> tuple[WindowSum, ...]:
        """All sums of a row, without repetition."""
        return tuple({total.name: total for total in self._iter_window_sums()}.values())

    def _iter_window_sums(self) -> Iterator[WindowSum]:
        rule, measures = self.label, list_measures(self.columns)
        label_measures = sorted({rule.measure, *(measures if self.has_target else ())})
        optional = (name for name in ("promo", *self.optional_sums) if name in self.columns)
        features = (*measures, *optional)
        yield from (self._lookback_sum(name, days) for name in features for days in self.windows)
        yield from (self._lookback_sum(name, rule.lookback) for name in label_measures)
        yield WindowSum(f"days_{rule.lookback}", "days", -rule.lookback, 0)
        yield self._lookback_sum("orders", rule.lookback)
        if self.levels.has_returns:
            yield WindowSum("returned", "returned", -self.windows[-1], 0)
        if self.has_last_year:
            end = rule.horizon - YEAR
            yield WindowSum("orders_last_year", self._bucket_column("orders"), -YEAR, end)
        if self.money_column is not None:
            yield self._lookback_sum(self.money_column, rule.lookback)
        if self.has_target:
            yield from (self._horizon_sum(name, rule.horizon) for name in self._outcomes)
            yield from (self._horizon_sum(name, rule.horizon) for name in label_measures)
            yield from (self._lookback_sum(rule.measure, days) for days in shorter_lookbacks(rule))
            yield from (self._horizon_sum(rule.measure, days) for days in shorter_horizons(rule))

    @property
    def _outcomes(self) -> tuple[str, ...]:
        """Columns summed over the horizon that are not the label's measure."""
        return () if self.money_column is None else (self.money_column,)

    def later_sum(self, day: int) -> WindowSum | None:
        """Return the orders of the horizon after next of a snapshot, None beyond the log."""
        end = self.spans.later_end(day, self.calendar.last_day)
        if end is None:
            return None
        return WindowSum(
            "orders_later", self._bucket_column("orders"), self.label.horizon, end - day
        )

    def _lookback_sum(self, name: str, days: int) -> WindowSum:
        return WindowSum(f"{name}_{days}", self._bucket_column(name), -days, 0)

    def _horizon_sum(self, name: str, days: int) -> WindowSum:
        return WindowSum(f"{name}_next_{days}", self._bucket_column(name), 0, days)

    def _bucket_column(self, name: str) -> str:
        """Return the column of a bucket; without order ids each day with a purchase is an order."""
        return "days" if name == "orders" and "order" not in self.columns else name

    @property
    def lifetime_columns(self) -> tuple[str, ...]:
        """Columns that are summed over the whole past."""
        return ("days", "orders") if "order" in self.columns else ("days",)

    @cached_property
    def n_history_buckets(self) -> int:
        """Number of buckets before every window of every snapshot."""
        windows = (*self.spans.lookbacks, self.spans.period_days * self.spans.n_periods)
        earliest = min(self.calendar.snapshots) - max(windows)
        return sum(bucket.end <= earliest for bucket in self.buckets)

    def split(self) -> tuple[FeatureQuery, ...]:
        """Return the query, or several of fewer snapshots each if its rows would be too wide."""
        days = self.calendar.snapshots
        if len(days) == 1 or len(list_wide_columns(self)) <= _MAX_WIDE_COLUMNS:
            return (self,)
        middle = len(days) // 2
        calendars = (replace(self.calendar, snapshots=d) for d in (days[:middle], days[middle:]))
        first = self.population_day or days[0]
        parts = (replace(self, calendar=one, population_day=first) for one in calendars)
        halves = (part.split() for part in parts)
        return tuple(query for half in halves for query in half)

    def template_context(self, log: str) -> dict[str, Any]:
        """Return the variables of the templates; ``log`` is the relation of purchases."""
        rule, money = self.label, self.money_column
        return {
            "log": log,
            "day_zero_second": (self.calendar.first_day - 1) * SECONDS_PER_DAY,
            "discount_shift": DISCOUNT_SHIFT,
            "has_orders": "order" in self.columns,
            "has_discount": "promo" in self.columns,
            "has_items": "items" in self.columns,
            "has_amount": "amount" in self.columns,
            "optional_sums": self.optional_sums,
            "bitmask_words": self.bitmask_words,
            "n_categories": self.n_categories,
            "has_many_categories": self.has_many_categories,
            "windows": self.windows,
            "trends": [*pairwise(self.windows)],
            "rate_variation": rate_variation_sql(self.windows),
            "lifetime_columns": self.lifetime_columns,
            "n_history_buckets": self.n_history_buckets,
            "wide_columns": sorted(list_wide_columns(self)),
            "snapshots": [build_snapshot_context(self, day) for day in self.calendar.snapshots],
            "min_history_days": rule.least_history,
            "n_periods": rule.regularity.periods,
            "past_column": f"{rule.measure}_{rule.lookback}",
            "declined_sql": decline_sql(rule, self.levels) if self.has_target else None,
            "needed_sql": needed_sql(rule),
            "has_returns": self.levels.has_returns,
            "has_last_year": self.has_last_year,
            "year": YEAR,
            "store_price": self.levels.ratios_sql("amount", "items", self.windows[-1]),
            "store_promo": self.levels.ratios_sql("promo", "promo_known", self.windows[-1]),
            "has_target": self.has_target,
            "lookback": rule.lookback,
            "horizon": rule.horizon,
            "population_snapshot": (self.population_day or self.calendar.snapshots[0])
            - self.calendar.first_day
            + 1,
            "next_money": None if money is None else f"{money}_next_{rule.horizon}",
            "money_column": None if money is None else f"{money}_{rule.lookback}",
            "variants": self.variants,
        }


def list_wide_columns(query: FeatureQuery) -> set[tuple[str, int]]:
    """Return the (column, bucket) pairs of a customer's wide row."""
    return {pair for day in query.calendar.snapshots for pair in _iter_wide_columns(query, day)}


def _iter_wide_columns(query: FeatureQuery, day: int) -> Iterator[tuple[str, int]]:
    later = query.later_sum(day)
    for total in (*query.window_sums, *(() if later is None else (later,))):
        indices = buckets_between(query.buckets, day + total.begin, day + total.end)
        yield from ((total.column, index) for index in indices)
    for word in query.bitmask_words:
        indices = buckets_between(query.buckets, day - query.windows[-1], day)
        yield from ((f"kinds_{word}", index) for index in indices)
    for index in _recent_buckets(query, day):
        yield from ((column, index) for column in query.lifetime_columns)


def _recent_buckets(query: FeatureQuery, day: int) -> list[int]:
    buckets = query.buckets[query.n_history_buckets :]
    return [bucket.index for bucket in buckets if bucket.end <= day]


def build_snapshot_context(query: FeatureQuery, day: int) -> dict[str, Any]:
    """Return a snapshot's template variables: SQL over the columns of the wide row."""

    def sum_sql(column: str, begin: int, end: int) -> str:
        return _join_columns(" + ", column, buckets_between(query.buckets, begin, end))

    def bitmask_sql(word: int, days: int) -> str:
        indices = buckets_between(query.buckets, day - days, day)
        return _join_columns(" | ", f"kinds_{word}", indices)

    recent, later = _recent_buckets(query, day), query.later_sum(day)
    lifetime = {
        column: f"({column}_before + {_join_columns(' + ', column, recent)})"
        for column in query.lifetime_columns
    }
    period = query.spans.period_days
    begin_days = query.windows[::-1] if query.has_many_categories else query.windows[-1:]
    return {
        "number": day - query.calendar.first_day + 1,
        "end": day * SECONDS_PER_DAY,
        "end_bucket": sum(bucket.end <= day for bucket in query.buckets),
        "begin_days": begin_days,  # of the windows in which categories are counted, longest first
        "begins": [(day - days) * SECONDS_PER_DAY for days in begin_days],
        "days_ever": lifetime["days"],
        "orders_ever": lifetime[query.lifetime_columns[-1]],
        "periods": [
            sum_sql("days", day - period * (n + 1), day - period * n)
            for n in range(query.spans.n_periods)
        ],
        "sums": {
            total.name: sum_sql(total.column, day + total.begin, day + total.end)
            for total in query.window_sums
        },
        "later": None
        if later is None
        else sum_sql(later.column, day + later.begin, day + later.end),
        "bitmasks": {
            days: [bitmask_sql(word, days) for word in query.bitmask_words]
            for days in query.windows
        },
    }


def _join_columns(operator: str, column: str, buckets: Iterable[int]) -> str:
    return f"({operator.join(f'{column}_b{index}' for index in buckets) or '0'})"
