"""Paths of the files of a trial; no other module joins these names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrialDirectory:
    """The files of the readout of a randomised campaign as a trial, replaced as a whole."""

    path: Path

    @property
    def trial_json(self) -> Path:
        """The checks and all results."""
        return self.path / "trial.json"

    @property
    def report(self) -> Path:
        """The results for people, one self-contained page."""
        return self.path / "report.html"

    @property
    def table(self) -> Path:
        """The customers: ids, arms, outcomes and covariates."""
        return self.path / "trial.parquet"

    @property
    def effects(self) -> Path:
        """The effects, as a table."""
        return self.path / "effects.csv"

    @property
    def subgroups(self) -> Path:
        """The effects by subgroup, as a table."""
        return self.path / "subgroups.csv"

    @property
    def effects_json(self) -> Path:
        """Effects that were learned, and plans judged by them."""
        return self.path / "effects.json"

    @property
    def policies(self) -> Path:
        """The value of each plan."""
        return self.path / "policies.csv"

    @property
    def value_by_share(self) -> Path:
        """The value of each order of customers, by the share contacted."""
        return self.path / "value_by_share.csv"

    @property
    def calibration(self) -> Path:
        """Effects by what they were predicted to be."""
        return self.path / "calibration.csv"

    @property
    def next_campaign(self) -> Path:
        """The customers of the next campaign, and the arm that each gets."""
        return self.path / "next_campaign.csv"

    @property
    def next_left_out(self) -> Path:
        """The customers of that file whose cells cannot be read, with the reasons."""
        return self.path / "next_left_out.csv"

    @property
    def balance(self) -> Path:
        """The covariates by arm, as a table."""
        return self.path / "balance.csv"

    @property
    def dropped_rows(self) -> Path:
        """Rows of the files that are no customers, with their lines and the reasons."""
        return self.path / "dropped_rows.csv"
