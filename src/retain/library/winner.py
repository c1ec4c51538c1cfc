"""The winner of a comparison as a classifier of raw rows."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from retain.errors import RetainError
from retain.execution.dataset import capture_log
from retain.learning.components import build_training_spec
from retain.library.classifier import N_CLASSES, PipelineClassifier
from retain.library.source import write_frame
from retain.schema.parsing import parse
from retain.schema.run import Run
from retain.verdict.model_file import load_model
from retain.workflows.new_customers import read_features
from retain.workflows.saved_winner import LoadedWinner, load_winner

TABLE = "table"
"""The source whose rows are one frame."""


class WinnerClassifier(PipelineClassifier):
    """The winner, refitted on all training customers; class 1 declines.

    It takes rows as the table had them that it learned from, or features by their canonical names
    (``Customers.features`` and derived ones). ``fit`` learns anew with the winner's settings.
    """

    def _table(self, X: Any, *, reset: bool) -> pd.DataFrame:
        saved: LoadedWinner | None = getattr(self, "saved_", None)
        if saved is None or reset or not isinstance(X, pd.DataFrame):
            return super()._table(X, reset=reset)
        names = list(self.feature_names_in_)
        if set(names) <= set(X.columns):
            return super()._table(X[names], reset=reset)
        return _read_rows(X, saved)


def load_classifier(verdict: Path) -> WinnerClassifier:
    """Return the winner of a ``verdict.json``.

    Raises
    ------
    RetainError
        There is no model, or a file is not the one that was written.
    """
    saved = load_winner(verdict)
    run = parse(Run, dict(saved.winner.config), "the winner's config")
    spec = build_training_spec(run).pipeline
    found = WinnerClassifier(
        spec.model,
        sampler=spec.sampler,
        scaling=spec.scaling,
        calibration=run.calibration.name,
        seed=run.seed,
    )
    found.pipeline_ = load_model(saved.folder / saved.model_file.file, saved.model_file.sha256)
    found.classes_ = np.arange(N_CLASSES)
    found.feature_names_in_ = np.array(list(saved.reference.kinds), dtype=object)
    found.n_features_in_ = len(found.feature_names_in_)
    found.saved_ = saved
    return found


def _read_rows(rows: pd.DataFrame, saved: LoadedWinner) -> pd.DataFrame:
    """Return the features of rows, read as the training table was.

    Raises
    ------
    RetainError
        The winner learned from several files or a log, or a row cannot be read.
    """
    data = dict(saved.winner.config["data"])
    if data["name"] != TABLE:
        raise RetainError(
            f"the winner learned from data={data['name']}, whose customers are no single table; "
            "expected a frame with the features of its customers, or retain.score(verdict, …)."
        )
    with TemporaryDirectory(prefix="retain-rows-") as folder:
        node = {**data, "path": str(write_frame(rows, folder)), "target": None, "positive": None}
        with capture_log():
            _, table = read_features(node, saved)
    if len(table) != len(rows):
        raise RetainError(
            f"{len(rows) - len(table)} of {len(rows)} rows cannot be read like the training table; "
            "retain.score(verdict, rows) says which and scores the others."
        )
    return table.set_axis(rows.index)
