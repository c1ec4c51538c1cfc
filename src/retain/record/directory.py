"""Paths of the files of a run; no other module joins these names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from retain.record.facts import Record
from retain.record.reading import Reader
from retain.storage.locks import is_locked, try_lock
from retain.storage.writing import TMP_PREFIX, write_text


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
    def folds(self) -> Path:
        """Scores of the folds done so far, kept between the rungs of a race."""
        return self.path / "folds.parquet"

    @property
    def log(self) -> Path:
        """Everything logged."""
        return self.path / "run.log"

    @property
    def hydra(self) -> Path:
        """The composed config, as Hydra writes it."""
        return self.path / ".hydra"

    @property
    def lock(self) -> Path:
        """Held by the process that does the run; an empty file otherwise."""
        return self.path / ".lock"

    @contextmanager
    def hold_lock(self) -> Iterator[bool]:
        """Yield True while this process holds the run's lock, False where another does.

        The system lets go of a claim when its process ends, however it ends.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with try_lock(self.lock) as mine:
            yield mine

    @property
    def busy(self) -> bool:
        """True if some process is doing the run now."""
        return is_locked(self.lock)

    def finish(self, record: Record) -> None:
        """Write the final state: after this the run has ended, and needs no more to go on with."""
        write_text(self.record, record.model_dump_json(by_alias=True, indent=1) + "\n")
        self.folds.unlink(missing_ok=True)

    def read(self) -> Record | None:
        """Return the record, or None when the run was interrupted.

        Raises
        ------
        RetainError
            When the file is no record this version can read.
        """
        return Reader().read(self.record, within=self.path)

    def reopen(self, *, keep_folds: bool = False) -> None:
        """Forget the final state, so that the run counts as not done until it is.

        Its scores go too, what a killed process left half-written, and links and pipes that
        somebody put in the place of files to be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self.record.unlink(missing_ok=True)
        self._remove_odd_files()
        self.hydra.mkdir(exist_ok=True)
        if not keep_folds:
            self.folds.unlink(missing_ok=True)
        for path in (self.scores, *self.path.glob(f"{TMP_PREFIX}*")):
            path.unlink(missing_ok=True)

    def _remove_odd_files(self) -> None:
        """Remove what is neither a file nor a folder of the run itself."""
        inside = self.hydra.iterdir() if self.hydra.is_dir() and not self.hydra.is_symlink() else ()
        for path in (*self.path.iterdir(), *inside):
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                path.unlink()


@dataclass(frozen=True)
class ScoreDirectory:
    """The files of one scoring, replaced as a whole."""

    path: Path

    @property
    def customers(self) -> Path:
        """Every scored customer with score, risk and segment."""
        return self.path / "scores.csv"

    @property
    def segments(self) -> Path:
        """Profile of each segment."""
        return self.path / "segments.csv"

    @property
    def not_scored(self) -> Path:
        """Every other customer, with the reason."""
        return self.path / "not_scored.csv"

    @property
    def drift(self) -> Path:
        """The shift of each feature and of the score since training."""
        return self.path / "drift.csv"

    @property
    def score_json(self) -> Path:
        """All of it in short, for programs; its ``campaign`` is the id of the campaign."""
        return self.path / "score.json"
