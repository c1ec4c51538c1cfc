"""True if two tables of a purchase log are the same: to the bit, or in every cell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

_DAY = 86_400


def same_bits(one: Path, other: Path) -> bool:
    """Return whether two tables of retain have the same rows, in any order."""
    keys = [("customer", "ascending"), ("snapshot", "ascending")]
    a, b = (pq.read_table(path).sort_by(keys) for path in (one, other))
    return bool(a.replace_schema_metadata(None).equals(b.replace_schema_metadata(None)))


def same_cells(ours: Path, theirs: Path, log: Path) -> bool:
    """Return whether a table of retain and one of pandas agree in every column both have."""
    times = pq.read_table(log, columns=["time"])["time"]
    first = int(pc.min(times).cast("timestamp[s]").cast("int64").as_py()) // _DAY
    rows = _in_order(pd.read_parquet(ours).assign(snapshot=lambda t: t["snapshot"] + first - 1))
    peer = _in_order(pd.read_parquet(theirs))
    return len(rows) == len(peer) and all(
        np.array_equal(
            rows[name].to_numpy("float64", na_value=np.nan),
            peer[name].to_numpy("float64", na_value=np.nan),
            equal_nan=True,
        )
        for name in peer.columns.intersection(rows.columns)  # none of returns without any
    )


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(["customer", "snapshot"], ignore_index=True)
