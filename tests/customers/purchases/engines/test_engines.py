"""The feature table, compared with pandas and under changes that must not matter."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.customers.purchases.engines.connection import connect, parse_memory_limit
from retain.customers.purchases.engines.duckdb import build_features, split_by_customer
from retain.customers.purchases.features.label import list_label_variants, tabulate_variants
from retain.customers.purchases.features.query import FeatureQuery
from retain.customers.purchases.features.snapshots import SnapshotCalendar
from retain.customers.purchases.features.store_level import StoreLevels, read_store_levels
from retain.errors import RetainError
from retain.schema.purchases import LabelRule, RegularityRule

pytestmark = pytest.mark.slow

duckdb = pytest.importorskip("duckdb")

DAY = 86_400
FIRST = 18_000
COLUMNS = frozenset({"amount", "items", "category", "promo"})
NO_LEVELS = StoreLevels(FIRST, (), ())
OUTCOMES = ("past_orders", "later_orders", "next_money")
RULE = LabelRule(
    measure="orders",
    horizon=90,
    lookback=180,
    decline_ratio=0.5,
    regularity=RegularityRule(periods=2, days=90),
    min_history=None,
)
SNAPSHOTS = tuple(range(FIRST + 460, FIRST + 611, 30))


@pytest.fixture(scope="module")
def peer(checkout):
    """The independent implementation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(checkout / "experiments" / "benchmarks" / "peers"))
        yield importlib.import_module("purchases_pandas")


def make_log(rows=3000, customers=40, kinds=5, seed=0):
    """Return purchases on 700 days with returns, ties and missing categories and discounts."""
    random = np.random.default_rng(seed)
    buys = (random.random(rows) < 0.95).astype("int64")
    sign = np.where(buys == 1, 1, -1)
    return pd.DataFrame(
        {
            "customer": random.integers(0, customers, rows),
            "t": (FIRST + random.integers(0, 700, rows)) * DAY + random.integers(0, DAY, rows),
            "cents": random.integers(1, 10**6, rows) * sign,
            "items": random.integers(1, 4, rows) * sign,
            "category": _with_gaps(random.integers(0, kinds, rows), random),
            "promo": _with_gaps(random.integers(0, 2, rows), random),
            "buys": buys,
        }
    )


def _with_gaps(values, random):
    return pd.Series(values).where(random.random(len(values)) > 0.05).astype("Int64")


def make_query(kinds=5, *, rule=RULE, windows=(30, 90, 180), columns=COLUMNS, days=SNAPSHOTS):
    return FeatureQuery(
        SnapshotCalendar(FIRST, FIRST + 699, days),
        rule,
        windows,
        columns,
        kinds,
        has_target=True,
        levels=NO_LEVELS,
    )


def build(log, query, *, threads=2, share=10**9):
    """Return the sorted rows and the counts."""
    parts = []
    with connect("1GB", threads) as connection:
        connection.register("given", pa.Table.from_pandas(log, preserve_index=False))
        connection.execute("CREATE TABLE purchases AS SELECT * FROM given")
        with split_by_customer(
            connection, len(log), memory_bytes=10**9, threads=threads, chunk_rows=share
        ) as chunks:
            levels = read_store_levels(connection, query.calendar, query.columns)
            counted = build_features(chunks, replace(query, levels=levels), parts.append)
    return in_order(pa.concat_tables(parts), query), counted


def in_order(rows, query):
    rows = rows.to_pandas().assign(snapshot=lambda some: some["snapshot"] + FIRST - 1)
    text = rows["customer"].astype(str)
    return (
        rows.assign(text=text)
        .sort_values(["text", "snapshot"], ignore_index=True)
        .drop(columns=["text", "money", *OUTCOMES], errors="ignore")
    )


