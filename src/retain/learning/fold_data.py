"""Preprocessed rows of a fold, shared by runs with the same preprocessing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from retain.learning.pipeline import MISSING, make_pipeline
from retain.storage.locks import wait_for_lock

Floats = NDArray[np.float64]


def preprocess_fast(
    pipeline: Pipeline, table: pd.DataFrame, test: pd.DataFrame
) -> tuple[Floats, Floats]:
    """Return both tables after the steps ``prepare`` and ``encode``, fitted on ``table``."""
    parts = {name: part for name, *part in pipeline.named_steps["prepare"].transformers}
    made = []
    if "categories" in parts:
        one_hot = pipeline.named_steps["encode"].transformers[0][1]
        _, names = parts["categories"]
        made.append(_one_hot(one_hot, table[names], test[names]))
    if "numbers" in parts:
        step, names = parts["numbers"]
        made.append(_numbers(step, table[names].to_numpy(), test[names].to_numpy()))
    train, transformed = (np.hstack(blocks) for blocks in zip(*made, strict=True))
    return train, transformed


def _numbers(step: BaseEstimator, table: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Return numbers imputed with medians, with missing indicators, and scaled."""
    medians = np.array([_median(column) for column in table.T])
    has_missing = np.flatnonzero(np.isnan(table).any(axis=0))
    arrays = [_fill(values, medians, has_missing) for values in (table, test)]
    if not isinstance(step, Pipeline):
        return arrays[0], arrays[1]
    scaling = clone(step.named_steps["scale"])
    return scaling.fit_transform(arrays[0]), scaling.transform(arrays[1])


def _median(column: Floats) -> float:
    observed = column[~np.isnan(column)]
    return float(np.median(observed)) if len(observed) else 0.0


def _fill(values: Floats, medians: Floats, has_missing: NDArray[np.intp]) -> Floats:
    empty = np.isnan(values)
    if empty.any():
        values = values.copy(order="K")
        rows, columns = empty.nonzero()
        values[rows, columns] = medians[columns]
    return np.hstack([values, empty[:, has_missing]])


def _one_hot(
    encoder: BaseEstimator, table: pd.DataFrame, test: pd.DataFrame
) -> tuple[Floats, Floats]:
    """Return one-hot columns; frequencies are counted only if some categories are too rare."""
    encoder = clone(encoder)
    rows, distinct = _distinct_rows(table)
    most = max(distinct[name].nunique(dropna=False) for name in distinct)
    encoder.fit(_fill_categories(table if most > encoder.max_categories else distinct))
    test_rows, test_distinct = _distinct_rows(test)
    return encoder.transform(_fill_categories(distinct))[rows], encoder.transform(
        _fill_categories(test_distinct)
    )[test_rows]


def _distinct_rows(table: pd.DataFrame) -> tuple[NDArray[np.intp], pd.DataFrame]:
    """Return the index of each row among the distinct rows, and these in order of appearance."""
    indices: Any = np.zeros(len(table), dtype=np.intp)
    for name in table:
        codes = pd.factorize(table[name], use_na_sentinel=False)[0]
        indices = pd.factorize(indices * (codes.max() + 1) + codes)[0]
    firsts = np.unique(indices, return_index=True)[1]
    return indices, table.iloc[firsts]


def _fill_categories(table: pd.DataFrame) -> pd.DataFrame:
    return table.fillna(MISSING).astype(object)


MMAP_BYTES = 2**20
"""Bytes from which rows are memory-mapped from their file."""
MAX_IN_MEMORY = 64 * 2**20
"""Bytes of smaller rows that a process holds in memory."""


@dataclass(frozen=True)
class FoldData:
    """Preprocessed training and test rows of a fold as read-only contiguous arrays.

    Attributes
    ----------
    train
        Shape (n_train, n_columns), after sampling.
    target
        Shape (n_train,).
    test
        Shape (n_test, n_columns), never sampled.
    """

    train: np.ndarray
    target: np.ndarray
    test: np.ndarray

    @property
    def nbytes(self) -> int:
        """Size of all three arrays in bytes."""
        return self.train.nbytes + self.target.nbytes + self.test.nbytes


