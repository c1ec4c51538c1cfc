"""The rows a model meets in a fold, prepared once and shared by every run that prepares alike.

May import: errors, schema, customers. Preparation (imputing, scaling, encoding, sampling) depends
on the fold and on no model, and for light models costs several times what the model does.
"""

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
from sklearn.base import BaseEstimator, clone

from retain.learning.encoded import encoded
from retain.storage.locks import wait_for_lock

LARGE = 2**20
"""Bytes from which rows stay in their file, mapped into memory, instead of in each process."""
HELD = 64 * 2**20
"""Bytes of smaller rows a process holds."""


@dataclass(frozen=True)
class FoldRows:
    """What a model is fitted on and asked about: read-only arrays, each laid out without gaps.

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


class _Rows(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A pipeline's last step that keeps what a model in its place would be fitted on."""

    def fit(self, X: Any, y: Any) -> Self:
        self.X_, self.y_ = X, y
        return self

    def transform(self, X: Any) -> Any:
        return X


def prepared(
    pipeline: Pipeline, table: pd.DataFrame, target: np.ndarray, test: pd.DataFrame
) -> FoldRows:
    """The rows the last step of ``pipeline`` would meet, fitted on ``table``."""
    names = [name for name, _ in pipeline.steps]
    if {"sample", "encode"}.issubset(names) and names.index("sample") < names.index("encode"):
        return _by_steps(pipeline, table, target, test)
    rows, asked = encoded(pipeline, table, test)
    if "sample" in names:
        rows, target = clone(pipeline.named_steps["sample"]).fit_resample(rows, target)
    return FoldRows(*map(_settled, (rows, target, asked)))


def _by_steps(
    pipeline: Pipeline, table: pd.DataFrame, target: np.ndarray, test: pd.DataFrame
) -> FoldRows:
    """The same by the pipeline itself, where its sampler must see categories as they are."""
    steps = Pipeline(
        [*((name, clone(step)) for name, step in pipeline.steps[:-1]), ("rows", _Rows())]
    )
    steps.fit(table, target)
    kept = steps.named_steps["rows"]
    return FoldRows(*map(_settled, (kept.X_, kept.y_, steps.transform(test))))


def _settled(values: Any) -> np.ndarray:
    """A read-only array without gaps, so that memory and file hold it in the same layout.

    Sums over another layout round otherwise: scores would depend on who computed the rows.
    """
    array = np.asarray(values)
    if not (array.flags.c_contiguous or array.flags.f_contiguous):
        array = np.ascontiguousarray(array)
    array = array.view()
    array.flags.writeable = False
    return array


def recipe_of(pipeline: Pipeline) -> str | None:
    """Text that two pipelines share if they prepare alike; None where no text can tell."""
    try:
        return json.dumps([[name, _told(step)] for name, step in pipeline.steps[:-1]])
    except TypeError:
        return None


def _told(value: Any) -> Any:
    """An estimator as class and parameters, nested ones likewise; other values as they are."""
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, BaseEstimator):
        parameters = value.get_params(deep=False)
        return [_told(type(value)), {name: _told(parameters[name]) for name in sorted(parameters)}]
    if isinstance(value, list | tuple):
        return [_told(item) for item in value]
    return value


class FoldCache:
    """Prepared rows in a folder that processes share, the least recently used dropped first.

    Small rows are held in memory too; large ones are mapped from their file each time, so that
    processes share one copy and none outlives its use.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._held: OrderedDict[str, FoldRows] = OrderedDict()

    def rows(self, content: str, make: Callable[[], FoldRows]) -> FoldRows:
        """The rows that ``content`` stands for, made where nobody made them yet."""
        key = hashlib.sha256(content.encode()).hexdigest()
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        folder = self._folder / key
        with _alone(folder.with_suffix(".lock")):
            rows = _read(folder)
            if rows is None:
                rows = make()
                self._write(folder, rows)
                rows = (_read(folder) if rows.nbytes >= LARGE else None) or rows
        if rows.nbytes < LARGE:
            self._hold(key, rows)
        return rows

    def _hold(self, key: str, rows: FoldRows) -> None:
        self._held[key] = rows
        while sum(held.nbytes for held in self._held.values()) > HELD:
            self._held.popitem(last=False)

    def _write(self, folder: Path, rows: FoldRows) -> None:
        """Put rows into the folder, whole or not at all; a full disk costs the sharing only."""
        temporary = folder.with_name(f"{folder.name}-{os.getpid()}")
        try:
            temporary.mkdir()
            for name in FoldRows.__dataclass_fields__:
                _save(temporary / f"{name}.npy", getattr(rows, name))
            temporary.replace(folder)
        except OSError:  # full, or another process was first
            shutil.rmtree(temporary, ignore_errors=True)
        self._trim()

    def _trim(self) -> None:
        """Drop the least recently used beyond the limit; who has them mapped keeps them."""
        used = sorted((stat.st_mtime, size, path) for path, stat, size in self._kept())
        excess = sum(size for _, size, _ in used) - self._limit
        for _, size, path in used:
            if excess <= 0:
                break
            shutil.rmtree(path, ignore_errors=True)
            excess -= size

    def _kept(self) -> list[tuple[Path, os.stat_result, int]]:
        found = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError, NotADirectoryError):
                size = sum(file.stat().st_size for file in path.iterdir())
                found.append((path, path.stat(), size))
        return found


@contextmanager
def _alone(path: Path) -> Iterator[None]:
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


def _read(folder: Path) -> FoldRows | None:
    """Rows from their files: mapped if large, else in memory."""
    names = FoldRows.__dataclass_fields__
    try:
        large = sum((folder / f"{name}.npy").stat().st_size for name in names) >= LARGE
        arrays = [
            np.load(folder / f"{name}.npy", mmap_mode="r" if large else None, allow_pickle=False)
            for name in names
        ]
        os.utime(folder)
    except FileNotFoundError:
        return None
    return FoldRows(*map(_settled, arrays))
