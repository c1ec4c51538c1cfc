"""The reader of purchase logs: customers, cached tables and errors."""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from retain.customers.purchases import source
from retain.customers.purchases.engines import cache
from retain.customers.purchases.source import read
from retain.errors import RetainError

pytest.importorskip("duckdb")

FIRST = dt.date(2022, 1, 1)


@pytest.fixture(scope="session")
def nodes(checkout):
    """``nodes(name, **changes)``: the keys of a data config, as ``read`` takes them."""

    def loaded(name="purchases", **changes):
        folder = checkout / "conf" / "data"
        base, own = (
            yaml.safe_load((folder / f"{n}.yaml").read_text("utf-8")) for n in ("purchases", name)
        )
        keys = {**base, **own, "cache": None}
        for key in ("columns", "format"):
            keys[key] = {**base[key], **own[key]}
        for key in ("name", "_target_", "baselines", "defaults"):
            keys.pop(key, None)
        for key, value in changes.items():
            keys[key] = {**keys[key], **value} if isinstance(value, dict) else value
        return keys

    return loaded


COLUMNS = {
    "customer": "who",
    "time": "when",
    "amount": "paid",
    "items": "pieces",
    "category": "kind",
    "discount": "cheap",
}


@pytest.fixture(scope="session")
def shop_log():
    """Two years of purchases of 60 customers, as a store might write them."""
    random = np.random.default_rng(0)
    n = 4000
    days = random.integers(0, 730, n)
    seconds = random.integers(0, 86_400, n)
    when = pd.Timestamp(FIRST) + pd.to_timedelta(days * 86_400 + seconds, unit="s")
    return pd.DataFrame(
        {
            "who": random.integers(1, 61, n),
            "when": when.astype("datetime64[us]"),
            "paid": random.integers(100, 9000, n) / 100,
            "pieces": random.integers(1, 5, n),
            "kind": random.choice(["toys", "kitchen", "textiles"], n),
            "cheap": random.integers(0, 2, n),
        }
    )


