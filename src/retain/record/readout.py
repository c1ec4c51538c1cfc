"""Where the files of a read-out lie.

May import: nothing of the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ReadoutDirectory:
    """The files of a read-out. Nobody else joins these names."""

    path: Path

    @property
    def readout(self) -> Path:
        """Everything found; written last."""
        return self.path / "readout.json"

    @property
    def effects(self) -> Path:
        """The effects, as a table."""
        return self.path / "effects.csv"

    def offers(self, name: str) -> Path:
        """A catalogue, as an option of the config group ``offers``."""
        return self.path / "offers" / f"{name}.yaml"
