"""The winner's customers, where they are at hand: the very same, or none."""

from __future__ import annotations

from pathlib import Path

from retain.app.prepared import Prepared, prepare
from retain.app.recorded_data import merge_recorded
from retain.errors import RetainError
from retain.record import DataFacts, Record
from retain.schema import Compare, Run, parse

CLOSED = (
    "The sealed test stays closed, so there are no model, no segments and no campaign. Compare "
    "again when no run is running, or type sealed_test=open."
)


def at_hand(config: Compare, winner: Record) -> tuple[Prepared | None, str | None]:
    """The winner's customers, or a sentence that asks for them.

    Data that are given must be the very same; data that are only recorded may have moved.
    """
    if config.sealed_test == "closed":
        return None, CLOSED
    given = config.data is not None
    try:
        data = config.data or merge_recorded(winner.config["data"], {}, _tables(config))
        prepared = prepare(parse(Run, {**winner.config, "data": data}))
        _refuse_other(prepared, winner)
    except RetainError as error:
        if given:
            raise
        ask = f"The sealed test and the segments need the {_told(winner.data)}: "
        return None, f"{error}\n{ask}{_where(winner)}"
    return prepared, None


def with_moved(config: Compare, winner: Record) -> Compare:
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


def _refuse_other(prepared: Prepared, winner: Record) -> None:
    """Refuse customers or splits that are not those the winner learnt from."""
    if prepared.data.fingerprint != winner.data.fingerprint:
        raise RetainError(
            f"these runs learnt from {_told(winner.data)}; found {_told(prepared.data)}."
        )
    if prepared.split.fingerprint != winner.split.fingerprint:
        raise RetainError("the splits of these runs cannot be made again with this version.")


def _told(data: DataFacts) -> str:
    return f"customers with fingerprint {data.fingerprint[:12]} ({data.rows} rows)"
