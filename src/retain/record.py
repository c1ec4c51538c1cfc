"""The run directory: what a run leaves behind, and all that later rooms know of it.

May import: errors, schema.

    outputs/<study>/                    StudyDirectory
      <slug>-<id>/                      RunDirectory
        record.json                     Record, written last and atomically; see its fields
        scores.parquet                  customer_id, repeat, fold, target, probability
        run.log                         everything logged, the traceback of a failure included
        .hydra/                         config.yaml, hydra.yaml, overrides.yaml as Hydra writes them
      verdict/                          written by retain-compare
        verdict.json  leaderboard.csv  segments.csv  model.skops
        ledger.jsonl                    one line for every opening of the sealed test

States. A directory without ``record.json`` was interrupted and runs again. With it, ``state`` is
``done``; ``failed``, with ``reason`` and ``traceback``; or ``not_applicable``, with ``reason``:
this combination has no meaning, which is neither a failure nor a zero. Failed runs run again
when their line is launched again; the other two do not.

``record.json`` is plain JSON, so that it can be read without this package; ``schema`` counts up
when the meaning of a key changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from retain.errors import RetainError
from retain.schema import Config

SCHEMA = 1
State = Literal["done", "failed", "not_applicable"]
CANNOT_CHANGE_A_RESULT = ("study", "outputs", "threads", "launcher", "dry_run")
"""Top-level config keys that do not enter a run's identity."""


class FunnelStep(Config):
    """One cleaning step with its counts."""

    name: str
    before: int
    after: int
    reason: str


class DataFacts(Config):
    """Which customers a run learnt from: a fingerprint and counts, never the rows."""

    fingerprint: str
    rows: int
    positives: int
    funnel: tuple[FunnelStep, ...]


class SplitFacts(Config):
    """Who was in which fold, as a fingerprint, and the shape of it."""

    fingerprint: str
    folds: int
    repeats: int
    sealed: int
    test_to_train: float


class MetricFacts(Config):
    """A metric's mean over the folds, its 95 % interval and each fold's value."""

    mean: float
    low: float
    high: float
    higher_is_better: bool
    folds: tuple[float, ...]


class CheckFacts(Config):
    """One check of the audit."""

    code: str
    outcome: Literal["passed", "handled", "failed", "not_applicable"]
    sentence: str


class Environment(Config):
    """What made the numbers: ``code`` hashes the package's own sources."""

    python: str
    platform: str
    packages: dict[str, str]
    code: str


class Git(Config):
    """The commit the run was launched from; None outside a repository."""

    commit: str | None
    dirty: bool


class Record(Config):
    """What ``record.json`` holds. ``metrics`` is empty unless ``state`` is done."""

    schema_: int = Field(alias="schema")
    id: str
    study: str
    state: State
    reason: str | None
    traceback: str | None
    config: dict[str, Any]
    overrides: tuple[str, ...]
    seed: int
    data: DataFacts
    split: SplitFacts
    metrics: dict[str, MetricFacts]
    checks: tuple[CheckFacts, ...]
    seconds: dict[str, float]
    peak_memory_mb: float | None
    environment: Environment
    git: Git
    warnings: tuple[str, ...]
    started: str
    finished: str

    def outdated(self, data: DataFacts, split: SplitFacts, environment: Environment) -> str | None:
        """Why this record no longer speaks of what would run now, or None."""
        if self.data.fingerprint != data.fingerprint:
            return f"the data changed ({self.data.fingerprint[:8]} → {data.fingerprint[:8]})"
        if self.split.fingerprint != split.fingerprint:
            return "the splits changed"
        if self.environment.code != environment.code:
            return f"the code changed ({self.environment.code[:8]} → {environment.code[:8]})"
        was, now = self.environment.packages, environment.packages
        moved = [f"{n} {was.get(n, '-')} → {now[n]}" for n in now if was.get(n) != now[n]]
        return f"packages changed ({', '.join(moved)})" if moved else None


def identity(config: Mapping[str, Any]) -> str:
    """First 8 hex digits of a SHA-256 over what can change a result.

    >>> one, two = {"seed": 1, "threads": 1}, {"threads": 8, "seed": 1}
    >>> identity(one) == identity(two) != identity({"seed": 2})
    True
    """
    kept = {key: value for key, value in config.items() if key not in CANNOT_CHANGE_A_RESULT}
    text = json.dumps(kept, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class RunDirectory:
    """The files of one run. Nobody else joins these names."""

    path: Path

    @property
    def record(self) -> Path:
        """The final state; its presence means the run ended."""
        return self.path / "record.json"

    @property
    def scores(self) -> Path:
        """Out-of-fold scores."""
        return self.path / "scores.parquet"

    @property
    def log(self) -> Path:
        """Everything logged."""
        return self.path / "run.log"

    @property
    def hydra(self) -> Path:
        """The composed config, as Hydra writes it."""
        return self.path / ".hydra"

    def finish(self, record: Record) -> None:
        """Write the final state: after this the run has ended."""
        write_text(self.record, record.model_dump_json(by_alias=True, indent=1) + "\n")

    def read(self) -> Record | None:
        """The record, or None when the run was interrupted.

        Raises
        ------
        RetainError
            When the file is no record this version can read.
        """
        try:
            text = self.record.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise RetainError(f"{self.record} cannot be read: {error}.") from None
        return _parsed(text, self.record)

    def reopen(self) -> None:
        """Forget the final state, so that the run counts as not done until it is."""
        self.record.unlink(missing_ok=True)


def _parsed(text: str, path: Path) -> Record:
    try:
        tree = json.loads(text)
        found = tree.get("schema") if isinstance(tree, dict) else None
        if found != SCHEMA:
            raise RetainError(f"{path} has schema {found!r}; this version reads schema {SCHEMA}.")
        return Record.model_validate_json(text)
    except json.JSONDecodeError as error:
        raise RetainError(
            f"{path} is not JSON: {error}. Delete it and run the line again."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RetainError(f"{path} is no record of a run: {where}: {first['msg']}.") from None


@dataclass(frozen=True)
class StudyDirectory:
    """All runs of a study, and its verdict."""

    path: Path

    @property
    def verdict(self) -> Path:
        """Where the comparison writes."""
        return self.path / "verdict"

    @property
    def ledger(self) -> Path:
        """Every opening of the study's sealed test."""
        return self.verdict / "ledger.jsonl"

    def run(self, slug: str, id_: str) -> RunDirectory:
        """The directory of a run, by what people call it and what it is."""
        return RunDirectory(self.path / f"{slug}-{id_}")

    def runs(self) -> Iterator[RunDirectory]:
        """Directories that are or were to become runs, in order of name."""
        if not self.path.is_dir():
            return
        for path in sorted(self.path.iterdir()):
            run = RunDirectory(path)
            if run.record.is_file() or run.hydra.is_dir():
                yield run


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place on success and vanishes on failure.

    A reader, or a run that is killed, never meets half a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _umask() -> int:
    """The process's umask; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
