"""Finished records in an MLflow store: a local SQLite file, written from the records alone.

It is written when everything else is, so that what fails here costs a sentence and nothing more.
Nothing is sent anywhere: other stores than a file are refused, and MLflow's telemetry is off.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from retain.errors import RetainError
from retain.record import CANNOT_CHANGE_A_RESULT, Record, RunDirectory
from retain.schema import Tracking

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient


T = TypeVar("T")
Runs = Sequence[tuple[RunDirectory, Record]]
NEEDED = {"mlflow": "mlflow-skinny", "sqlalchemy": "sqlalchemy", "alembic": "alembic"}
"""Modules, and the packages that bring them."""
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",  # else it tells of every migration of a new store
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",  # no file stays open
}
"""What MLflow reads from the environment, as it is imported or opens a store."""
IN_RECORD_ALONE = ("data.tables", "data.derived")
"""Config nodes of a data contract: hundreds of leaves, which the data's fingerprint stands for."""
NAME = re.compile(r"[\w][\w.\- ]{0,249}")
"""Names that MLflow takes, slashes aside."""
PARAMS, METRICS = 100, 900
"""How many are logged at once; MLflow takes 100 parameters, and 1,000 things in all."""
PAGE = 1000
"""Runs looked up at once."""
LONGEST_PARAM, LONGEST_TAG = 6000, 8000
"""Characters of a value, at most."""
STATUS = {"done": "FINISHED", "failed": "FAILED", "not_applicable": "FINISHED"}
"""A combination without meaning has ended as it should; its tags tell the state and the reason."""


def check_tracking(tracking: Tracking) -> None:
    """Refuse what could not be tracked, before anything else is done.

    Raises
    ------
    RetainError
        When a package is missing, the store is no local file, or a key is set that nothing reads.
    """
    if tracking.name == "none":
        if unread := sorted(tracking.model_fields_set - {"name"}):
            raise RetainError(f"tracking.{unread[0]} is set, but nothing tracks: tracking=mlflow.")
        return
    for module, package in NEEDED.items():
        if importlib.util.find_spec(module) is None:
            raise RetainError(
                f"tracking=mlflow needs {package}, which is not installed; "
                "type: pip install 'retain[track]'"
            )
    _file(tracking, Path())


def track(runs: Runs, tracking: Tracking, outputs: Path) -> str:
    """Log the runs that are not logged yet; a sentence that says how many, or what went wrong.

    A run is known by study, id and the time it finished. One that was redone takes the place of
    the older, which goes to MLflow's bin: two runs of one config in a table would mix what a study
    keeps apart, and ``mlflow.tracking.MlflowClient().restore_run`` brings it back.

    Empty where ``tracking`` is ``none``.
    """
    if tracking.name == "none":
        return ""
    file = _file(tracking, outputs)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries about each other
            logged, there = _logged(runs, tracking, file)
    except Exception as error:  # noqa: BLE001 - whatever it is, the verdict stands
        why = " ".join(str(error).split())[:300]
        return (
            f"MLflow did not take all runs ({type(error).__name__}: {why}). The verdict stands; "
            "the same line again logs what is missing."
        )
    look = shlex.join(["mlflow", "ui", "--backend-store-uri", _uri(file, "sqlite")])
    return f"{logged} runs logged to {file}, {there} were there already; look: {look}"


def _file(tracking: Tracking, outputs: Path) -> Path:
    """The SQLite file of the store."""
    if tracking.store is None:
        return outputs / "mlflow.db"
    text = tracking.store
    if text.startswith("sqlite:///"):
        text = unquote(text.removeprefix("sqlite:///"))
    if not text or re.match(r"[A-Za-z][\w+.-]*:", text) or Path(text).is_dir():
        raise RetainError.at(
            "tracking.store",
            f"it is {tracking.store!r}",
            "expected a local file, as a path or sqlite:///PATH: nothing is sent anywhere",
        )
    return Path(text)


def _uri(file: Path, scheme: str) -> str:
    """A file's address as SQLAlchemy reads it, whatever characters are in it."""
    from sqlalchemy import URL

    return URL.create(scheme, database=str(file)).render_as_string()


@dataclass(frozen=True)
class _Shelf:
    """An experiment of MLflow's: its id, and its runs of ours by study and id.

    A run is kept with the time its record was finished.
    """

    id: str
    runs: dict[tuple[str, str], tuple[str, str]]


def _logged(runs: Runs, tracking: Tracking, file: Path) -> tuple[int, int]:
    """How many runs were logged, and how many were there before."""
    os.environ.update(SETTINGS)
    from mlflow.tracking import MlflowClient

    file.parent.mkdir(parents=True, exist_ok=True)
    # Where sqlite: alone stands, MLflow makes a folder of the address with its escapes unread.
    client = MlflowClient(tracking_uri=_uri(file.resolve(), "sqlite+pysqlite"))
    shelves: dict[str, _Shelf] = {}
    there = 0
    for directory, record in runs:
        name = tracking.experiment or record.study
        shelf = shelves.get(name) or shelves.setdefault(name, _shelf(client, name, file))
        run, finished = shelf.runs.get((record.study, record.id), (None, None))
        if finished == record.finished_at:
            there += 1
            continue
        if run is not None:
            client.delete_run(run)
        new = _log(client, shelf.id, directory, record, log_artifacts=tracking.log_artifacts)
        shelf.runs[record.study, record.id] = new, record.finished_at
    return len(runs) - there, there