class _Capture(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A pipeline's last step that stores the data a model in its place would be fitted on."""

    def fit(self, X: Any, y: Any) -> Self:
        self.X_, self.y_ = X, y
        return self

    def transform(self, X: Any) -> Any:
        return X


def prepare_fold(
    pipeline: Pipeline, table: pd.DataFrame, target: np.ndarray, test: pd.DataFrame
) -> FoldData:
    """Return the input of the last step of ``pipeline``, fitted on ``table``."""
    names = [name for name, _ in pipeline.steps]
    if {"sample", "encode"}.issubset(names) and names.index("sample") < names.index("encode"):
        return _prepare_stepwise(pipeline, table, target, test)
    if "features" in names:
        features = clone(pipeline.named_steps["features"]).fit(table, target)
        table, test = features.transform(table), features.transform(test)
    train, test_rows = preprocess_fast(pipeline, table, test)
    if "sample" in names:
        train, target = clone(pipeline.named_steps["sample"]).fit_resample(train, target)
    return FoldData(*map(_read_only_contiguous, (train, target, test_rows)))


def _prepare_stepwise(
    pipeline: Pipeline, table: pd.DataFrame, target: np.ndarray, test: pd.DataFrame
) -> FoldData:
    """Return the same by the pipeline itself, for a sampler that needs unencoded categories."""
    steps = make_pipeline(
        [*((name, clone(step)) for name, step in pipeline.steps[:-1]), ("rows", _Capture())]
    )
    steps.fit(table, target)
    captured = steps.named_steps["rows"]
    return FoldData(*map(_read_only_contiguous, (captured.X_, captured.y_, steps.transform(test))))


def _read_only_contiguous(values: Any) -> np.ndarray:
    """Return a read-only contiguous array, so that memory and file have the same layout.

    Sums round differently in another layout, so scores would depend on the cache.
    """
    array = np.asarray(values)
    is_contiguous = array.flags.c_contiguous or array.flags.f_contiguous
    array = (array if is_contiguous else np.ascontiguousarray(array)).view()
    array.flags.writeable = False
    return array


def preprocessing_key(pipeline: Pipeline) -> str | None:
    """Return a text that is equal for equal preprocessing; None if there is no such text."""
    try:
        return json.dumps([[name, _describe_estimator(step)] for name, step in pipeline.steps[:-1]])
    except TypeError:
        return None


def _describe_estimator(value: Any) -> Any:
    """Return an estimator as class and parameters, recursively; other values unchanged."""
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, BaseEstimator):
        parameters = value.get_params(deep=False)
        return [
            _describe_estimator(type(value)),
            {name: _describe_estimator(parameters[name]) for name in sorted(parameters)},
        ]
    if isinstance(value, list | tuple):
        return [_describe_estimator(item) for item in value]
    return value


class PreparedFoldCache:
    """A cache of preprocessed rows in a shared folder; the least recently used are deleted first.

    Small rows are held in memory too; large ones are memory-mapped from their file, so processes
    share one copy.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._in_memory: OrderedDict[str, FoldData] = OrderedDict()

    def load(self, content: str, make: Callable[[], FoldData]) -> FoldData:
        """Return the rows of the key ``content``; call ``make`` if they are not cached."""
        key = hashlib.sha256(content.encode()).hexdigest()
        if key in self._in_memory:
            self._in_memory.move_to_end(key)
            return self._in_memory[key]
        folder = self._folder / key
        with _exclusive(folder.with_suffix(".lock")):
            rows = _read(folder)
            if rows is None:
                rows = make()
                self._write(folder, rows)
                rows = (_read(folder) if rows.nbytes >= MMAP_BYTES else None) or rows
        if rows.nbytes < MMAP_BYTES:
            self._remember(key, rows)
        return rows

    def _remember(self, key: str, rows: FoldData) -> None:
        self._in_memory[key] = rows
        while sum(held.nbytes for held in self._in_memory.values()) > MAX_IN_MEMORY:
            self._in_memory.popitem(last=False)

    def _write(self, folder: Path, rows: FoldData) -> None:
        """Write rows to the folder atomically; a full disk only disables sharing."""
        temporary = folder.with_name(f"{folder.name}-{os.getpid()}")
        try:
            temporary.mkdir()
            for name in FoldData.__dataclass_fields__:
                _save(temporary / f"{name}.npy", getattr(rows, name))
            temporary.replace(folder)
        except OSError:  # full, or another process was first
            shutil.rmtree(temporary, ignore_errors=True)
        self._trim()

    def _trim(self) -> None:
        """Delete the least recently used rows beyond the limit; existing maps stay valid."""
        used = sorted((stat.st_mtime, size, path) for path, stat, size in self._entries())
        excess = sum(size for _, size, _ in used) - self._limit
        for _, size, path in used:
            if excess <= 0:
                break
            shutil.rmtree(path, ignore_errors=True)
            excess -= size

    def _entries(self) -> list[tuple[Path, os.stat_result, int]]:
        entries = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError, NotADirectoryError):
                size = sum(file.stat().st_size for file in path.iterdir())
                entries.append((path, path.stat(), size))
        return entries


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Lock a file, so that one process prepares rows and the others wait.

    This saves time and memory: preprocessing needs several times the memory of its result.
    """
    with ExitStack() as stack:
        with suppress(OSError):  # full disk: each process prepares its own
            stack.enter_context(wait_for_lock(path))
        yield


def _save(path: Path, array: np.ndarray) -> None:
    """Write an array, and raise if the disk is full at its last page.

    ``np.save`` misses this error for a file that is opened for writing only.
    """
    with path.open("w+b") as file:
        np.save(file, array, allow_pickle=False)


def _read(folder: Path) -> FoldData | None:
    """Read rows from their files, memory-mapped if large."""
    names = FoldData.__dataclass_fields__
    try:
        large = sum((folder / f"{name}.npy").stat().st_size for name in names) >= MMAP_BYTES
        arrays = [
            np.load(folder / f"{name}.npy", mmap_mode="r" if large else None, allow_pickle=False)
            for name in names
        ]
        os.utime(folder)
    except FileNotFoundError:
        return None
    return FoldData(*map(_read_only_contiguous, arrays))
