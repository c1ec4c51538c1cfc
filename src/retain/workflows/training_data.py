"""The winner's customers, where they are at hand: the very same, or none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from retain.errors import RetainError
from retain.execution.dataset import Dataset, prepare_dataset
from retain.execution.shared_memory import SharedValue, share
from retain.learning.scores import Scores
from retain.record import DataInfo, Record, RunDirectory
from retain.schema import Compare, Run, parse
from retain.workflows.recorded_data import merge_recorded
from retain.workflows.test_set import TrainingData

CLOSED = (
    "The sealed test stays closed, so there are no model, no segments and no campaign. Compare "
    "again when no run is running, or type sealed_test=open."
)


def share_training_data(
    config: Compare, winner: tuple[RunDirectory, Record], scores: SharedValue, folder: Path
) -> TrainingData:
    """Read the winner's customers and share them, beside its scores, through a file in ``folder``.

    Raises
    ------
    RetainError
        When data that are given are not the winner's, the scores are of other customers, or
        ``folder`` cannot be written.
    """
    run, record = winner
    prepared, missing = load_training_data(config, record)
    if prepared is not None:
        _refuse_foreign(scores.load(), prepared, run)
    customers = None if prepared is None else share(prepared, folder / "customers")
    return TrainingData(scores, customers, missing)


def load_training_data(config: Compare, winner: Record) -> tuple[Dataset | None, str | None]:
    """The winner's customers, or a sentence that asks for them.

    Data that are given must be the very same; data that are only recorded may have moved.
    """
    if config.sealed_test == "closed":
        return None, CLOSED
    given = config.data is not None
    try:
        data = config.data or merge_recorded(winner.config["data"], {}, _tables(config))
        prepared = prepare_dataset(parse(Run, {**winner.config, "data": data}))
        _refuse_other(prepared, winner)
    except RetainError as error:
        if given:
            raise
        ask = f"The sealed test and the segments need the {_told(winner.data)}: "
        return None, f"{error}\n{ask}{_where(winner)}"
    return prepared, None


def relocate_data(config: Compare, winner: Record) -> Compare:
    """The settings, where what is typed about the data without their name changes the winner's.

    Raises
    ------
    RetainError
        If what is only recorded would have more than files read.
    """
    trained = winner.config.get("data")
    if config.data is None or "name" in config.data or not isinstance(trained, dict):
        return config
    data = merge_recorded(trained, config.data, _tables(config))
    return config.model_copy(update={"data": data})


def _tables(config: Compare) -> Path:
    """Where this command keeps the tables of logs, whatever a record says."""
    return Path(config.outputs) / "tables"


def _where(winner: Record) -> str:
    """What to type about where the data lie now, by the keys of their source."""
    trained = winner.config.get("data") or {}
    places = [f"data.{key}=PATH" for key in ("path", "dir") if key in trained]
    return places[0] if places else "data=NAME data.dir=PATH"


def _refuse_other(prepared: Dataset, winner: Record) -> None:
    """Refuse customers or splits that are not those the winner learnt from."""
    if prepared.data.fingerprint != winner.data.fingerprint:
        raise RetainError(
            f"these runs learnt from {_told(winner.data)}; found {_told(prepared.data)}."
        )
    if prepared.split.fingerprint != winner.split.fingerprint:
        raise RetainError("the splits of these runs cannot be made again with this version.")


def _told(data: DataInfo) -> str:
    return f"customers with fingerprint {data.fingerprint[:12]} ({data.n_rows} rows)"


def _refuse_foreign(scores: Scores, prepared: Dataset, run: RunDirectory) -> None:
    """Refuse scores of others than the winner's customers, or of customers who did otherwise."""
    table, labels = scores.table, prepared.customers.y
    known = pd.Index(table["customer_id"]).isin(prepared.splits.ids)
    if known.all() and (labels.loc[table["customer_id"]].to_numpy() == table["target"]).all():
        return
    raise RetainError(
        f"{run.scores} is of other customers than its record's. Delete {run.path} and launch the "
        "line that made it again."
    )
