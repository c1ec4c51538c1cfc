"""Invented purchase logs of any length, written in the order of time as a store's would be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START = np.datetime64("2022-01-01", "s")
DAYS = 730
PER_CUSTOMER = 20
KINDS = tuple(f"category {n:02d}" for n in range(20))
_AT_ONCE = 1_000_000


def invent(rows: int, path: Path, seed: int = 0) -> None:
    """Write a Parquet file of ``rows`` purchases, about 20 a customer over two years.

    How much a customer buys is exponentially distributed; who buys begins at some day of the first
    year. A third of the purchases is at a discount, and 20 categories differ in size.
    """
    random = np.random.default_rng(seed)
    weights = np.cumsum(random.exponential(size=rows // PER_CUSTOMER))
    begin = random.integers(0, DAYS // 2, len(weights)) * (random.random(len(weights)) < 0.7)
    writer = None
    for done in range(0, rows, _AT_ONCE):
        count = min(_AT_ONCE, rows - done)
        part = _part(random, count, done / rows, (done + count) / rows, weights, begin)
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()


def _part(  # noqa: PLR0913, PLR0917 - what has been drawn so far
    random: np.random.Generator,
    count: int,
    low: float,
    high: float,
    weights: np.ndarray,
    begin: np.ndarray,
) -> pa.Table:
    seconds = np.sort(random.uniform(low, high, count)) * DAYS * 86_400
    who = _who(random, count, weights)
    early = begin[who] * 86_400 > seconds
    while early.any():  # customers who have not begun leave their purchases to others
        who[early] = _who(random, int(early.sum()), weights)
        early = begin[who] * 86_400 > seconds
    kind = (len(KINDS) * random.random(count) ** 1.5).astype(np.int32)
    return pa.table(
        {
            "customer": who + 100_000,
            "time": START + seconds.astype("timedelta64[s]"),
            "amount": np.maximum(1, random.lognormal(7.5, 0.8, count)).round() / 100,
            "items": random.integers(1, 5, count),
            "category": pa.DictionaryArray.from_arrays(kind, KINDS).cast(pa.string()),
            "discount": random.random(count) < 1 / 3,
        }
    )


def _who(random: np.random.Generator, count: int, weights: np.ndarray) -> np.ndarray:
    # places are looked up in order, which is many times faster, and shuffled afterwards
    places = np.sort(random.uniform(0, weights[-1], count))
    return random.permutation(np.searchsorted(weights, places).astype(np.int64))