def assert_same(rows, expected):
    """Compare every cell bit by bit; NaN equals NaN."""
    assert list(rows.columns) == list(expected.columns)
    for name in rows:
        a, b = (
            one[name].astype("object") if name == "customer" else one[name].astype("float64")
            for one in (rows, expected)
        )
        pd.testing.assert_series_equal(a, b, check_exact=True)


# 5 categories fill one word, 70 two, 300 are counted one by one
@pytest.mark.parametrize("kinds", [1, 5, 70, 300])
def test_every_cell_is_what_pandas_makes_of_the_definition(peer, kinds):
    log = make_log(kinds=kinds)
    rows, _ = build(log, make_query(kinds))
    assert len(rows) > 150
    assert 0.02 < rows["declined"].mean() < 0.98
    assert len(rows.columns) - 3 >= 25
    assert_same(rows, peer.table(log, peer.Rule(SNAPSHOTS, first=FIRST)))


@pytest.mark.parametrize(
    ("rule", "windows"),
    [
        (RULE, (7, 10)),
        (RULE.model_copy(update={"horizon": 31, "lookback": 100, "min_history": 200}), (45,)),
        (RULE.model_copy(update={"decline_ratio": 1.0}), (1, 13, 400)),
        (
            RULE.model_copy(update={"regularity": RegularityRule(periods=5, days=40)}),
            (30, 60, 90, 120),
        ),
        # customers whose past is shorter than the look-back and the windows
        (
            RULE.model_copy(
                update={
                    "horizon": 30,
                    "min_history": 10,
                    "regularity": RegularityRule(periods=1, days=30),
                }
            ),
            (30, 90, 180),
        ),
    ],
)
def test_windows_without_common_edges_are_exact(peer, rule, windows):
    log, days = make_log(seed=3), (FIRST + 405, FIRST + 461, FIRST + 533, FIRST + 534)
    is_new = log["customer"] < 20  # half of the customers come later
    log = log[~is_new | (log["t"] > (FIRST + 400 + 6 * log["customer"]) * DAY)]
    peer_rule = peer.Rule(
        days,
        windows,
        rule.horizon,
        rule.lookback,
        round(rule.decline_ratio * 1e6),
        rule.regularity.periods,
        rule.regularity.days,
        rule.least_history,
        FIRST,
    )
    rows, _ = build(log, make_query(rule=rule, windows=windows, days=days))
    assert_same(rows, peer.table(log, peer_rule))


def test_many_snapshots_are_split(peer):
    log, days = make_log(seed=4), tuple(range(FIRST + 400, FIRST + 600, 7))
    query = make_query(days=days)
    assert len(query.split()) > 1
    assert_same(build(log, query)[0], peer.table(log, peer.Rule(days, first=FIRST)))


def test_neither_threads_nor_shares_nor_the_order_of_rows_change_a_bit():
    log = make_log(seed=1)
    rows, counted = build(log, make_query())
    for some in (
        build(log, make_query(), threads=1),
        build(log, make_query(), share=500),
        build(log.sample(frac=1, random_state=1), make_query(), threads=3),
    ):
        pd.testing.assert_frame_equal(some[0], rows, check_exact=True)
        assert some[1] == counted


# each is one change of the log at or after T; features of T and before must stay
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_what_happens_after_a_snapshot_changes_no_feature_of_it(data):
    log, day = make_log(rows=400, customers=6, seed=2), SNAPSHOTS[2]
    later = log.index[log["t"] >= day * DAY]
    some = data.draw(st.lists(st.sampled_from(list(later)), min_size=1, max_size=30, unique=True))
    what = data.draw(st.sampled_from(["remove", "add", "change"]))
    if what == "remove":
        changed = log.drop(index=some)
    elif what == "add":
        changed = pd.concat([log, log.loc[some].assign(cents=7)], ignore_index=True)
    else:
        changed = log.copy()
        changed.loc[some, ["cents", "items", "category", "promo"]] = [10**9, 50, 0, 1]
        changed.loc[some, "t"] = day * DAY
    before, after = (_until(build(one, make_query())[0], day) for one in (log, changed))
    pd.testing.assert_frame_equal(before, after, check_exact=True)


