"""The rows a model meets in a fold, prepared once and shared by every run that prepares alike."""

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
from imblearn.pipeline import Pipeline
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from retain.learning.pipeline import MISSING
from retain.storage.locks import wait_for_lock

Floats = NDArray[np.float64]


def preprocess_fast(
    pipeline: Pipeline, table: pd.DataFrame, test: pd.DataFrame
) -> tuple[Floats, Floats]:
    """``table`` and ``test`` after the steps ``prepare`` and ``encode``, fitted on ``table``."""
    parts = {name: part for name, *part in pipeline.named_steps["prepare"].transformers}
    made = []
    if "categories" in parts:
        one_hot = pipeline.named_steps["encode"].transformers[0][1]
        _, names = parts["categories"]
        made.append(_one_hot(one_hot, table[names], test[names]))
    if "numbers" in parts:
        step, names = parts["numbers"]
        made.append(_numbers(step, table[names].to_numpy(), test[names].to_numpy()))
    learnt, asked = (np.hstack(arrays) for arrays in zip(*made, strict=True))
    return learnt, asked


def _numbers(step: BaseEstimator, table: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Numbers with medians for what is missing, columns telling where that was, and scaled."""
    medians = np.array([_median(column) for column in table.T])
    holed = np.flatnonzero(np.isnan(table).any(axis=0))
    filled = [_fill(values, medians, holed) for values in (table, test)]
    if not isinstance(step, Pipeline):
        return filled[0], filled[1]
    scaling = clone(step.named_steps["scale"])
    return scaling.fit_transform(filled[0]), scaling.transform(filled[1])


def _median(column: Floats) -> float:
    there = column[~np.isnan(column)]
    return float(np.median(there)) if len(there) else 0.0


def _fill(values: Floats, medians: Floats, holed: NDArray[np.intp]) -> Floats:
    empty = np.isnan(values)
    if empty.any():
        values = values.copy(order="K")
        rows, columns = empty.nonzero()
        values[rows, columns] = medians[columns]
    return np.hstack([values, empty[:, holed]])


def _one_hot(
    encoder: BaseEstimator, table: pd.DataFrame, test: pd.DataFrame
) -> tuple[Floats, Floats]:
    """One-hot columns; how often a category occurs is counted only where some are too rare."""
    encoder = clone(encoder)
    places, different = _distinct_rows(table)
    most = max(different[name].nunique(dropna=False) for name in different)
    encoder.fit(_fill_categories(table if most > encoder.max_categories else different))
    asked, others = _distinct_rows(test)
    return encoder.transform(_fill_categories(different))[places], encoder.transform(
        _fill_categories(others)
    )[asked]


def _distinct_rows(table: pd.DataFrame) -> tuple[NDArray[np.intp], pd.DataFrame]:
    """For each row its place among the different ones, and those in order of appearance."""
    places: Any = np.zeros(len(table), dtype=np.intp)
    for name in table:
        codes = pd.factorize(table[name], use_na_sentinel=False)[0]
        places = pd.factorize(places * (codes.max() + 1) + codes)[0]
    firsts = np.unique(places, return_index=True)[1]
    return places, table.iloc[firsts]


def _fill_categories(table: pd.DataFrame) -> pd.DataFrame:
    return table.fillna(MISSING).astype(object)


MMAP_BYTES = 2**20
"""Bytes from which rows stay in their file, mapped into memory, instead of in each process."""
MAX_IN_MEMORY = 64 * 2**20
"""Bytes of smaller rows a process holds."""


@dataclass(frozen=True)
class FoldData:
    """Training and test rows of a fold for a model: read-only contiguous arrays.

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
        """Bytes of all three arrays."""
        return self.train.nbytes + self.target.nbytes + self.test.nbytes


class _Capture(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A pipeline's last step that keeps what a model in its place would be fitted on."""

    def fit(self, X: Any, y: Any) -> Self:
        self.X_, self.y_ = X, y
        return self

    def transform(self, X: Any) -> Any:
        return X


def prepare_fold(
    pipeline: Pipeline, table: pd.DataFrame, target: np.ndarray, test: pd.DataFrame
) -> FoldData:
    """Return the rows the last step of ``pipeline`` would meet, fitted on ``table``."""
    names = [name for name, _ in pipeline.steps]
    if {"sample", "encode"}.issubset(names) and names.index("sample") < names.index("encode"):
        return _prepare_stepwise(pipeline, table, target, test)
    rows, asked = preprocess_fast(pipeline, table, test)
    if "sample" in names:
        rows, target = clone(pipeline.named_steps["sample"]).fit_resample(rows, target)
    return FoldData(*map(_read_only_contiguous, (rows, target, asked)))


def _prepare_stepwise(
    pipeline: Pipeline, table: pd.DataFrame, target: np.ndarray, test: pd.DataFrame
) -> FoldData:
    """Return the same by the pipeline itself, where its sampler must see categories as they are."""
    steps = Pipeline(
        [*((name, clone(step)) for name, step in pipeline.steps[:-1]), ("rows", _Capture())]
    )
    steps.fit(table, target)
    kept = steps.named_steps["rows"]
    return FoldData(*map(_read_only_contiguous, (kept.X_, kept.y_, steps.transform(test))))


def _read_only_contiguous(values: Any) -> np.ndarray:
    """Return a read-only array without gaps, so that memory and file hold it in the same layout.

    Sums over another layout round otherwise: scores would depend on who computed the rows.
    """
    array = np.asarray(values)
    if not (array.flags.c_contiguous or array.flags.f_contiguous):
        array = np.ascontiguousarray(array)
    array = array.view()
    array.flags.writeable = False
    return array


def preprocessing_key(pipeline: Pipeline) -> str | None:
    """Text that two pipelines share if they prepare alike; None where no text can tell."""
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
    """Prepared rows in a folder that processes share, the least recently used dropped first.

    Small rows are held in memory too; large ones are mapped from their file each time, so that
    processes share one copy and none outlives its use.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._held: OrderedDict[str, FoldData] = OrderedDict()

    def load(self, content: str, make: Callable[[], FoldData]) -> FoldData:
        """Return the rows that ``content`` stands for, made where nobody made them yet."""
        key = hashlib.sha256(content.encode()).hexdigest()
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
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
        self._held[key] = rows
        while sum(held.nbytes for held in self._held.values()) > MAX_IN_MEMORY:
            self._held.popitem(last=False)

    def _write(self, folder: Path, rows: FoldData) -> None:
        """Put rows into the folder, whole or not at all; a full disk costs the sharing only."""
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
        """Drop the least recently used beyond the limit; who has them mapped keeps them."""
        used = sorted((stat.st_mtime, size, path) for path, stat, size in self._entries())
        excess = sum(size for _, size, _ in used) - self._limit
        for _, size, path in used:
            if excess <= 0:
                break
            shutil.rmtree(path, ignore_errors=True)
            excess -= size

    def _entries(self) -> list[tuple[Path, os.stat_result, int]]:
        found = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError, NotADirectoryError):
                size = sum(file.stat().st_size for file in path.iterdir())
                found.append((path, path.stat(), size))
        return found


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Have processes that want the same rows wait for the one that makes them.

    It saves their time and, more, their memory: preparing takes several times what it leaves.
    """
    with ExitStack() as stack:
        with suppress(OSError):  # no room: each makes its own
            stack.enter_context(wait_for_lock(path))
        yield


def _save(path: Path, array: np.ndarray) -> None:
    """Write an array, and notice when its last page finds the disk full.

    ``np.save`` does not where it writes to the file itself, as it does unless it may read as well.
    """
    with path.open("w+b") as file:
        np.save(file, array, allow_pickle=False)


def _read(folder: Path) -> FoldData | None:
    """Rows from their files: mapped if large, else in memory."""
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
