"""One contestant of the benchmark of purchase logs, in a process of its own.

    python purchase_contestants.py G|retain|lines|pandas --log LOG --out TABLE [--limit 1GB]

What it took, imports left out, is written beside the table.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

COLUMNS = ("customer", "time", "amount", "items", "category", "discount")
SNAPSHOTS = 6


def main() -> None:
    """Be the contestant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=_CONTESTANTS)
    parser.add_argument("--log", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--limit", default="1GB")
    args = parser.parse_args()
    _CONTESTANTS[args.name](args)


def _scan(args: argparse.Namespace) -> None:
    import duckdb  # noqa: F401 - loaded before the clock runs

    from retain.customers.purchases.engines.connection import connect

    with connect(args.limit) as connection:
        began = _clocks()
        connection.execute(
            "CREATE TEMP TABLE g AS SELECT customer, count(*), sum(amount), min(time), max(time), "  # noqa: S608
            f"sum(items), sum(CAST(discount AS INTEGER)), max(category) FROM '{args.log}' "
            "GROUP BY customer"
        )
    _tell(args, began)


def _retain(args: argparse.Namespace) -> None:
    """From the file to the table as it is kept: opened, checked, built and written."""
    import duckdb  # noqa: F401 - loaded before the clock runs
    import jinja2  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    from retain.customers.purchases.engines import cache
    from retain.customers.purchases.source import parse_request

    began = _clocks()
    request = parse_request(_keys(args))
    cache.write(Path(args.out), request.build_table)
    _tell(args, began)


def _pandas(args: argparse.Namespace) -> None:
    import numpy as np
    import pandas as pd

    sys.path.insert(0, str(Path(__file__).with_name("peers")))
    from purchases_pandas import DAY, Rule, table

    began = _clocks()
    log = pd.read_parquet(args.log)
    whole = pd.DataFrame(
        {
            "customer": log["customer"],
            "t": log["time"].astype("datetime64[s]").astype("int64"),
            "cents": np.floor(log["amount"] * 100 + 0.5).astype("int64"),
            "items": log["items"],
            "category": log["category"].astype("category").cat.codes.astype("int64"),
            "promo": log["discount"].astype("int64"),
            "buys": 1,
        }
    )
    del log
    first, last = whole["t"].min() // DAY, whole["t"].max() // DAY
    latest, least = last + 1 - Rule(()).horizon, first + Rule(()).lookback
    days = [latest - 30 * n for n in range(SNAPSHOTS) if latest - 30 * n >= least]
    table(whole, Rule(tuple(sorted(days)))).to_parquet(args.out)
    _tell(args, began)


_CONTESTANTS = {"G": _scan, "retain": _retain, "lines": _retain, "pandas": _pandas}


def _keys(args: argparse.Namespace) -> dict[str, object]:
    """Return the data config as it is shipped, with the invented log."""
    import yaml

    conf = Path(__file__).resolve().parents[2] / "conf"
    keys = yaml.safe_load((conf / "data" / "purchases.yaml").read_text(encoding="utf-8"))
    for name in ("name", "_target_", "baselines", "cache", "profit_unit"):
        del keys[name]
    columns = {**keys["columns"], **{name: name for name in COLUMNS}}
    if args.name == "lines":  # of orders: the amount is computed, and rows are filtered
        columns["amount"] = "items * amount"
        keys["where"] = "category != 'category 19' and items < 4"
    asked = {"columns": columns, "snapshots": {**keys["snapshots"], "n": SNAPSHOTS}}
    return {**keys, **asked, "path": args.log, "memory_limit": args.limit}


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _tell(args: argparse.Namespace, began: tuple[float, float]) -> None:
    wall, cpu = (now - then for now, then in zip(_clocks(), began, strict=True))
    Path(f"{args.out}.json").write_text(json.dumps({"wall": wall, "cpu": cpu}), encoding="utf-8")


if __name__ == "__main__":
    main()