def _until(rows, day):
    kept = rows[rows["snapshot"] <= day].drop(columns="declined")
    return kept.reset_index(drop=True)


def test_a_purchase_after_the_last_horizon_changes_nothing_at_all():
    log = make_log(seed=5)
    end = (SNAPSHOTS[-1] + RULE.horizon) * DAY
    log = log[log["t"] < end]
    late = log.head(200).assign(t=end, cents=10**9)
    one, other = build(log, make_query()), build(pd.concat([log, late]), make_query())
    pd.testing.assert_frame_equal(one[0], other[0], check_exact=True)
    assert one[1] == other[1]


def test_a_label_of_sums_past_what_64_bits_can_hold_is_exact():
    rule = RULE.model_copy(update={"measure": "amount", "decline_ratio": 0.999999})
    query = make_query(rule=rule, days=SNAPSHOTS[:1])
    before, least = 10**15, 999_999 * 10**9  # cents: the least that is no decline, times 10**6
    for after, declined in ((least, 0), (least - 1, 1)):
        rows, _ = build(_regular(before, after), query)
        assert rows["declined"].tolist() == [declined]


def _regular(before, after):
    """Return a customer with four purchases of ``before`` cents, then two of ``after``."""
    day = SNAPSHOTS[0]
    days = [day - 200, *(day - n for n in (170, 100, 60, 20)), day + 5, day + 80]
    cents = [1, *[before] * 4, *[after] * 2]
    return pd.DataFrame(
        {
            "customer": 1,
            "t": [n * DAY for n in days],
            "cents": cents,
            "items": 1,
            "category": pd.Series([0] * 7, dtype="Int64"),
            "promo": pd.Series([0] * 7, dtype="Int64"),
            "buys": 1,
        }
    )


def test_label_and_eligibility_by_hand():
    day = SNAPSHOTS[0]
    bought = {
        "steady": [day - 200, day - 100, day - 40, day + 3],
        "halved": [day - 300, day - 170, day - 120, day - 80, day - 10, day + 89],
        "stopped": [day - 181, day - 91, day - 1, day + 90],
        "too new": [day - 179, day - 91, day - 90, day + 1],
        "idle of late": [day - 200, day - 100, day - 91, day + 1],
        "idle before": [day - 200, day - 181, day - 90, day + 1],
    }
    rows = [(name, n * DAY) for name, days in bought.items() for n in days]
    log = pd.DataFrame(rows, columns=["customer", "t"]).assign(cents=100, items=1, buys=1)
    made, counted = build(log, make_query(0, columns=frozenset(), days=(day,)))
    # own rates: 1 and 2 in 90 days of look-back; one order after is 1/1 and 1/2: half is not below
    assert dict(zip(made["customer"], made["declined"], strict=True)) == {
        "halved": 0,
        "steady": 0,
        "stopped": 1,
    }
    number = day - FIRST + 1
    assert counted.counts == {(number, 0): (3, 1), (number, 1): (1, 0), (number, 2): (2, 0)}


# Fifteen weekly orders, then none: the past of who came lately is short, and the fall the same.
def test_the_own_rate_and_the_trends_are_those_of_the_days_since_the_first_purchase():
    day = SNAPSHOTS[0]
    weeks = {"old": range(30), "new": range(9)}
    rows = [(name, (day - 4 - 7 * n) * DAY) for name, past in weeks.items() for n in past]
    rows += [(name, (day + n) * DAY) for name in weeks for n in (5, 20, 40, 60, 80)]
    log = pd.DataFrame(rows, columns=["customer", "t"]).assign(cents=700, items=1, buys=1)
    rule = RULE.model_copy(
        update={"min_history": 60, "regularity": RegularityRule(periods=2, days=30)}
    )
    made, _ = build(log, make_query(0, columns=frozenset({"amount"}), days=(day,), rule=rule))
    made = made.set_index("customer")
    assert made["declined"].to_dict() == {"old": 1, "new": 1}
    assert made["tenure_days"].to_dict() == {"old": 207, "new": 60}
    assert made.loc["new", "orders_trend_90_180"] == made.loc["new", "amount_trend_90_180"] == 1.0
    assert made.loc["new", "orders_to_past_90"] == made.loc["new", "orders_to_past_180"] == 1.0
    assert np.isnan(made.loc["new", "orders_variability_180"])
    assert made.loc["old", "orders_trend_90_180"] == 13 * 180 / (26 * 90)


