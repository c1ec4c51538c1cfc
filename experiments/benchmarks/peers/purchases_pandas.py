"""Label and features of a purchase log in pandas, from their definition: a peer, and an oracle.

It shares no line with retain. Money and time are whole numbers as there, so that both can be held
against each other bit for bit.

    python peers/purchases_pandas.py LOG.parquet OUT.parquet
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import lcm

import numpy as np
import pandas as pd

DAY, YEAR = 86_400, 364


@dataclass(frozen=True)
class Rule:
    """Snapshots (day numbers), windows and the label, in days; ``below`` in millionths.

    ``first`` is the first day of the log.
    """

    snapshots: tuple[int, ...]
    windows: tuple[int, ...] = (30, 90, 180)
    horizon: int = 90
    lookback: int = 180
    below: int = 500_000
    periods: int = 2
    period: int = 90
    history: int = 180
    first: int = 0


def table(log: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Return a row a regular customer and snapshot, sorted by the customer's text and the day.

    ``log`` has ``customer, t, cents, items, category, promo, buys``; a day's purchases of a
    customer are one order, and a missing category or promo is NaN.
    """
    log = log.assign(day=log["t"] // DAY)
    parts = [_at(log, day, rule) for day in rule.snapshots]
    rows = pd.concat(parts, ignore_index=True)
    return rows.sort_values(["customer", "snapshot"], key=_as_text, ignore_index=True)


def _as_text(column: pd.Series) -> pd.Series:
    return column.astype(str) if column.name == "customer" else column


def _at(log: pd.DataFrame, day: int, rule: Rule) -> pd.DataFrame:
    past = log[log["day"] < day]
    orders = past.loc[past["buys"] == 1, ["customer", "day"]].drop_duplicates()
    by_customer = orders.groupby("customer")["day"]
    known = pd.DataFrame(
        {"first": by_customer.min(), "last": by_customer.max(), "n": by_customer.size()}
    )
    regular = known[day - known["first"] >= rule.history].index
    for n in range(rule.periods):
        begin, end = day - rule.period * (n + 1), day - rule.period * n
        there = orders.loc[(orders["day"] >= begin) & (orders["day"] < end), "customer"]
        regular = regular.intersection(there.unique())
    before = _counted(orders, day - rule.lookback, day, regular)
    regular = regular[before.to_numpy() > 0]
    known, before = known.loc[regular], before.loc[regular]
    later = log[(log["buys"] == 1) & (log["day"] >= day)][["customer", "day"]].drop_duplicates()
    after = _counted(later, day, day + rule.horizon, regular)
    out = {"customer": regular, "snapshot": day}
    days = (day - known["first"]).clip(upper=rule.lookback)
    left, right = after * days * 1_000_000, before * (rule.below * rule.horizon)
    out["declined"] = (left < right).astype("int64").to_numpy()
    features = dict(_features(past, orders, known, day, rule))
    return pd.DataFrame(out | {name: np.asarray(values) for name, values in features.items()})


def _counted(orders: pd.DataFrame, begin: int, end: int, who: pd.Index) -> pd.Series:
    some = orders[(orders["day"] >= begin) & (orders["day"] < end)]
    return some.groupby("customer").size().reindex(who, fill_value=0).astype("int64")


def _features(
    past: pd.DataFrame, orders: pd.DataFrame, known: pd.DataFrame, day: int, rule: Rule
) -> Iterator[tuple[str, object]]:
    who, windows = known.index, rule.windows
    longest = windows[-1]
    past_days = _counted(orders, day - rule.lookback, day, who)
    asked = past_days * (rule.below * rule.horizon)
    needed = -(-asked // ((day - known["first"]).clip(upper=rule.lookback) * 1_000_000))
    since, tenure, span = day - known["last"], day - known["first"], known["last"] - known["first"]
    o = {w: _counted(orders, day - w, day, who) for w in windows}
    sums = {w: _sums(past[past["day"] >= day - w], who) for w in windows}
    yield from (("days_since_order", since), ("tenure_days", tenure), ("order_days", known["n"]))
    yield "orders_needed", needed
    yield from ((f"orders_{w}", o[w]) for w in windows)
    yield from ((f"items_{w}", sums[w]["items"]) for w in windows)
    yield from ((f"amount_{w}", sums[w]["cents"] / 100) for w in windows)
    yield f"order_value_{longest}", _ratio(sums[longest]["cents"], o[longest] * 100)
    seen = {w: tenure.clip(upper=w) for w in windows}
    for short, long in pairwise(windows):
        yield f"orders_trend_{short}_{long}", _ratio(o[short] * seen[long], o[long] * seen[short])
        money = sums[short]["cents"] * seen[long], sums[long]["cents"] * seen[short]
        yield f"amount_trend_{short}_{long}", _ratio(*money)
    for w in windows:
        yield f"orders_to_past_{w}", _ratio(o[w] * tenure, known["n"] * seen[w])
    yield "mean_gap_days", _ratio(span, known["n"] - 1)
    yield "lateness", _ratio(since * (known["n"] - 1), span)
    if len(windows) > 1:
        uneven = _variability(o, windows)
        yield f"orders_variability_{longest}", np.where(tenure >= longest, uneven, np.nan)
    if rule.snapshots[-1] - YEAR >= rule.first and rule.horizon <= YEAR:
        same = _counted(orders, day - YEAR, day - YEAR + rule.horizon, who)
        yield "orders_last_year", same.where(tenure >= YEAR)
    window, last = past[past["day"] >= day - longest], sums[longest]
    returned = window.assign(back=-window["cents"].clip(upper=0)).groupby("customer")["back"].sum()
    returned = returned.reindex(who, fill_value=0)
    yield f"return_share_{longest}", _ratio(returned, last["cents"] + returned)
    yield f"items_per_order_{longest}", _ratio(last["items"], o[longest])
    for short, long in pairwise(windows):
        baskets = sums[short]["items"] * o[long], sums[long]["items"] * o[short]
        yield f"items_per_order_trend_{short}_{long}", _ratio(*baskets)
    price = window["cents"].sum() / window["items"].sum()
    yield f"price_to_store_{longest}", _ratio(last["cents"], last["items"]) / price
    yield from ((f"categories_{w}", sums[w]["kinds"]) for w in windows)
    yield "favourite_category", _favourite(window, who)
    yield "days_since_new_category", day - _newest_category(past, who)
    yield from ((f"promo_share_{w}", _ratio(sums[w]["promo"], sums[w]["told"])) for w in windows)
    bought = window[window["buys"] == 1]["promo"]
    promo = float(bought.sum()) / bought.count()
    yield f"promo_to_store_{longest}", _ratio(last["promo"], last["told"]) / promo


def _ratio(above: pd.Series, below: pd.Series) -> np.ndarray:
    a, b = (np.asarray(one, dtype="float64") for one in (above, below))
    return np.divide(a, b, out=np.full(len(a), np.nan), where=b != 0)


def _sums(some: pd.DataFrame, who: pd.Index) -> pd.DataFrame:
    """Money and items of all rows, promo and categories of purchases."""
    all_rows = some.groupby("customer")[["cents", "items"]].sum()
    bought = some[some["buys"] == 1].groupby("customer")
    told = bought["promo"].agg(["sum", "count"])
    parts = {
        "cents": all_rows["cents"],
        "items": all_rows["items"],
        "promo": told["sum"],
        "told": told["count"],
        "kinds": bought["category"].nunique(),
    }
    return pd.DataFrame(parts).reindex(who).fillna(0).astype("int64")


def _variability(orders: dict[int, pd.Series], windows: Sequence[int]) -> np.ndarray:
    edges = (0, *windows)
    whole = lcm(*(b - a for a, b in zip(edges, windows, strict=False)))
    total = whole * orders[windows[-1]] ** 2
    above = -total
    for low, high in zip(edges, windows, strict=False):
        ring = orders[high] - orders[low] if low else orders[high]
        above = above + whole // (high - low) * windows[-1] * ring**2
    return _ratio(above, total)


def _favourite(some: pd.DataFrame, who: pd.Index) -> np.ndarray:
    bought = some[(some["buys"] == 1) & some["category"].notna()]
    times = bought.groupby(["customer", "category"]).size().rename("times").reset_index()
    times = times.sort_values(["times", "category"], ascending=[False, True])
    return times.drop_duplicates("customer").set_index("customer")["category"].reindex(who)


def _newest_category(past: pd.DataFrame, who: pd.Index) -> pd.Series:
    bought = past[(past["buys"] == 1) & past["category"].notna()]
    firsts = bought.groupby(["customer", "category"])["day"].min()
    return firsts.groupby("customer").max().reindex(who)


def main() -> None:
    """Write the table of a log of whole numbers as Parquet."""
    log = pd.read_parquet(sys.argv[1]).assign(buys=1)
    first, last = log["t"].min() // DAY, log["t"].max() // DAY
    latest = last + 1 - Rule(()).horizon
    days = [latest - 30 * n for n in range(6) if latest - 30 * n >= first + Rule(()).lookback]
    table(log, Rule(tuple(reversed(days)), first=int(first))).to_parquet(sys.argv[2])


if __name__ == "__main__":
    main()
