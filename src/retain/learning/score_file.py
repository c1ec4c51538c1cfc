"""``scores.parquet``: its writer, and its reader, which checks it against the record of its run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from retain.errors import RetainError
from retain.learning.metrics import roc_auc
from retain.learning.scores import COLUMNS, Scores
from retain.record.document import Record, SplitInfo
from retain.record.reading import check_scores_size
from retain.storage.parquet import read_parquet
from retain.storage.pinned import check_pinned

if TYPE_CHECKING:
    import pyarrow as pa


GROUP_COLUMN = "duplicate_group"
"""Column with the code of each customer's duplicate group, if any customers are copies."""
ROUNDING = 1e-9
"""Difference of a metric that another order of sums may make."""


def write_scores(path: Path, scores: Scores, duplicate_groups: pd.Series | None) -> None:
    """Write out-of-fold scores, and the duplicate groups if any of these customers are copies."""
    table = scores.table
    if duplicate_groups is not None:
        groups = pd.factorize(duplicate_groups.loc[table["customer_id"]])[0]
        if len(np.unique(groups)) < table["customer_id"].nunique():
            table = table.assign(**{GROUP_COLUMN: groups})
    table.to_parquet(path, index=False)


def read_scores(path: Path, record: Record, *, within: Path | None = None) -> Scores:
    """Return the out-of-fold scores a run wrote.

    Raises
    ------
    RetainError
        The file is not a table of scores, or not of those whose metrics the record has.
    """
    scores = scores_table(_read_bounded(path, record, within), path)
    if (problem := _find_fold_problem(scores, record)) is not None:
        raise _invalid_scores(path, problem)
    check_folds(path, record, _fold_metrics(scores))
    return Scores(scores, "out_of_fold")


def read_score_table(path: Path, record: Record, *, within: Path | None = None) -> pa.Table:
    """Return the scores a run wrote as an Arrow table, with valid types and probabilities.

    It has ``GROUP_COLUMN`` too if the run had copies of customers.

    Faster than ``read_scores``; the caller checks the rows against those of another run.

    Raises
    ------
    RetainError
        The file is not a table of scores.
    """
    table = _read_bounded(path, record, within).replace_schema_metadata(None)
    problem = _find_type_problem(table)
    if problem is None and _find_count_problem(len(table), record) is None:
        score, target = (table.column(name).to_numpy() for name in ("probability", "target"))
        if ((score >= 0) & (score <= 1)).all() and np.isin(target, (0, 1)).all():
            return table
        problem = "probabilities do not lie between 0 and 1"
    raise _invalid_scores(path, problem or "it has another number of rows")


def _read_bounded(path: Path, record: Record, within: Path | None) -> pa.Table:
    most = (len(COLUMNS) + 1) * record.data.n_rows * record.split.n_repeats
    check_scores_size(path, record.scores_bytes, within=within)
    if record.scores_sha256 is not None:
        check_pinned(path, record.scores_sha256, "record.json", within=within)
    return read_parquet(path, max_cells=most, within=within)


def scores_table(table: pa.Table, path: Path) -> pd.DataFrame:
    """Return a table from disk as a table of scores; raise a ``RetainError`` if it is invalid."""
    if (problem := _find_type_problem(table)) is not None:
        raise _invalid_scores(path, problem)
    scores: pd.DataFrame = table.select(COLUMNS).replace_schema_metadata(None).to_pandas()
    if (problem := _find_value_problem(scores)) is not None:
        raise _invalid_scores(path, problem)
    return scores


def _invalid_scores(path: Path, problem: str) -> RetainError:
    return RetainError(
        f"{path} cannot be read as scores: {problem}. Delete {path.parent} and "
        "launch the line that made it again."
    )


def _find_type_problem(table: pa.Table) -> str | None:
    import pyarrow as pa

    if tuple(table.column_names) not in {COLUMNS, (*COLUMNS, GROUP_COLUMN)}:
        return f"its columns are {', '.join(table.column_names)[:200]}"
    is_a = pa.types
    text = (is_a.is_string, is_a.is_large_string, is_a.is_signed_integer)
    whole, fraction = (is_a.is_signed_integer,), (is_a.is_floating,)
    kinds = (text, whole, whole, whole, fraction, whole)[: table.num_columns]
    for name, column, of in zip(table.column_names, table.columns, kinds, strict=True):
        if not any(is_kind(column.type) for is_kind in of):
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
    """Return the problem if the folds are not the first ones of the split, or None."""
    if not has_first_folds(scores, record.folds, record.split):
        return f"its folds are not the {record.folds} of its record"
    return _find_count_problem(len(scores), record)


def has_first_folds(scores: pd.DataFrame, count: int, split: SplitInfo) -> bool:
    """Return whether scores are of exactly the first ``count`` folds of a split."""
    actual = scores[["repeat", "fold"]].drop_duplicates().to_numpy()
    actual = actual[np.lexsort((actual[:, 1], actual[:, 0]))]
    expected = [list(divmod(number, split.n_folds)) for number in range(count)]
    return actual.tolist() == expected


def check_folds(path: Path, record: Record, folds: Mapping[str, np.ndarray]) -> None:
    """Raise if metrics of the folds of a file are not those of its record.

    ``folds`` are the values of each fold by metric, shape (n_folds,).

    Raises
    ------
    RetainError
        The record or the scores were edited.
    """
    for name, found in folds.items():
        recorded = np.array(record.metrics[name].fold_values)
        if recorded.shape != found.shape or not np.allclose(recorded, found, 0, ROUNDING):
            raise _invalid_scores(path, f"its {name} is not that of record.json beside it")


def _fold_metrics(scores: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return ROC-AUC and Brier score of each fold, in order."""
    parts = [
        (part["target"].to_numpy(), part["probability"].to_numpy())
        for _, part in scores.groupby(["repeat", "fold"], sort=True)
    ]
    return {
        "roc_auc": np.array([roc_auc(target, score) for target, score in parts]),
        "brier": np.array([np.mean((score - target) ** 2) for target, score in parts]),
    }


def _find_count_problem(rows: int, record: Record) -> str | None:
    """Return the problem if not every customer is tested once per repeat, or None.

    In temporal validation and in runs stopped early, only some customers are tested.
    """
    customers, repeats = record.data.n_rows - record.split.n_sealed_test, record.split.n_repeats
    some = bool(record.split.test_snapshots) or record.stopped_early
    if rows == customers * repeats or (some and 0 < rows < customers * repeats):
        return None
    return f"it has {rows} rows, expected {customers} customers in {repeats} repeats"
