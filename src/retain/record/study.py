"""Paths of the files of a study; no other module joins these names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from retain.errors import RetainError
from retain.record.directory import (
    CampaignDirectory,
    RunDirectory,
    ScoreDirectory,
)
from retain.record.document import Record
from retain.record.reading import Reader
from retain.record.simulation_directory import SimulationDirectory
from retain.record.trial_directory import TrialDirectory
from retain.storage.locks import wait_for_lock
from retain.storage.transaction import COMMIT, Staging, recover, transaction
from retain.storage.writing import check_writable


@dataclass(frozen=True)
class BrokenRun:
    """A run with invalid files, and the reason."""

    directory: RunDirectory
    reason: str


@dataclass(frozen=True)
class StudyDirectory:
    """All runs of a study, and its verdict."""

    path: Path

    @classmethod
    def around(cls, folder: Path) -> StudyDirectory | None:
        """Return the study whose campaign or scores a folder is; None if it was copied out."""
        folder = folder.absolute()
        study = cls(folder.parents[1])
        own = (study.campaign(folder.name).path, study.score(folder.name).path)
        return study if folder in own else None

    @classmethod
    def to_lock(cls, folder: Path, files: Path) -> tuple[StudyDirectory, str]:
        """Return the study to lock while files of a campaign or scores change, and their path.

        A folder that was copied out of its study is locked itself.
        """
        study = cls.around(folder) or cls(folder.absolute())
        return study, files.absolute().relative_to(study.path).as_posix()

    @property
    def status(self) -> Path:
        """The progress of the sweep, for others to watch."""
        return self.path / "status.json"

    @property
    def dropped_rows(self) -> Path:
        """Rows of the data's files that are no customers, with their lines and the reasons."""
        return self.path / "dropped_rows.csv"

    @property
    def verdict(self) -> Path:
        """The folder of the comparison's files."""
        return self.path / "verdict"

    @property
    def verdict_json(self) -> Path:
        """The verdict for programs."""
        return self.verdict / "verdict.json"

    @property
    def report(self) -> Path:
        """The verdict for people, one self-contained page."""
        return self.verdict / "report.html"

    @property
    def pictures(self) -> Path:
        """The page's charts, each as SVG and PNG."""
        return self.verdict / "pictures"

    @property
    def leaderboard(self) -> Path:
        """Every finished run, best first."""
        return self.verdict / "leaderboard.csv"

    @property
    def segments(self) -> Path:
        """Profile of each segment."""
        return self.verdict / "segments.csv"

    @property
    def customers(self) -> Path:
        """Every scored customer with risk and segment."""
        return self.verdict / "customers.csv"

    @property
    def workbook(self) -> Path:
        """Customers and segments as sheets."""
        return self.verdict / "verdict.xlsx"

    @property
    def drivers(self) -> Path:
        """The strongest drivers of each customer, in numbers and words."""
        return self.verdict / "drivers.csv"

    @property
    def features(self) -> Path:
        """Associations and importance of each feature."""
        return self.verdict / "features.csv"

    @property
    def groups(self) -> Path:
        """The loss in ROC-AUC without each feature group."""
        return self.verdict / "groups.csv"

    @property
    def model(self) -> Path:
        """The winner, refitted on all training customers."""
        return self.verdict / "model.skops"

    @property
    def reference(self) -> Path:
        """Shares of the training customers, for drift."""
        return self.verdict / "reference.json"

    @property
    def ledger(self) -> Path:
        """Every access to the study's sealed test."""
        return self.path / "ledger.jsonl"

    @property
    def ledgers_beside(self) -> tuple[Path, ...]:
        """Ledgers of studies in the same folder, which may share the sealed test."""
        folder, name = self.path.resolve().parent, self.ledger.name
        paths = [*folder.glob(f"*/{name}"), *folder.glob(f"*/{self.verdict.name}/{name}")]
        return tuple(sorted(path for path in paths if path != self.ledger.resolve()))

    @property
    def campaigns(self) -> Path:
        """The campaigns of the study, one folder each."""
        return self.path / "campaigns"

    def campaign(self, id_: str) -> CampaignDirectory:
        """Return the directory of a campaign."""
        return CampaignDirectory(self.campaigns / id_)

    @property
    def campaign_ids(self) -> tuple[str, ...]:
        """Ids of the campaigns, sorted."""
        if not self.campaigns.is_dir():
            return ()
        folders = (CampaignDirectory(path) for path in sorted(self.campaigns.iterdir()))
        return tuple(one.path.name for one in folders if one.campaign_json.is_file())

    @property
    def trial(self) -> TrialDirectory:
        """The readout of a randomised campaign in a table."""
        return TrialDirectory(self.path / "trial")

    def simulation(self, campaign_id: str) -> SimulationDirectory:
        """Return the directory of a campaign's invented outcomes."""
        return SimulationDirectory(self.path / "simulated" / campaign_id)

    def score(self, name: str) -> ScoreDirectory:
        """Return the directory of a scoring."""
        return ScoreDirectory(self.path / "scores" / name)

    @property
    def results(self) -> tuple[Path, ...]:
        """The documents that point to campaigns, if they exist: the verdict and all scorings."""
        scorings = sorted(self.score("any").path.parent.glob("*"))
        return (self.verdict_json, *(ScoreDirectory(path).score_json for path in scorings))

    @property
    def lock(self) -> Path:
        """The lock of the command that reads or writes the verdict, a campaign or scores."""
        return self.path / ".lock"

    @contextmanager
    def alone(self, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Lock the study, and finish or roll back the transaction of a killed command.

        Raises
        ------
        OSError
            If the study cannot be written.
        RetainError
            If a part of it is a link.
        """
        self._check_links()
        self.path.mkdir(parents=True, exist_ok=True)
        with wait_for_lock(self.lock, on_wait):
            recover(self.path)
            self._move_old_ledger()
            yield

    @contextmanager
    def rewriting(self, on_wait: Callable[[], None], elsewhere: str) -> Iterator[Staging]:
        """Lock the study, and put the new folders of the block in their places together.

        ``elsewhere`` is what to type to write into another folder.

        Raises
        ------
        RetainError
            The study cannot be written, or a part of it is a link.
        """
        try:
            with self.alone(on_wait), transaction(self.path) as staging:
                yield staging
        except OSError as error:
            raise RetainError.unwritable(self.path, error, elsewhere) from None

    @contextmanager
    def reading(self, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Lock the study while its verdict is read, unless it is not writable.

        Raises
        ------
        RetainError
            If a part of it is a link.
        """
        with ExitStack() as stack:
            with suppress(OSError):
                stack.enter_context(self.alone(on_wait))
            yield

    def _move_old_ledger(self) -> None:
        """Move an earlier version's ledger out of the verdict's folder, which is replaced whole.

        Raise if that folder still holds a campaign.
        """
        ledger = self.verdict / self.ledger.name
        if ledger.is_file() and not self.ledger.exists():
            ledger.rename(self.ledger)
        campaign = CampaignDirectory(self.verdict)
        if campaign.assignment.exists():
            raise RetainError(
                f"{campaign.assignment} is a campaign of an earlier version, which a new verdict "
                f"would take along. Keep the folder: mv {self.verdict} {self.verdict}-before"
            )

    def _check_links(self) -> None:
        """Raise if a file or folder to write is a link."""
        named = (self.score("any").path.parent, self.simulation("any").path.parent)
        folders = (self.verdict, self.campaigns, *named, self.trial.path, self.path / COMMIT)
        written = (*folders, self.ledger, self.lock)
        links = [path for path in written if path.is_symlink()]
        if links:
            raise RetainError(
                f"{links[0]} is a link, which may lead anywhere; expected a folder or file of the "
                "study itself. Remove the link, or copy what it leads to in its place."
            )

    @property
    def jobs(self) -> Path:
        """Inputs and logs of cluster jobs; removed by their launch unless a job died."""
        return self.path / "jobs"

    def check_writable(self) -> None:
        """Raise if the study cannot be written.

        Raises
        ------
        OSError
            When the folder cannot be made or written.
        """
        check_writable(self.path)

    def run(self, slug: str, id_: str) -> RunDirectory:
        """Return the directory of a run by its name and its id."""
        return RunDirectory(self.path / f"{slug}-{id_}")

    def read(self) -> Iterator[tuple[RunDirectory, Record | BrokenRun | None]]:
        """Yield every run with its record, None if it was interrupted."""
        reader = Reader()
        for run in self.runs():
            yield run, self._read(run, reader)

    def _read(self, run: RunDirectory, reader: Reader) -> Record | BrokenRun | None:
        try:
            return reader.read(run.record, within=self.path)
        except RetainError as error:
            return BrokenRun(run, str(error))

    def runs(self) -> Iterator[RunDirectory]:
        """Yield the directories of runs, sorted by name."""
        if not self.path.is_dir():
            return
        for path in sorted(self.path.iterdir()):
            run = RunDirectory(path)
            if os.path.lexists(run.record) or run.hydra.is_dir():
                yield run
