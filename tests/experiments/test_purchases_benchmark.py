"""The benchmark of the purchase log, so small that it proves it runs and measures nothing."""

from __future__ import annotations

import importlib

import pandas as pd
import pytest

pytest.importorskip("duckdb")


@pytest.fixture(scope="module")
def benchmark(checkout):
    """Imports a script; the scripts' own folder is where they look for each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(checkout / "experiments" / "benchmarks"))
        patch.syspath_prepend(str(checkout / "experiments" / "benchmarks" / "peers"))
        yield importlib.import_module


def test_an_invented_log_is_in_the_order_of_time_and_the_same_for_a_seed(benchmark, tmp_path):
    for name in ("one", "other"):
        benchmark("purchase_log").invent(4000, tmp_path / f"{name}.parquet", seed=3)
    one, other = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("one", "other"))
    pd.testing.assert_frame_equal(one, other)
    assert one["time"].is_monotonic_increasing
    assert len(one) == 4000
    assert one["customer"].nunique() <= 200


def test_each_contestant_makes_its_table_and_they_agree(benchmark, tmp_path, capsys):
    purchases = benchmark("purchases")
    benchmark("purchase_log").invent(3000, tmp_path / "log.parquet")
    for name in ("G", "retain", "pandas"):
        words = ["--log", str(tmp_path / "log.parquet"), "--out", str(tmp_path / f"{name}.parquet")]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["purchase_contestants.py", name, *words])
            benchmark("purchase_contestants").main()
    result = purchases._agreement(3000, tmp_path)
    assert "45 columns; equal to pandas in every cell: True" in result


def test_what_was_measured_is_told_beside_its_target(benchmark):
    purchases = benchmark("purchases")
    taken = purchases.Taken
    one = {"G": taken(2, 4, 300), "retain": taken(10, 20, 400), "pandas": taken(30, 30, 2000)}
    rows = list(purchases._told(10_000_000, [one, one]))
    assert "| retain by G, 10,000,000 purchases | 5 | 5, 5 | ≤ 8, stretch 5 |" in rows
    assert "| pandas by retain, 10,000,000 purchases | 3 | 3, 3 | ≥ 2 |" in rows
