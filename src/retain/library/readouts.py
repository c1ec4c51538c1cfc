"""Readouts and learned effects that lie on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from retain.campaign.trial.saved_trial import read_trial_document
from retain.library.saved import SavedResult, read_rows
from retain.record.directory import ReadoutDirectory
from retain.record.documents import read_document
from retain.record.effects_document import EffectsDocument
from retain.record.readout_document import ReadoutDocument
from retain.record.trial_directory import TrialDirectory
from retain.record.trial_document import TrialDocument
from retain.wording import describe_count


@dataclass(frozen=True, repr=False)
class SavedReadout(SavedResult):
    """The readout of a campaign, or of any randomised trial."""

    def __post_init__(self) -> None:
        """Read what lies there now: another readout of the campaign takes its place."""
        _ = self.document, self._rows

    @cached_property
    def _rows(self) -> pd.DataFrame:
        return read_rows(self.path / "effects.csv")

    @cached_property
    def document(self) -> ReadoutDocument | TrialDocument:
        """The content of ``readout.json`` or ``trial.json``."""
        if self.is_trial:
            return read_trial_document(TrialDirectory(self.path))
        return read_document(ReadoutDocument, ReadoutDirectory(self.path).readout)[1]

    @property
    def is_trial(self) -> bool:
        """True of a readout of a table, which no plan of retain is behind."""
        return TrialDirectory(self.path).trial_json.is_file()

    @property
    def effects(self) -> SavedEffects | None:
        """The effects that were learned; None if none were."""
        trial = TrialDirectory(self.path) if self.is_trial else ReadoutDirectory(self.path).trial
        return SavedEffects(trial.path, self.overrides) if trial.effects_json.is_file() else None

    def to_frame(self) -> pd.DataFrame:
        """Return the effects, each with its interval."""
        return self._rows.copy()

    def _title(self) -> str:
        document = self.document
        name = (
            f"campaign {document.campaign_id}"
            if isinstance(document, ReadoutDocument)
            else (document.name)
        )
        return f"readout of {name}"

    def _facts(self) -> Mapping[str, object]:
        effects = self.to_frame()
        return {"effects": describe_count(len(effects), "row"), "files": self.path}


@dataclass(frozen=True, repr=False)
class SavedEffects(SavedResult):
    """Effects learned from a trial, and plans judged by them."""

    @cached_property
    def document(self) -> EffectsDocument:
        """The content of ``effects.json``."""
        return read_document(EffectsDocument, TrialDirectory(self.path).effects_json)[1]

    def to_frame(self) -> pd.DataFrame:
        """Return the value of each plan, with its interval."""
        return read_rows(TrialDirectory(self.path).policies)

    def _title(self) -> str:
        document = self.document
        return f"effects on {document.outcome} by {document.learner}"

    def _facts(self) -> Mapping[str, object]:
        chosen = self.document.chosen
        return {"customers": self.document.n_customers, "plan": chosen, "files": self.path}