def _shelf(client: MlflowClient, name: str, file: Path) -> _Shelf:
    """The experiment of a name, made where it is not there.

    A run of ours that is not ended was being logged when a process died, and goes to the bin.
    """
    found = client.get_experiment_by_name(name)
    if found is None:
        place = file.resolve().with_name(f"{file.stem}-artefacts")
        return _Shelf(client.create_experiment(name, artifact_location=place.as_uri()), {})
    runs = {}
    for run in _found(client, found.experiment_id):
        tags = run.data.tags
        if "retain.id" in tags and run.info.status == "RUNNING":
            client.delete_run(run.info.run_id)
        elif "retain.id" in tags:
            key = tags["retain.study"], tags["retain.id"]
            runs[key] = run.info.run_id, tags.get("retain.finished_at", "")
    return _Shelf(found.experiment_id, runs)


def _found(client: MlflowClient, training: str) -> Iterator[Any]:
    page = client.search_runs([training], max_results=PAGE)
    yield from page
    while page.token:
        page = client.search_runs([training], max_results=PAGE, page_token=page.token)
        yield from page


def _log(
    client: MlflowClient,
    training: str,
    directory: RunDirectory,
    record: Record,
    *,
    log_artifacts: bool,
) -> str:
    """Log a run, its end last; returns MLflow's name for it."""
    from mlflow.entities import Param

    name = directory.path.name
    started, finished = _milliseconds(record.started_at), _milliseconds(record.finished_at)
    made = client.create_run(training, start_time=started, tags=_tags(record), run_name=name)
    run: str = made.info.run_id
    messages = [Param(key, value) for key, value in params(record.config).items()]
    metrics = _parts(list(_metrics(record, finished)), METRICS)
    for some, more in zip_longest(_parts(messages, PARAMS), metrics, fillvalue=()):
        client.log_batch(run, params=some, metrics=more)
    for file in (directory.record, directory.log, directory.scores) if log_artifacts else ():
        if file.is_file():
            client.log_artifact(run, str(file))
    client.set_terminated(run, STATUS[record.state], finished)
    return run


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def params(config: Mapping[str, Any]) -> dict[str, str]:
    """The leaves of a config that can change a result, as text, by dotted name.

    Data contracts, and names that MLflow does not take, stay in ``record.json`` alone; a value of
    more than 6,000 characters is cut.

    >>> params({"model": {"name": "svc", "C": 1.0}, "data": {"tables": {}}, "threads": 2})
    {'model.name': 'svc', 'model.C': '1.0'}
    """
    kept = {key: node for key, node in config.items() if key not in CANNOT_CHANGE_A_RESULT}
    return {
        path: _cut(leaf if isinstance(leaf, str) else json.dumps(leaf, ensure_ascii=False))
        for path, leaf in _leaves(kept)
        if NAME.fullmatch(path)
    }


def _leaves(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        path = f"{prefix}{key}"
        if path in IN_RECORD_ALONE:
            continue
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}.")
        else:
            yield path, value


def _cut(text: str, longest: int = LONGEST_PARAM) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _metrics(record: Record, finished: int) -> Iterator[Metric]:
    """Mean, interval and, as steps, each fold of every metric; seconds and memory."""
    from mlflow.entities import Metric

    for name, metric in record.metrics.items():
        told = {name: metric.value, f"{name}_low": metric.low, f"{name}_high": metric.high}
        yield from (Metric(key, value, finished, 0) for key, value in told.items())
        for step, value in enumerate(metric.fold_values):
            yield Metric(f"{name}_by_fold", value, finished, step)
    for phase, took in record.seconds.items():
        yield Metric(f"seconds_{phase}", took, finished, 0)
    if record.peak_memory_mb is not None:
        yield Metric("peak_memory_mb", record.peak_memory_mb, finished, 0)


def _tags(record: Record) -> dict[str, str]:
    """What tells runs apart that have the same config, and why a run has no metrics."""
    commit = record.git.commit
    told = {
        "retain.id": record.id,
        "retain.study": record.study,
        "retain.state": record.state,
        "retain.stopped_early": "true" if record.stopped_early else None,
        "retain.reason": record.reason,
        "retain.finished_at": record.finished_at,
        "retain.overrides": " ".join(record.overrides),
        "retain.data": record.data.fingerprint,
        "retain.split": record.split.fingerprint,
        "retain.code_sha256": record.environment.code_sha256,
        "retain.git": commit and f"{commit}{' and changes' if record.git.dirty else ''}",
        "mlflow.source.git.commit": commit,
    }
    return {key: _cut(text, LONGEST_TAG) for key, text in told.items() if text}


def _milliseconds(time: str) -> int:
    """An ISO time as MLflow counts."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)