@pytest.fixture
def write_log(tmp_path, shop_log):
    """``write_log(frame)``: the path of a Parquet file of purchases."""

    def write(frame=shop_log, name="log.parquet"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        frame.to_parquet(path, index=False)
        return str(path)

    return write


@pytest.fixture
def log_keys(nodes, write_log):
    """``log_keys(**changes)``: the keys for the store's log, at six snapshots."""

    def make_keys(frame=None, **changes):
        path = changes.pop("path", None) or (write_log() if frame is None else write_log(frame))
        changes["snapshots"] = {"n": 6, **changes.get("snapshots", {})}
        rest = {"columns": COLUMNS, "profit_unit": "euro a month", **changes}
        return nodes(path=path, **rest)

    return make_keys


@pytest.fixture(scope="session")
def stored(nodes, shop_log, tmp_path_factory):
    """The keys for the store's log, and its customers: a cache has their table."""
    folder = tmp_path_factory.mktemp("stored")
    shop_log.to_parquet(folder / "log.parquet", index=False)
    keys = nodes(
        path=str(folder / "log.parquet"),
        cache=str(folder / "tables"),
        snapshots={"n": 6},
        columns=COLUMNS,
        profit_unit="euro a month",
    )
    return keys, read(**keys)


@pytest.fixture
def customers(stored):
    """The customers of the store's log; shared, so nobody may change them."""
    return stored[1]


@pytest.fixture
def stored_keys(stored, tmp_path):
    """The keys for the store's log, and a cache that has its table already."""
    cached = shutil.copytree(stored[0]["cache"], tmp_path / "tables")
    return stored[0] | {"cache": str(cached)}


def assert_same(one, other):
    pd.testing.assert_frame_equal(one.features, other.features, check_exact=True)
    for name in ("target", "profit"):
        pd.testing.assert_series_equal(getattr(one, name), getattr(other, name), check_exact=True)
    assert one.fingerprint == other.fingerprint


def test_a_row_is_a_customer_at_a_snapshot_in_the_order_of_ids_and_days(customers):
    dated = customers.panel
    assert len(customers.columns) >= 25
    assert set(customers.groups) == {"purchase", "product"}
    assert customers.features.index.name == "customer_id"
    made = [
        f"{who}@{day:%Y-%m-%d}" for who, day in zip(dated.customer, dated.snapshot, strict=True)
    ]
    assert list(customers.features.index) == made
    keys = [(str(who), day) for who, day in zip(dated.customer, dated.snapshot, strict=True)]
    assert keys == sorted(keys)
    assert max({str(day.date()) for day in dated.snapshot}) == "2023-10-03"
    assert dated.snapshot.nunique() == 6
    assert dated.horizon == 90
    assert set(customers.features["favourite_category"]) == {"toys", "kitchen", "textiles"}
    assert customers.features["favourite_category"].dtype == "str"
    assert customers.target.isin([0, 1]).all()
    assert customers.duplicate_groups.groupby(dated.customer).nunique().eq(1).all()


def test_every_feature_has_its_names_in_both_languages(customers):
    for column in customers.columns.values():
        assert column.en != column.name
        assert column.ru != column.en
        assert "{" not in column.en + column.ru


# Who spent much in the look-back was lucky in part, so the forecast is nearer to that of all.
def test_profit_is_the_money_expected_a_month_shrunk_towards_that_of_all(customers):
    own = customers.features["amount_180"] / 180 * 365.25 / 12
    assert customers.profit.mean() == pytest.approx(own.mean(), rel=0.15)
    most, least = own > own.quantile(0.9), own < own.quantile(0.1)
    assert customers.profit[most].mean() < own[most].mean()
    assert customers.profit[least].mean() > own[least].mean()
    assert customers.profit.std() < own.std()
    assert customers.profit_unit == "euro a month"


def test_profit_of_a_new_customer_is_over_the_days_since_the_first_purchase(log_keys, shop_log):
    begin = pd.Timestamp(FIRST) + pd.Timedelta(days=500)
    late = shop_log[(shop_log["who"] > 30) | (shop_log["when"] >= begin)]
    young = {"horizon": 30, "regularity": {"periods": 1, "days": 30}}
    customers = read(**log_keys(late, label=young))
    days = customers.features["tenure_days"].clip(upper=180)
    new = days < 120
    assert new.any()
    diluted = customers.features["amount_180"] / 180 * 365.25 / 12
    assert (customers.profit[new] > diluted[new]).mean() > 0.7


def test_a_profit_of_the_log_is_not_shrunk_and_may_be_a_loss(log_keys, shop_log):
    frame = shop_log.assign(won=shop_log["paid"] - 5 * shop_log["paid"].mean())
    columns = {**COLUMNS, "profit": "won"}
    profit = read(**log_keys(frame, columns=columns)).profit
    assert (profit < 0).any()


def test_money_forecast_for_a_later_snapshot_is_held_against_what_came(log_keys):
    (*_, last) = read(**log_keys(label={"horizon": 30})).panel.quality.money
    assert last.forecast.low < last.forecast.value < last.forecast.high
    assert last.actual == pytest.approx(last.forecast.value, rel=0.5)
    assert last.covered == (last.forecast.low <= last.actual <= last.forecast.high)


def test_the_funnel_leads_from_purchases_to_regular_customers(log_keys):
    customers = read(**log_keys(label={"regularity": {"periods": 3, "days": 40}}))
    of = [step.unit for step in customers.funnel]
    assert of == sorted(of, reverse=True)
    eligible = customers.funnel[-3:]
    assert [step.name for step in eligible] == ["too new", "not active", "no rate"]
    assert eligible[0].n_before == 60 * 6
    assert eligible[-1].n_after == len(customers) < 60 * 6
    assert eligible[0].n_after == eligible[1].n_before


def test_the_share_of_each_class_is_logged_for_each_snapshot(log_keys, caplog):
    with caplog.at_level(logging.INFO):
        customers = read(**log_keys())
    messages = [one for one in caplog.messages if one.startswith("snapshot ")]
    assert len(messages) == 6
    first = customers.panel.snapshot.min()
    declined = customers.target[customers.panel.snapshot == first]
    share = declined.mean()
    assert messages[0] == (
        f"snapshot {first.date()}: {len(declined)} customers, {share:.1%} declined, "
        f"{1 - share:.1%} at the previous level"
    )


def test_the_number_of_declines_is_logged(log_keys, caplog):
    with caplog.at_level(logging.INFO):
        customers = read(**log_keys())
    n, total = int(customers.y.sum()), len(customers)
    where = f"declines: {n:,} of {total:,} ({100 * n / total:.3g} %), where fewer orders in "
    assert any(one.startswith(where) for one in caplog.messages), caplog.messages
    caplog.clear()
    with caplog.at_level(logging.INFO):
        read(**log_keys(has_target=False))
    assert "declines" not in caplog.text


def test_rows_may_be_shuffled_or_split_into_files(
    log_keys, write_log, shop_log, tmp_path, customers
):
    shuffled = shop_log.sample(frac=1, random_state=0)
    for n, part in enumerate(np.array_split(np.arange(len(shuffled)), 3)):
        write_log(shuffled.iloc[part], f"parts/{n}.parquet")
    assert_same(read(**log_keys(path=str(tmp_path / "parts"))), customers)


def test_customers_only_to_be_scored_have_one_row_and_no_target(log_keys, shop_log):
    log = pd.concat([shop_log, shop_log.head(1).assign(who=999)], ignore_index=True)
    customers = read(**log_keys(log, has_target=False))
    assert customers.target is None
    assert customers.panel is None
    assert customers.snapshot == shop_log["when"].max().date() + dt.timedelta(days=1)
    assert customers.features.index.dtype == "int64"
    assert customers.features.index.is_unique
    dropped = [id_ for step in customers.funnel for id_ in step.dropped]
    assert 999 in dropped
    assert len(dropped) + len(customers) == 61
    assert list(customers.features.index.astype(str)) == sorted(
        customers.features.index.astype(str)
    )


def test_a_snapshot_of_both_kinds_has_the_same_features(log_keys):
    day = "2023-08-03"
    both = read(**log_keys(snapshots={"last": day, "n": 1}))
    alone = read(**log_keys(has_target=False, snapshot=day))
    there = both.features.set_axis(both.panel.customer.to_numpy())
    pd.testing.assert_frame_equal(alone.features, there, check_exact=True, check_names=False)
    assert str(alone.snapshot) == day


# --- cache ---------------------------------------------------------------------------------------


@pytest.fixture
def scans(monkeypatch):
    """A list with one item per opened log."""
    seen = []
    opened = source.open_log

    def open_log(*args, **kwargs):
        seen.append(1)
        return opened(*args, **kwargs)

    monkeypatch.setattr(source, "open_log", open_log)
    return seen


def test_the_second_reading_of_a_log_does_not_scan_it(log_keys, scans, tmp_path, shop_log):
    keys = log_keys(cache=str(tmp_path / "tables"))
    first, second = read(**keys), read(**keys)
    assert len(scans) == 1
    assert_same(first, second)
    assert first.describe_funnel() == second.describe_funnel()
    pd.testing.assert_frame_equal(first.panel.sensitivity, second.panel.sensitivity)
    assert not list((tmp_path / "tables").glob(".*"))


@pytest.mark.parametrize(
    "change",
    [
        {"label": {"horizon": 60}},
        {"label": {"decline_ratio": 0.6}},
        {"snapshots": {"n": 3}},
        {"windows": [30, 60]},
        {"has_target": False},
        {"columns": {"discount": None}},
        {"format": {"timezone": "Asia/Tokyo"}},
    ],
)
def test_another_option_builds_another_table(stored_keys, scans, change):
    keys = stored_keys
    read(**keys)
    assert len(scans) == 0
    changed = {k: {**keys[k], **v} if isinstance(v, dict) else v for k, v in change.items()}
    read(**{**keys, **changed})
    assert len(scans) == 1


def test_an_option_that_cannot_change_a_table_builds_none(stored_keys, scans):
    read(**{**stored_keys, "memory_limit": "700MB", "profit_unit": "roubles"})
    assert len(scans) == 0


def test_another_log_builds_another_table(log_keys, write_log, scans, tmp_path, shop_log):
    keys = log_keys(cache=str(tmp_path / "tables"))
    one = read(**keys)
    write_log(shop_log.assign(paid=shop_log["paid"] + 1))
    assert read(**keys).fingerprint != one.fingerprint
    assert len(scans) == 2


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "other"])
def test_a_broken_table_is_built_again(stored_keys, customers, scans, tmp_path, damage):
    (path,) = (tmp_path / "tables").glob("*.parquet")
    data = path.read_bytes()
    if damage == "other":
        pd.DataFrame({"a": [1]}).to_parquet(path)
    else:
        path.write_bytes(
            {
                "cut": data[:-100],
                "empty": b"",
                "flip": data[:900] + bytes([data[900] ^ 255]) + data[901:],
            }[damage]
        )
    assert_same(read(**stored_keys), customers)
    assert len(scans) == 1


