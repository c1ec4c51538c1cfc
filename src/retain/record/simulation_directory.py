"""Paths of the files of a campaign's simulation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SimulationDirectory:
    """The invented outcomes of a campaign and the truth behind them, replaced as a whole."""

    path: Path

    @property
    def outcomes(self) -> Path:
        """The outcomes, as ``retain-readout`` reads them."""
        return self.path / "outcomes.csv"

    @property
    def truth(self) -> Path:
        """The acts of customers, and the true worth of the plan."""
        return self.path / "truth.json"

    @property
    def customers(self) -> Path:
        """The true risk and net value of each customer."""
        return self.path / "true_customers.csv"
