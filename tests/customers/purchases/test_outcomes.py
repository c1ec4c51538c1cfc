"""Outcomes read from a purchase log: those that pandas counts, and the labels of training."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import yaml

from retain.customers.purchases.outcomes import read_log_outcomes
from retain.customers.purchases.source import read
from retain.errors import RetainError

pytest.importorskip("duckdb")

DAY = dt.date(2025, 2, 1)
START, END = pd.Timestamp(DAY), pd.Timestamp(DAY) + pd.Timedelta(days=90)
BEFORE = START - pd.Timedelta(days=180)
COLUMNS = {"customer": "client", "time": "when", "amount": "sum", "items": "pieces"}


@pytest.fixture(scope="module")
def log(purchase_log):
    """Purchases of people whose rates differ and fade, of some only before or after the day."""
    table = purchase_log(300)
    client, when = table["client"], table["when"]
    returned = np.random.default_rng(1).random(len(table)) < 0.05
    table["sum"] = table["sum"].where(~returned, -table["sum"])
    table["order"] = np.arange(len(table)) // 2
    table["gain"] = (table["sum"] * 0.3).round(2)
    return table[
        ~((client < 1010) & (when >= BEFORE))  # bought nothing since long
        & ~((client >= 1010) & (client < 1020) & (when < START))  # came after the day
        & ~((client >= 1020) & (client < 1030) & (when < START) & (when >= BEFORE))  # came back
    ]


@pytest.fixture
def node(checkout, tmp_path, log):
    """``node(frame, **changes)``: the node of a log of this frame."""
    keys = yaml.safe_load((checkout / "conf/data/purchases.yaml").read_text("utf-8"))

    def make(frame=log, columns=(), **changes):
        path = tmp_path / "log.parquet"
        frame.to_parquet(path, index=False)
        label = {**keys["label"], **changes.pop("label", {})}
        named = {**keys["columns"], **COLUMNS, **dict(columns)}
        tree = {**keys, "path": str(path), "columns": named, "label": label, "cache": None}
        return {**tree, "profit_unit": "roubles", **changes}

    return make


def count(log, measure, begin, end):
    """What each customer bought from one time to before another, by hand."""
    rows = log[(log["when"] >= begin) & (log["when"] < end)]
    bought = rows[rows["sum"] > 0]
    if measure == "orders":
        return bought.assign(day=bought["when"].dt.date).groupby("client")["day"].nunique()
    if measure == "amount":
        return rows.groupby("client")["sum"].sum().round(2)
    return rows.groupby("client")["pieces"].sum()


def expect(log, measure="orders", ratio=0.5, trend=1.0):
    """The label of every customer, by hand."""
    ids = pd.Index(log.loc[log["when"] < END, "client"].unique()).sort_values()
    past, future = (
        count(log, measure, *ends).reindex(ids).fillna(0)
        for ends in ((BEFORE, START), (START, END))
    )
    first = log[log["sum"] > 0].groupby("client")["when"].min().dt.normalize().reindex(ids)
    days = (START - first).dt.days.clip(upper=180)
    less = future * days < ratio * trend * past * 90 - 1e-6
    return less.where(past > 0, future <= 0).astype(float)


@pytest.mark.parametrize("measure", ["orders", "items", "amount"])
def test_outcomes_are_those_counted_by_hand(node, log, measure):
    table = log if measure != "items" else log[log["sum"] > 0]
    found = read_log_outcomes(node(table, label={"measure": measure, "decline_ratio": 0.8}), DAY)
    assert (found.first_day, found.last_day) == (DAY, dt.date(2025, 5, 1))
    expected = expect(table, measure, 0.8)
    assert found.table.index.tolist() == sorted(map(str, expected.index))
    assert (
        found.table["declined"].tolist()
        == expected.set_axis(expected.index.astype(str)).sort_index().tolist()
    )
    money = count(table, "amount", START, END).reindex(expected.index).fillna(0)
    assert found.table["money"].to_numpy() == pytest.approx(
        money.set_axis(money.index.astype(str)).sort_index().to_numpy()
    )
    assert 0.1 < found.table["declined"].mean() < 0.9


def test_who_has_no_rate_declined_if_nothing_was_bought(node, log):
    found = read_log_outcomes(node(), DAY).table["declined"]
    bought = set(log.loc[(log["when"] >= START) & (log["when"] < END), "client"])
    for client in range(1000, 1030):
        if str(client) in found.index:
            assert found[str(client)] == (client not in bought), client


def test_the_trend_of_the_store_counts_where_the_label_says_so(node, log):
    days = log[log["sum"] > 0].drop_duplicates().assign(day=lambda t: t["when"].dt.normalize())
    after = ((days["day"] >= START) & (days["day"] < END)).sum() / 90
    before = ((days["day"] >= BEFORE) & (days["day"] < START)).sum() / 180
    found = read_log_outcomes(node(label={"relative": "store"}), DAY).table["declined"]
    expected = expect(log, trend=after / before)
    assert found.tolist() == expected.set_axis(expected.index.astype(str)).sort_index().tolist()


@pytest.mark.parametrize("columns", [{}, {"order": "order", "profit": "gain"}])
@pytest.mark.parametrize("measure", ["orders", "amount"])
@pytest.mark.parametrize("relative", ["own", "store"])
def test_outcomes_of_regular_customers_are_the_labels_of_training(node, columns, measure, relative):
    label = {"measure": measure, "relative": relative}
    keys = node(columns=columns, label=label, snapshots={"step_days": 30, "n": 1, "last": DAY})
    found = read_log_outcomes(keys, DAY).table
    for name in ("name", "_target_", "baselines", "defaults"):
        keys.pop(name)
    customers = read(**keys)
    ids = customers.panel.customer.astype(str)
    assert len(ids) > 100
    assert found.loc[ids, "declined"].tolist() == customers.target.tolist()
    if columns:
        table = pd.read_parquet(keys["path"]).assign(sum=lambda t: t["gain"])
        gain = count(table, "amount", START, END).rename(index=str).reindex(found.index)
        assert found["money"].to_numpy() == pytest.approx(gain.fillna(0).to_numpy())


def test_a_log_without_money_tells_declines_alone(node, log):
    table = log[log["sum"] > 0].drop(columns=["sum", "pieces"])
    found = read_log_outcomes(node(table, {"amount": None, "items": None}), DAY)
    assert not found.has_money
    assert set(found.table["declined"]) == {0.0, 1.0}


def test_a_log_that_ends_or_begins_within_the_windows_is_refused(node, log):
    short = log[log["when"] < END - pd.Timedelta(days=10)]
    with pytest.raises(
        RetainError, match=r"not known for \d+ days more\. Type the same line again"
    ):
        read_log_outcomes(node(short), DAY)
    late = log[log["when"] >= BEFORE + pd.Timedelta(days=10)]
    with pytest.raises(RetainError, match="expected one log with the purchases before and after"):
        read_log_outcomes(node(late), DAY)


def test_rows_that_the_filter_removed_are_not_missing_from_the_log(node, log):
    last = log["when"].max()
    where = f"when < {END - pd.Timedelta(days=10):%Y-%m-%d}"
    with pytest.raises(RetainError, match=rf"Without data\.where, .* to {last:%Y-%m-%d}\."):
        read_log_outcomes(node(where=where), DAY)
