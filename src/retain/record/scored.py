"""Where the files about new customers lie, and which folder may be replaced by them.

May import: errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retain.errors import RetainError


@dataclass(frozen=True)
class ScoreDirectory:
    """The files of one scoring. Nobody else joins these names."""

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
    def offers(self) -> Path:
        """Who is offered what, in words."""
        return self.path / "offers.csv"

    @property
    def campaign(self) -> Path:
        """Who is contacted and who is held out."""
        return self.path / "campaign.csv"

    @property
    def campaign_json(self) -> Path:
        """The campaign in numbers."""
        return self.path / "campaign.json"

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
        """All of it in short, for programs."""
        return self.path / "score.json"

    def check_replaceable(self) -> None:
        """Refuse a folder that holds something else than an earlier scoring."""
        if not self.path.exists() or self.score_json.is_file():
            return
        if not self.path.is_dir() or any(self.path.iterdir()):
            raise RetainError(
                f"outputs={self.path} is no folder of an earlier scoring and not empty, and it "
                "would be replaced; expected another folder."
            )
