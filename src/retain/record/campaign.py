"""Paths of the files of a campaign and of its readout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CampaignDirectory:
    """The files of one campaign; its name is its id, and nothing in it but the readout changes."""

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
        """The offers as texts, a row a customer."""
        return self.path / "offers.csv"

    @property
    def tables(self) -> tuple[Path, ...]:
        """The files whose hashes ``campaign.json`` holds."""
        return (self.assignment, self.offers)

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
        """Everything the outcomes say of the campaign."""
        return self.path / "readout.json"

    @property
    def effects(self) -> Path:
        """The effects, as a table."""
        return self.path / "effects.csv"

    def offers(self, name: str) -> Path:
        """Return the path of a catalogue, as an option of the config group ``offers``."""
        return self.path / "offers" / f"{name}.yaml"