def test_lines_of_one_order_are_one_order_where_the_log_tells_orders():
    day = SNAPSHOTS[0]
    days = [day - 200, day - 100, day - 40, day - 40, day - 40]
    log = pd.DataFrame({"customer": 7, "t": [n * DAY for n in days], "cents": 100, "items": 1})
    log = log.assign(buys=1, opens=[1, 1, 1, 1, 0])
    rows, _ = build(log, make_query(0, columns=frozenset({"order"}), days=(day,)))
    assert rows.loc[0, ["orders_90", "orders_180", "order_days"]].tolist() == [2, 3, 3]
    alone, _ = build(log, make_query(0, columns=frozenset(), days=(day,)))
    assert alone.loc[0, ["orders_90", "orders_180", "order_days"]].tolist() == [1, 2, 3]


def test_a_feature_whose_column_is_not_mapped_does_not_exist():
    log = make_log(seed=6)
    rows, _ = build(log, make_query(0, columns=frozenset()))
    stems = (
        "items",
        "amount",
        "order_value",
        "categor",
        "favourite",
        "promo",
        "minutes",
        "contacts",
    )
    assert not [name for name in rows for stem in stems if stem in name]
    mapped = COLUMNS | {"minutes", "contacts"}
    more, _ = build(log.assign(minutes=150, contacts=2), make_query(columns=mapped))
    assert {"minutes_30", "contacts_180"} <= set(more.columns)
    bought = more.iloc[0]
    assert bought["minutes_180"] * 2 / 3 * 2 / 2 == bought["contacts_180"] / 2


def test_sensitivity_by_hand():
    day = SNAPSHOTS[0]
    bought = {
        "halved": [day - 200, day - 170, day - 120, day - 80, day - 10, day + 70],
        "lately": [day - 300, day - 85, day - 1, day + 1],
    }
    rows = [(name, n * DAY) for name, days in bought.items() for n in days]
    log = pd.DataFrame(rows, columns=["customer", "t"]).assign(cents=100, items=1, buys=1)
    _, counted = build(log, make_query(0, columns=frozenset(), days=(day,)))
    table = tabulate_variants(
        list_label_variants(RULE, ("orders",), NO_LEVELS), counted.sensitivity
    )
    table = table.set_index(["parameter", "value"])
    assert table.loc[("chosen", "")].tolist() == [1, 0.0, 1.0]
    # one order after, two in an average 90 days before: declined below 0.6 of the rate
    assert table.loc[("decline_ratio", "0.6")].tolist() == [1, 1.0, 0.0]
    # the order 70 days after is not in 60 days
    assert table.loc[("horizon", "60")].tolist() == [1, 1.0, 0.0]
    # in the last 90 days alone the other customer is regular too, and went on buying
    assert table.loc[("regularity.periods", "1")].tolist() == [2, 0.0, 1.0]
    # 181 to 270 days before the other did not buy
    assert table.loc[("regularity.periods", "3"), "rows"] == 1


