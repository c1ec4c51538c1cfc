"""Scores cut from the fits of a longer run, left in a folder for the runs they belong to.

Their key is all that can change them, so nobody takes another's; who finds none fits by itself.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, clone

from retain.errors import RetainError
from retain.learning.growing import Growing
from retain.storage.reading import read_bytes
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
        try:
            content = read_bytes(path)
            path.unlink()
        except (OSError, RetainError):
            return None
        return np.frombuffer(content)

    def leave(self, fitted: BaseEstimator, rows: np.ndarray, fold: str) -> None:
        """Leave the probabilities of all shorter lengths on ``rows``.

        Runs that find none, as after an error here, are fitted by themselves. The fitted model has
        given probabilities of both classes.
        """
        try:
            for length, probability in self.growing.cut(fitted, rows, self.lengths):
                shorter = clone(fitted).set_params(**{self.growing.length: length})
                with atomic_write(self._path(shorter, fold), durable=False) as path:
                    path.write_bytes(np.asarray(probability[:, 1], dtype=float).tobytes())
        except Exception as error:  # noqa: BLE001 - it is not the error of this run
            log.info("shorter runs are fitted by themselves: %s: %s", type(error).__name__, error)

    def _path(self, model: BaseEstimator, fold: str) -> Path:
        kind = f"{type(model).__module__}.{type(model).__qualname__}"
        content = json.dumps([kind, model.get_params(), fold], sort_keys=True)
        return self.folder / hashlib.sha256(content.encode()).hexdigest()
