"""``scores.parquet`` read back: believed only as far as it agrees with the record beside it.

May import: errors, storage, schema, record, customers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from retain.errors import RetainError
from retain.learning.scores import COLUMNS, Scores
from retain.record import Record
from retain.storage.parquet import count_parquet_rows, read_parquet

if TYPE_CHECKING:
    import pyarrow as pa

REMEDY = "Launch the line that made it again: it does this run anew."


def read_scores(path: Path, record: Record, *, within: Path | None = None) -> Scores:
    """Return the out-of-fold scores a run wrote.

    Raises
    ------
    RetainError
        If the file is no table of scores, or not that of the record.
    """
    most = len(COLUMNS) * record.data.rows * record.split.repeats
    table = read_parquet(path, cells=most, within=within)
    problem = _find_type_problem(table)
    if problem is None:
        scores = table.replace_schema_metadata(None).to_pandas()
        problem = _find_value_problem(scores) or _find_fold_problem(scores, record)
    if problem is not None:
        raise RetainError(f"{path} cannot be read as scores: {problem}. {REMEDY}")
    return Scores(scores, "out_of_fold")


def check_score_file(path: Path, record: Record, *, within: Path | None = None) -> None:
    """Raise a ``RetainError`` if the file is lost, broken or has other rows than its record says.

    What it holds is not read, so that thousands can be checked before a sweep.
    """
    problem = _find_count_problem(count_parquet_rows(path, within=within), record)
    if problem is not None:
        raise RetainError(f"{path}: {problem}.")


def _find_type_problem(table: pa.Table) -> str | None:
    import pyarrow as pa

    if tuple(table.column_names) != COLUMNS:
        return f"its columns are {', '.join(table.column_names)[:200]}"
    is_a = pa.types
    text = (is_a.is_string, is_a.is_large_string, is_a.is_signed_integer)
    whole, fraction = (is_a.is_signed_integer,), (is_a.is_floating,)
    for name, kinds in zip(COLUMNS, (text, whole, whole, whole, fraction), strict=True):
        column = table.column(name)
        if not any(is_kind(column.type) for is_kind in kinds):
            return f"column {name!r} holds {column.type}"
        if column.null_count:
            return f"column {name!r} has {column.null_count} missing cells"
    return None


def _find_value_problem(scores: pd.DataFrame) -> str | None:
    if not scores["target"].isin((0, 1)).all():
        return "targets are others than 0 and 1"
    if not scores["probability"].between(0, 1).all():
        return "probabilities do not lie between 0 and 1"
    if scores.duplicated(["customer_id", "repeat"]).any():
        return "customers stand twice in a repeat"
    return None


def _find_fold_problem(scores: pd.DataFrame, record: Record) -> str | None:
    """Return how the folds differ from the first ones of the split, which its metrics are over."""
    found = scores[["repeat", "fold"]].drop_duplicates().to_numpy()
    found = found[np.lexsort((found[:, 1], found[:, 0]))]
    expected = [divmod(number, record.split.folds) for number in range(record.folds)]
    if found.tolist() != [list(pair) for pair in expected]:
        return f"it has {len(found)} folds, and its record other {record.folds}"
    return _find_count_problem(len(scores), record)


def _find_count_problem(rows: int, record: Record) -> str | None:
    """Return how the rows differ: each customer learnt from is tested once in each repeat.

    Where rows have days, or a race stopped the run, only some of them are.
    """
    customers, repeats = record.data.rows - record.split.sealed, record.split.repeats
    some = bool(record.split.tested) or record.stopped is not None
    if rows == customers * repeats or (some and 0 < rows < customers * repeats):
        return None
    return f"it has {rows} rows, expected {customers} customers in {repeats} repeats"
