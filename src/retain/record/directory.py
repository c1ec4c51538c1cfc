"""Paths of the files of a run, a campaign and a scoring; no other module joins these names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from retain.record.document import Record
from retain.record.reading import Reader
from retain.record.trial_directory import TrialDirectory
from retain.storage.locks import is_locked, try_lock
from retain.storage.writing import TMP_PATTERN, write_text


@dataclass(frozen=True)
class RunDirectory:
    """The files of one run."""

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
        """The lock of the process that does the run, an empty file."""
        return self.path / ".lock"

    @contextmanager
    def hold_lock(self) -> Iterator[bool]:
        """Yield True while this process holds the run's lock, False if another does.

        The system releases a lock when its process ends.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with try_lock(self.lock) as mine:
            yield mine

    @property
    def busy(self) -> bool:
        """True if a process is doing the run now."""
        return is_locked(self.lock)

    def finish(self, record: Record) -> None:
        """Write the final state, and drop the scores kept between rungs."""
        write_text(self.record, record.model_dump_json(by_alias=True, indent=1) + "\n")
        self.folds.unlink(missing_ok=True)

    def read(self) -> Record | None:
        """Return the record, or None when the run was interrupted.

        Raises
        ------
        RetainError
            When this version cannot read the file.
        """
        return Reader().read(self.record, within=self.path)

    def reopen(self, *, keep_folds: bool = False) -> None:
        """Remove the final state, so that the run counts as not done.

        Scores, partial files of a killed process, and links and pipes in place of files are
        removed too.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self.record.unlink(missing_ok=True)
        self._remove_odd_files()
        self.hydra.mkdir(exist_ok=True)
        if not keep_folds:
            self.folds.unlink(missing_ok=True)
        for path in (self.scores, *self.path.glob(TMP_PATTERN)):
            path.unlink(missing_ok=True)

    def _remove_odd_files(self) -> None:
        """Remove what is neither a regular file nor a folder of the run."""
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
    def dropped_rows(self) -> Path:
        """Rows of the file that are no customers, with their lines and the reasons."""
        return self.path / "dropped_rows.csv"

    @property
    def drift(self) -> Path:
        """The shift of each feature and of the score since training."""
        return self.path / "drift.csv"

    @property
    def workbook(self) -> Path:
        """Customers and segments as sheets."""
        return self.path / "scores.xlsx"

    @property
    def score_json(self) -> Path:
        """The summary for programs; its ``campaign`` is the id of the campaign."""
        return self.path / "score.json"

    @property
    def readout(self) -> Path:
        """The scores held against what came, replaced as a whole."""
        return self.path / "readout" / "score_readout.json"


@dataclass(frozen=True)
class CampaignDirectory:
    """The files of one campaign, named by its id; only the readout changes."""

    path: Path

    @property
    def campaign_json(self) -> Path:
        """The plan in numbers, its settings, its catalogue and the hashes of the tables."""
        return self.path / "campaign.json"

    @property
    def assignment(self) -> Path:
        """The assignment of customers to offers and to the control group."""
        return self.path / "campaign.csv"

    @property
    def offers(self) -> Path:
        """The offers' texts, one row per customer."""
        return self.path / "offers.csv"

    @property
    def customers(self) -> Path:
        """Features of the chosen customers, from which effects are learned later."""
        return self.path / "customers.parquet"

    @property
    def contacts(self) -> Path:
        """Every contact with its day, channel and text."""
        return self.path / "contacts.csv"

    @property
    def approval(self) -> Path:
        """The plan by segment and offer."""
        return self.path / "approval.csv"

    @property
    def do_not_contact(self) -> Path:
        """The customers who must not be written to or called, with the reason."""
        return self.path / "do_not_contact.csv"

    @property
    def outcomes_template(self) -> Path:
        """The chosen customers, with empty columns for their outcomes."""
        return self.path / "outcomes_template.csv"

    @property
    def dictionary(self) -> Path:
        """The columns of the tables and their content."""
        return self.path / "columns.csv"

    @property
    def workbook(self) -> Path:
        """A sheet for each channel, and the other tables."""
        return self.path / "campaign.xlsx"

    @property
    def guide(self) -> Path:
        """The purpose of each file, and the command that reads the outcomes."""
        return self.path / "README.txt"

    @property
    def tables(self) -> tuple[Path, ...]:
        """The files whose hashes ``campaign.json`` holds."""
        return (
            self.assignment,
            self.offers,
            self.customers,
            self.contacts,
            self.approval,
            self.do_not_contact,
        )

    @property
    def readout(self) -> ReadoutDirectory:
        """The measured result; the only part that is written later."""
        return ReadoutDirectory(self.path / "readout")


@dataclass(frozen=True)
class ReadoutDirectory:
    """The files of a readout, replaced as a whole."""

    path: Path

    @property
    def readout(self) -> Path:
        """All results of the outcomes."""
        return self.path / "readout.json"

    @property
    def effects(self) -> Path:
        """The effects, as a table."""
        return self.path / "effects.csv"

    @property
    def trial(self) -> TrialDirectory:
        """The campaign as a trial, and the effects learned from it."""
        return TrialDirectory(self.path / "trial")

    def offers(self, name: str) -> Path:
        """Return the path of a catalogue, as an option of the config group ``offers``."""
        return self.path / "offers" / f"{name}.yaml"
