"""Scores cut from the fits of a longer run, left in a folder for the runs they belong to.

Their key is all that can change them, so nobody takes another's; who finds none fits by itself.
"""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, clone

from retain.learning.growing import Growing
from retain.storage.writing import atomic_write

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CutScores:
    """Probabilities of class 1 of the test rows of folds, one file each.

    Attributes
    ----------
    folder
        The folder of a launch; a file is removed as it is taken, since one run needs it.
    growing
        How the models grow.
    lengths
        Lengths that are cut from a fit, ascending; none for a run that only takes.
    """

    folder: Path
    growing: Growing
    lengths: tuple[int, ...] = ()

    def take(self, model: BaseEstimator, fold: str) -> np.ndarray | None:
        """Return what a longer fit left for ``model``, unfitted, None if there is nothing.

        ``fold`` is a text that is equal for equal training and test rows.
        """
        path = self._path(model, fold)
        with suppress(OSError, ValueError):
            found: np.ndarray = np.load(path, allow_pickle=False)
            path.unlink()
            return found
        return None

    def leave(self, fitted: BaseEstimator, rows: np.ndarray, fold: str) -> None:
        """Leave the probabilities of all shorter lengths on ``rows``.

        Runs that find none, as after an error here, are fitted by themselves. The fitted model has
        given probabilities of both classes.
        """
        try:
            for length, probability in self.growing.cut(fitted, rows, self.lengths):
                shorter = clone(fitted).set_params(**{self.growing.length: length})
                with atomic_write(self._path(shorter, fold), durable=False) as path:
                    _save(path, probability[:, 1])
        except Exception as error:  # noqa: BLE001 - it is not the error of this run
            log.info("shorter runs are fitted by themselves: %s: %s", type(error).__name__, error)

    def _path(self, model: BaseEstimator, fold: str) -> Path:
        kind = f"{type(model).__module__}.{type(model).__qualname__}"
        content = json.dumps([kind, model.get_params(), fold], sort_keys=True)
        return self.folder / f"{hashlib.sha256(content.encode()).hexdigest()}.npy"


def _save(path: Path, probability: np.ndarray) -> None:
    """Write to a file that is opened by its name as it is: ``np.save`` would add a suffix."""
    with path.open("wb") as file:
        np.save(file, np.asarray(probability, dtype=float), allow_pickle=False)
