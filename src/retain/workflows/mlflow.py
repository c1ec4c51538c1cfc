"""Logging of finished runs to an MLflow store in a local SQLite file.

It is done last, so an error here affects nothing else. Nothing is sent anywhere: only files are
valid stores, and MLflow's telemetry is off.
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
from retain.record.directory import RunDirectory
from retain.record.document import CANNOT_CHANGE_A_RESULT, Record
from retain.schema.compare import Tracking

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient


T = TypeVar("T")
Runs = Sequence[tuple[RunDirectory, Record]]
REQUIRED_PACKAGES = {"mlflow": "mlflow-skinny", "sqlalchemy": "sqlalchemy", "alembic": "alembic"}
"""Required modules and the packages that contain them."""
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",  # else it logs every migration of a new store
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",  # no file stays open
}
"""Environment variables that MLflow reads on import or when it opens a store."""
NOT_LOGGED = ("data.tables", "data.derived")
"""Config nodes of a data contract: hundreds of leaves, covered by the data's fingerprint."""
NAME = re.compile(r"[\w][\w.\- ]{0,249}")
"""Valid names in MLflow, without slashes."""
PARAMS_PER_BATCH, METRICS_PER_BATCH = 100, 900
"""MLflow takes at most 100 parameters, and 1,000 items in all, per batch."""
RUNS_PER_PAGE = 1000
MAX_PARAM_CHARS, MAX_TAG_CHARS = 6000, 8000
"""Longest values in MLflow."""
MLFLOW_STATUS = {"done": "FINISHED", "failed": "FAILED", "not_applicable": "FINISHED"}
"""Runs that are not applicable have finished; their tags hold state and reason."""


def check_tracking(tracking: Tracking) -> None:
    """Check the settings of tracking.

    Raises
    ------
    RetainError
        If a package is missing, the store is no local file, or a key is set that nothing reads.
    """
    if tracking.name == "none":
        if unread := sorted(tracking.model_fields_set - {"name"}):
            raise RetainError(f"tracking.{unread[0]} is set, but nothing tracks: tracking=mlflow.")
        return
    for module, package in REQUIRED_PACKAGES.items():
        if importlib.util.find_spec(module) is None:
            raise RetainError(
                f"tracking=mlflow needs {package}, which is not installed; "
                "type: pip install 'retain[track]'"
            )
    _store_path(tracking, Path())


def log_runs(runs: Runs, tracking: Tracking, outputs: Path) -> str:
    """Log runs that are not logged yet, and return a message; empty if ``tracking`` is ``none``.

    Runs are identified by study, id and finish time. A repeated run replaces the older one, which
    ``mlflow.tracking.MlflowClient().restore_run`` can restore.
    """
    if tracking.name == "none":
        return ""
    file = _store_path(tracking, outputs)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries about each other
            n_new, n_old = _log_new_runs(runs, tracking, file)
    except Exception as error:  # noqa: BLE001 - no error here affects the verdict
        reason = " ".join(str(error).split())[:300]
        return (
            f"MLflow did not take all runs ({type(error).__name__}: {reason}). The verdict stands; "
            "the same line again logs what is missing."
        )
    command = shlex.join(["mlflow", "ui", "--backend-store-uri", _to_uri(file, "sqlite")])
    return f"{n_new} runs logged to {file}, {n_old} were there already; look: {command}"


def _store_path(tracking: Tracking, outputs: Path) -> Path:
    """Return the SQLite file of the store."""
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


def _to_uri(file: Path, scheme: str) -> str:
    """Return the URL of a file for SQLAlchemy, with special characters escaped."""
    from sqlalchemy import URL

    return URL.create(scheme, database=str(file)).render_as_string()


@dataclass(frozen=True)
class _Experiment:
    """An MLflow experiment: its id, and MLflow id and finish time of runs by study and id."""

    id: str
    runs: dict[tuple[str, str], tuple[str, str]]


def _log_new_runs(runs: Runs, tracking: Tracking, file: Path) -> tuple[int, int]:
    """Log new runs, and return the numbers of runs logged now and before."""
    os.environ.update(SETTINGS)
    from mlflow.tracking import MlflowClient

    file.parent.mkdir(parents=True, exist_ok=True)
    # With "sqlite:" alone MLflow creates a folder named like the escaped URL.
    client = MlflowClient(tracking_uri=_to_uri(file.resolve(), "sqlite+pysqlite"))
    experiments: dict[str, _Experiment] = {}
    n_old = 0
    for directory, record in runs:
        name = tracking.experiment or record.study
        if name not in experiments:
            experiments[name] = _open_experiment(client, name, file)
        experiment = experiments[name]
        run, finished = experiment.runs.get((record.study, record.id), (None, None))
        if finished == record.finished_at:
            n_old += 1
            continue
        if run is not None:
            client.delete_run(run)
        new = _log_run(
            client, experiment.id, directory, record, log_artifacts=tracking.log_artifacts
        )
        experiment.runs[record.study, record.id] = new, record.finished_at
    return len(runs) - n_old, n_old


