"""Where the files about new customers lie.

May import: nothing of the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
        """How far each feature and the score have moved since training."""
        return self.path / "drift.csv"

    @property
    def score_json(self) -> Path:
        """All of it in short, for programs; its ``campaign`` is the id of the campaign."""
        return self.path / "score.json"
