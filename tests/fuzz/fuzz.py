"""Throws damaged files at the readers: each answers, or refuses with a sentence, and soon.

    python tests/fuzz/fuzz.py RECORD [--inputs 20000] [--seed 0]

Prints a row a reader: inputs, refused, accepted, slowest seconds.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from sklearn.linear_model import LogisticRegression

from retain.customers.table import read as read_table
from retain.errors import NotApplicable, RetainError
from retain.learning.score_file import scores_table
from retain.record.reading import Reader
from retain.storage.parquet import read_parquet
from retain.storage.writing import hash_of
from retain.verdict.model_file import load
from retain.verdict.sealed import Ledger

SLOWEST_SECONDS = 5.0
ODD = (None, True, -1, 10**30, 1e308, "", "\0", "\u202e", "NaN", [], {}, [[[[]]]], "x" * 5_000)
TOKENS = (b"null", b"NaN", b"-1", b"9" * 5_000, b'"', b"{", b"[" * 300, b"\xff", b"\0", b",", b"\n")


def damaged(found: bytes, draw: random.Random) -> bytes:
    """Return bytes that were cut, flipped, repeated, or had tokens put in."""
    place = draw.randrange(len(found) + 1)
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: found[:place],
        lambda: found[:place] + draw.choice(TOKENS) + found[place:],
        lambda: found[:place] + bytes([draw.randrange(256)]) + found[place + 1 :],
        lambda: found[:place] + found[place : place + 200] * 5 + found[place:],
        lambda: found[:place] + found[place + draw.randrange(1, 99) :],
    )
    return draw.choice(ways)()


def replanted(tree: Any, draw: random.Random) -> Any:
    """Return a tree in which one node is of another type."""
    if isinstance(tree, dict) and tree and draw.random() < 0.9:
        key = draw.choice([*tree])
        return {**tree, key: replanted(tree[key], draw)}
    if isinstance(tree, list) and tree and draw.random() < 0.9:
        place = draw.randrange(len(tree))
        return [*tree[:place], replanted(tree[place], draw), *tree[place + 1 :]]
    return draw.choice(ODD)


def inputs(found: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Yield so many damaged inputs; those of a JSON document are half of them whole JSON."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    try:
        tree = json.loads(found)
    except ValueError:
        tree = None
    for _ in range(count):
        if tree is not None and draw.random() < 0.5:
            yield json.dumps(replanted(tree, draw)).encode()
        else:
            yield damaged(found, draw)


def made(record: bytes) -> dict[str, tuple[bytes, Callable[[Path], object]]]:
    """Return a valid input of each reader, and the reader."""
    random_ = np.random.default_rng(0)
    table = pd.DataFrame({"id": range(40), "a": random_.normal(size=40), "y": ["yes", "no"] * 20})
    scores = pd.DataFrame(
        {"customer_id": range(40), "repeat": 0, "fold": 0, "target": 1, "probability": 0.5}
    )
    parquet = io.BytesIO()
    scores.to_parquet(parquet, index=False)
    model = LogisticRegression().fit(table[["a"]], [0, 1] * 20)
    opening = {"time": "2026", "study": "s", "winner": "w", "data": "d", "split": "p"}
    line = json.dumps({**opening, "roc_auc": 0.9}).encode()
    csv = table.to_csv(index=False).encode()
    return {
        "record": (record, lambda path: Reader().read(path)),
        "ledger": (line, lambda path: Ledger(path).openings("d")),
        "scores.parquet": (
            parquet.getvalue(),
            lambda path: scores_table(read_parquet(path, cells=10_000), path),
        ),
        "skops": (skops.io.dumps(model), lambda path: load(path, hash_of(path))),
        "table": (csv, lambda path: read_table(path=str(path), id="id", target="y")),
    }


def fuzz(
    name: str, record: bytes, folder: Path, count: int, seed: int = 0
) -> tuple[int, int, float]:
    """Return how many inputs a reader refused and accepted, and its slowest answer in seconds.

    Raises
    ------
    Exception
        Whatever a reader raises that is no sentence.
    """
    found, read = made(record)[name]
    path, refused, slowest = folder / "input", 0, 0.0
    for one in inputs(found, count, seed):
        path.write_bytes(one)
        begun = time.perf_counter()
        try:
            read(path)
        except (RetainError, NotApplicable):
            refused += 1
        slowest = max(slowest, time.perf_counter() - begun)
    return refused, count - refused, slowest


def main() -> None:
    """Fuzz every reader and print the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("record", type=Path, help="a record.json that a run wrote")
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    record = args.record.read_bytes()
    with TemporaryDirectory() as folder:
        for name in made(record):
            told = fuzz(name, record, Path(folder), args.inputs, args.seed)
            sys.stdout.write(f"{name},{args.inputs},{told[0]},{told[1]},{told[2]:.2f}\n")


if __name__ == "__main__":
    main()
