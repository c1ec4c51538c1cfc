"""The training customers of a winner, read again and checked to be the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from retain.errors import RetainError
from retain.execution.dataset import Dataset, prepare_dataset
from retain.execution.shared_memory import SharedValue, share
from retain.learning.plugin_features import add_features
from retain.learning.scores import Scores
from retain.record.directory import RunDirectory
from retain.record.document import DataInfo, Record
from retain.schema.compare import Compare
from retain.schema.parsing import parse
from retain.schema.run import Run
from retain.workflows.recorded_data import merge_recorded
from retain.workflows.winner_evaluation import TrainingData

CLOSED_MESSAGE = (
    "The sealed test stays closed, so there are no model, no segments and no campaign. Compare "
    "again when no run is running, or type sealed_test=open."
)


def share_training_data(
    config: Compare, winner: tuple[RunDirectory, Record], scores: SharedValue, folder: Path
) -> TrainingData:
    """Read the winner's customers, and share them with its scores through a file in ``folder``.

    Raises
    ------
    RetainError
        If typed data are not the winner's, the scores are of other customers, or ``folder`` cannot
        be written.
    """
    run, record = winner
    dataset, missing = load_training_data(config, record)
    if dataset is not None:
        _check_same_targets(scores.load(), dataset, run)
    customers = None if dataset is None else share(dataset, folder / "customers")
    return TrainingData(scores, customers, missing)


def load_training_data(config: Compare, winner: Record) -> tuple[Dataset | None, str | None]:
    """Return the winner's dataset, or a message that asks for its customers.

    Typed data must be the winner's; recorded data may have moved.
    """
    if config.sealed_test == "closed":
        return None, CLOSED_MESSAGE
    is_typed = config.data is not None
    try:
        data = config.data or merge_recorded(winner.config["data"], {}, _cache_dir(config))
        run = parse(Run, {**winner.config, "data": data})
        dataset = prepare_dataset(run)
        _check_same_customers(dataset, winner)
        customers = add_features(dataset.customers, run.features.plugins)
    except RetainError as error:
        if is_typed:
            raise
        needed = f"The sealed test and the segments need the {_describe_customers(winner.data)}: "
        return None, f"{error}\n{needed}{_location_hint(winner)}"
    return replace(dataset, customers=customers), None


def relocate_data(config: Compare, winner: Record) -> Compare:
    """Return the config with the winner's data, changed by the keys typed without a data name.

    Raises
    ------
    RetainError
        If the recorded part of the source is more than local files.
    """
    recorded = winner.config.get("data")
    if config.data is None or "name" in config.data or not isinstance(recorded, dict):
        return config
    data = merge_recorded(recorded, config.data, _cache_dir(config))
    return config.model_copy(update={"data": data})


def _cache_dir(config: Compare) -> Path:
    """Return the folder of this command's cached tables, whatever a record says."""
    return Path(config.outputs) / "tables"


def _location_hint(winner: Record) -> str:
    """Return the override that names the new path of the data."""
    recorded = winner.config.get("data") or {}
    hints = [f"data.{key}=PATH" for key in ("path", "dir") if key in recorded]
    return hints[0] if hints else "data=NAME data.dir=PATH"


def _check_same_customers(dataset: Dataset, winner: Record) -> None:
    """Raise a ``RetainError`` if customers or splits are not those of the winner."""
    if dataset.data.fingerprint != winner.data.fingerprint:
        expected, found = _describe_customers(winner.data), _describe_customers(dataset.data)
        raise RetainError(f"these runs were trained on {expected}; found {found}.")
    if dataset.split.fingerprint != winner.split.fingerprint:
        raise RetainError("the splits of these runs cannot be made again with this version.")


def _describe_customers(data: DataInfo) -> str:
    return f"customers with fingerprint {data.fingerprint[:12]} ({data.n_rows} rows)"


def _check_same_targets(scores: Scores, dataset: Dataset, run: RunDirectory) -> None:
    """Raise a ``RetainError`` if customers or targets of the scores are not the winner's."""
    table, labels = scores.table, dataset.customers.y
    is_training = pd.Index(table["customer_id"]).isin(dataset.splits.ids)
    if is_training.all() and (labels.loc[table["customer_id"]].to_numpy() == table["target"]).all():
        return
    raise RetainError(
        f"{run.scores} is of other customers than its record's. Delete {run.path} and launch the "
        "line that made it again."
    )