def _open_experiment(client: MlflowClient, name: str, file: Path) -> _Experiment:
    """Return the experiment with a name, created if needed.

    Runs of retain that have not ended were being logged when a process died; they are deleted.
    """
    found = client.get_experiment_by_name(name)
    if found is None:
        folder = file.resolve().with_name(f"{file.stem}-artefacts")
        return _Experiment(client.create_experiment(name, artifact_location=folder.as_uri()), {})
    runs = {}
    for run in _iter_runs(client, found.experiment_id):
        tags = run.data.tags
        if "retain.id" in tags and run.info.status == "RUNNING":
            client.delete_run(run.info.run_id)
        elif "retain.id" in tags:
            key = tags["retain.study"], tags["retain.id"]
            runs[key] = run.info.run_id, tags.get("retain.finished_at", "")
    return _Experiment(found.experiment_id, runs)


def _iter_runs(client: MlflowClient, experiment_id: str) -> Iterator[Any]:
    page = client.search_runs([experiment_id], max_results=RUNS_PER_PAGE)
    yield from page
    while page.token:
        page = client.search_runs([experiment_id], max_results=RUNS_PER_PAGE, page_token=page.token)
        yield from page


def _log_run(
    client: MlflowClient,
    experiment_id: str,
    directory: RunDirectory,
    record: Record,
    *,
    log_artifacts: bool,
) -> str:
    """Log a run, its end last, and return its MLflow id."""
    from mlflow.entities import Param

    name = directory.path.name
    started, finished = _to_milliseconds(record.started_at), _to_milliseconds(record.finished_at)
    created = client.create_run(
        experiment_id, start_time=started, tags=_make_tags(record), run_name=name
    )
    run: str = created.info.run_id
    messages = [Param(key, value) for key, value in flatten_params(record.config).items()]
    metrics = _iter_batches(list(_iter_metrics(record, finished)), METRICS_PER_BATCH)
    for some, more in zip_longest(_iter_batches(messages, PARAMS_PER_BATCH), metrics, fillvalue=()):
        client.log_batch(run, params=some, metrics=more)
    for file in (directory.record, directory.log, directory.scores) if log_artifacts else ():
        if file.is_file():
            client.log_artifact(run, str(file))
    client.set_terminated(run, MLFLOW_STATUS[record.state], finished)
    return run


def _iter_batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def flatten_params(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the leaves of a config that can change a result as text, by dotted name.

    Data contracts and names that MLflow rejects are left out; values of more than 6,000 characters
    are truncated.

    >>> flatten_params({"model": {"name": "svc", "C": 1.0}, "data": {"tables": {}}, "threads": 2})
    {'model.name': 'svc', 'model.C': '1.0'}
    """
    identity = {key: node for key, node in config.items() if key not in CANNOT_CHANGE_A_RESULT}
    return {
        path: _truncate(leaf if isinstance(leaf, str) else json.dumps(leaf, ensure_ascii=False))
        for path, leaf in _iter_leaves(identity)
        if NAME.fullmatch(path)
    }


def _iter_leaves(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        path = f"{prefix}{key}"
        if path in NOT_LOGGED:
            continue
        if isinstance(value, Mapping):
            yield from _iter_leaves(value, f"{path}.")
        else:
            yield path, value


def _truncate(text: str, longest: int = MAX_PARAM_CHARS) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _iter_metrics(record: Record, finished: int) -> Iterator[Metric]:
    """Yield mean, interval and folds (as steps) of every metric, seconds and memory."""
    from mlflow.entities import Metric

    for name, metric in record.metrics.items():
        values = {name: metric.value, f"{name}_low": metric.low, f"{name}_high": metric.high}
        yield from (Metric(key, value, finished, 0) for key, value in values.items())
        for step, value in enumerate(metric.fold_values):
            yield Metric(f"{name}_by_fold", value, finished, step)
    for phase, seconds in record.seconds.items():
        yield Metric(f"seconds_{phase}", seconds, finished, 0)
    if record.peak_memory_mb is not None:
        yield Metric("peak_memory_mb", record.peak_memory_mb, finished, 0)


def _make_tags(record: Record) -> dict[str, str]:
    """Return tags that identify a run and its code, data and state."""
    commit = record.git.commit
    tags = {
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
    return {key: _truncate(text, MAX_TAG_CHARS) for key, text in tags.items() if text}


def _to_milliseconds(time: str) -> int:
    """Return an ISO time as MLflow's milliseconds."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)