def test_purchases_that_were_in_the_future_are_read_again_the_next_day(
    log_keys, scans, tmp_path, shop_log, monkeypatch
):
    log = pd.concat([shop_log, shop_log.head(1).assign(when=pd.Timestamp("2999-01-01"))])
    keys = log_keys(log, cache=str(tmp_path / "tables"))
    read(**keys)
    read(**keys)
    assert len(scans) == 1
    monkeypatch.setattr(source, "_today", lambda: "2998-01-01")
    read(**keys)
    assert len(scans) == 2


def test_a_folder_that_cannot_be_written_is_a_readable_error(log_keys, tmp_path):
    (tmp_path / "tables").write_text("a file")
    with pytest.raises(RetainError, match=r"tables cannot be written.*data.cache=FOLDER"):
        read(**log_keys(cache=str(tmp_path / "tables")))


def test_nothing_is_stored_without_a_folder(log_keys, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "write", pytest.fail)
    assert len(read(**log_keys(cache=None))) > 0


# --- errors --------------------------------------------------------------------------------------


def test_a_log_that_is_too_short_is_an_error_with_the_missing_days(log_keys, shop_log):
    short = shop_log[shop_log["when"] < "2022-08-29"]
    with pytest.raises(RetainError, match=r"spans 240 days .*, 30 too few; expected .* 180 \+ 90"):
        read(**log_keys(short))