def test_distinct_days_and_categories_by_bits_are_count_distinct():
    random = np.random.default_rng(0)
    query = make_query(130)
    log = make_log(rows=6000, customers=3, kinds=130, seed=8).assign(buys=1)
    log["t"] = (FIRST + random.integers(0, 700, len(log))) * DAY
    rows, _ = build(log, query)
    for row in rows.itertuples():
        some = log[(log["customer"] == row.customer) & (log["t"] < row.snapshot * DAY)]
        last = some[some["t"] >= (row.snapshot - 180) * DAY]
        assert row.order_days == (some["t"] // DAY).nunique()
        assert row.categories_180 == last["category"].nunique() > 63


@pytest.mark.parametrize("limit", ["lots", "1", "10MB", "-1GB", "1 GB of it"])
def test_a_limit_that_is_no_amount_of_memory_is_refused(limit):
    with pytest.raises(RetainError, match=r"data.memory_limit: it is .*; expected"):
        parse_memory_limit(limit)


def test_without_duckdb_the_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    with pytest.raises(RetainError, match=r"needs DuckDB; pip install 'retain\[sql\]'"):
        connect("1GB").__enter__()


def test_the_engine_downloads_no_code():
    with connect("200MB") as connection:
        settings_found = connection.execute(
            "SELECT value FROM duckdb_settings() WHERE name LIKE 'auto%extensions'"
        ).fetchall()
    assert settings_found == [("false",)] * 2


@pytest.mark.parametrize(
    ("problem", "match"),
    [
        (
            "OutOfMemoryException",
            r"data.memory_limit: it is '200MB', and DuckDB needs more \(odd\)",
        ),
        ("OutOfRangeException", r"too large to be added up exactly \(odd\)"),
        ("IOException", r"odd. Free some space, or type export TMPDIR=FOLDER"),
    ],
)
def test_errors_of_duckdb_are_readable(problem, match):
    with pytest.raises(RetainError, match=match), connect("200MB"):
        raise getattr(duckdb, problem)("odd\nand a page of advice")


def test_items_are_one_a_row_where_none_are_mapped():
    day = SNAPSHOTS[0]
    days = [day - 200, day - 100, day - 100, day - 40, day + 3]
    log = pd.DataFrame({"customer": 7, "t": [n * DAY for n in days], "cents": 0, "items": 1})
    rule = RULE.model_copy(update={"measure": "items"})
    query = make_query(0, rule=rule, columns=frozenset(), days=(day,))
    rows, _ = build(log.assign(buys=1), query)
    # three items in 180 days before, so less than 0.75 in 90 days are a decline
    assert rows["declined"].tolist() == [0]
    fewer, _ = build(log.assign(buys=1)[:-1], query)
    assert fewer["declined"].tolist() == [1]


def test_visits_are_no_purchases_and_their_minutes_count():
    day = SNAPSHOTS[0]
    days = [day - 200, day - 100, day - 40, day - 2, day - 1]
    log = pd.DataFrame({"customer": ["a"] * 4 + ["b"], "t": [n * DAY for n in days], "cents": 0})
    log = log.assign(items=0, buys=[1, 1, 1, 0, 0], minutes=[0, 100, 0, 250, 900])
    query = make_query(0, columns=frozenset({"minutes"}), days=(day,))
    rows, counted = build(log, query)
    shown = rows.loc[0, ["days_since_order", "orders_30", "minutes_30", "minutes_180"]]
    assert shown.tolist() == [40, 0, 2.5, 3.5]
    by_reason = {reason: customers for (_, reason), (customers, _) in counted.counts.items()}
    assert by_reason == {0: 1, 4: 1}  # visits alone are no purchase


def test_a_chunk_in_which_nobody_bought_in_time_adds_nothing():
    log = make_log(customers=1)
    late = log.assign(t=(FIRST + 750) * DAY, customer=range(1, len(log) + 1))
    rows, counted = build(log, make_query())
    with_late, other = build(pd.concat([log, late]), make_query(), share=5000)
    assert len(with_late) == len(rows)
    assert list(other.sensitivity) == list(counted.sensitivity)
