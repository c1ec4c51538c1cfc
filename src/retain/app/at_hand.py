"""The winner's customers, where they are at hand: the very same, or none."""

from __future__ import annotations

from pathlib import Path

from retain.app.carried import TrainingData
from retain.app.merged import merged
from retain.app.prepared import Prepared, prepare
from retain.app.shared_memory import share
from retain.app.studies import scores_of
from retain.errors import RetainError
from retain.record import DataFacts, Record, RunDirectory
from retain.schema import Compare, Run, parse


def share_training_data(
    config: Compare, run: RunDirectory, winner: Record, folder: Path
) -> TrainingData:
    """Read the winner's scores and customers and share them through files in ``folder``.

    Raises
    ------
    RetainError
        When the scores cannot be read, data that are given are not the winner's, or ``folder``
        cannot be written.
    """
    scores = share(scores_of(run), folder / "scores")
    prepared, missing = at_hand(config, winner)
    customers = None if prepared is None else share(prepared, folder / "customers")
    return TrainingData(scores, customers, missing)


def at_hand(config: Compare, winner: Record) -> tuple[Prepared | None, str | None]:
    """The winner's customers, or a sentence that asks for them.

    Data that are given must be the very same; data that are only recorded may have moved.
    """
    given = config.data is not None
    run = parse(Run, {**winner.config, **({"data": config.data} if given else {})})
    try:
        prepared = prepare(run)
        _refuse_other(prepared, winner)
    except RetainError as error:
        if given:
            raise
        ask = f"The sealed test and the segments need the {_told(winner.data)}: "
        return None, f"{error}\n{ask}{_where(winner)}"
    return prepared, None


def with_moved(config: Compare, winner: Record) -> Compare:
    """The settings, where what is typed about the data without their name changes the winner's."""
    trained = winner.config.get("data")
    if config.data is None or "name" in config.data or not isinstance(trained, dict):
        return config
    return config.model_copy(update={"data": merged(trained, config.data)})


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