def test_no_regular_customer_is_an_error_with_the_reasons(log_keys, shop_log):
    few = shop_log.sort_values("when").iloc[[0, 1, 2, -1]]
    with pytest.raises(RetainError, match=r"nobody is a regular customer .*not active.*data.label"):
        read(**log_keys(few))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"snapshots": {"last": "2023-12-01"}}, r"the log ends 59 days before its horizon"),
        ({"snapshots": {"last": "2022-03-02"}}, r"120 days of its look-back of 180 are missing"),
        ({"snapshots": {"last": "soon"}}, r"data.snapshots.last: it is 'soon'; expected a day as"),
        (
            {"has_target": False, "snapshot": "2022-01-01"},
            r"data.snapshot: it is 2022-01-01; expected a day after",
        ),
        ({"windows": [0, 30]}, r"data.windows: it is \[0, 30\]; expected whole days"),
        ({"windows": []}, r"data.windows: it is \[\]"),
        ({"windows": 30}, r"data.windows: it is 30; expected whole days, .* such as \[30,90,180\]"),
        ({"windows": [30, 9999]}, r"data.windows: it is \[30, 9999\]; expected .* 1 to 3660"),
        ({"label": {"horizn": 3}}, r"data.label: key 'horizn' is unknown. Did you mean 'horizon'"),
        ({"label": {"decline_ratio": 0}}, r"data.label.decline_ratio is 0; expected .*greater"),
        ({"engine": "duckbd"}, r"data.engine 'duckbd' is not one of .*Did you mean 'duckdb'"),
        (
            {"memory_limit": "much"},
            r"data.memory_limit: it is 'much'; expected a number with a unit",
        ),
        ({"profit_unit": None}, r"data.profit_unit: it is None; expected what one unit"),
        (
            {"columns": {"amount": None}, "label": {"measure": "amount"}},
            r"data.label.measure: it is 'amount' and the log has no column",
        ),
    ],
)
def test_an_invalid_option_is_a_readable_error(log_keys, change, match):
    with pytest.raises(RetainError, match=match):
        read(**log_keys(**change))


# --- the real log --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def cdnow(checkout):
    root = Path(os.environ.get("RETAIN_DATA", checkout.parent / "shared" / "data"))
    path = root / "cdnow" / "CDNOW_master.txt"
    if not path.is_file():
        pytest.skip(f"the real log is not at {path}; set RETAIN_DATA to the folder above cdnow")
    return str(path)


def test_the_real_log_has_snapshots_of_some_two_thousand_regular_customers(cdnow, nodes):
    customers = read(**nodes("cdnow", path=cdnow))
    by_day = customers.target.groupby(customers.panel.snapshot)
    full = [2225, 2038, 2073, 2041, 1907, 1901, 1936]
    assert by_day.size().tolist() == [199, 1116, 1944, *full]  # all came in the first quarter
    assert by_day.mean().between(0.46, 0.57).all()
    assert customers.funnel[0].n_before == 69_659
    assert customers.panel.customer.iloc[0] == "00004"
    assert customers.profit_unit == "dollars a month"


def test_customers_with_returns_alone_are_counted_and_listed(log_keys, shop_log):
    frame = pd.concat([shop_log, shop_log.iloc[[-1]].assign(who=999, paid=-5.0)])
    step = read(**log_keys(frame)).funnel[-4]
    assert (step.name, step.n_before - step.n_after) == ("never bought", 6)
    people = read(**log_keys(frame, has_target=False))
    (step,) = [one for one in people.funnel if one.name == "never bought"]
    assert step.dropped == (999,)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"has_target": "maybe"}, r"data\.has_target: it is 'maybe'; expected true or false"),
        (
            {"snapshot": "2023-01-01"},
            r"expected data\.snapshots\.last=DAY, or data\.has_target=false",
        ),
        ({"has_target": False, "snapshot": "soon"}, "data.snapshot: it is 'soon'; expected a day"),
    ],
)
def test_an_invalid_day_or_label_is_an_error(log_keys, changes, match):
    with pytest.raises(RetainError, match=match):
        read(**log_keys(**changes))
