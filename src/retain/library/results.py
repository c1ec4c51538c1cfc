"""Results that lie on disk, read and checked as any file is."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from retain.campaign.assignment import read_campaign_json
from retain.campaign.trial.saved_trial import read_trial_document
from retain.errors import RetainError
from retain.library.display import Result
from retain.library.winner import WinnerClassifier, load_classifier
from retain.record.campaign_document import CampaignDocument
from retain.record.directory import CampaignDirectory, ReadoutDirectory, ScoreDirectory
from retain.record.document import Record
from retain.record.documents import read_document
from retain.record.effects_document import EffectsDocument
from retain.record.estimates import DisplayName
from retain.record.readout_document import ReadoutDocument
from retain.record.score_document import ScoreDocument
from retain.record.study import BrokenRun, StudyDirectory
from retain.record.trial_directory import TrialDirectory
from retain.record.verdict_document import VerdictDocument
from retain.storage.reading import MAX_TABLE_BYTES, read_bytes
from retain.verdict.export import parse_exported, read_exported
from retain.wording import describe_count, format_ci

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from retain.record.comparison_document import SealedMetric
    from retain.record.estimates import Estimate
    from retain.record.trial_document import TrialDocument

MANY = 100
"""An amount from which on decimals say nothing."""


@dataclass(frozen=True, repr=False)
class SavedResult(Result):
    """A folder that a command or function wrote.

    ``overrides`` are the words by which this process made it; none if it was only loaded.
    """

    path: Path
    overrides: tuple[str, ...] = ()

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Copy all files into a new folder, and return its path.

        Raises
        ------
        RetainError
            The folder exists, or cannot be written.
        """
        target = Path(folder)
        try:
            return Path(shutil.copytree(self.path, target, symlinks=True))
        except OSError as error:
            raise RetainError.unwritable(target, error, "save(FOLDER)") from None


def read_rows(path: Path, sha256: str | None = None) -> pd.DataFrame:
    """Return the rows of a CSV file that a command wrote, in either dialect.

    Raises
    ------
    RetainError
        The file is missing, or is not the one of the document beside it.
    """
    content = read_bytes(path, max_bytes=MAX_TABLE_BYTES, within=path.parent)
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise RetainError(f"{path} was changed since it was written; put back the file as it was.")
    cells = read_exported(content)
    return cells.apply(_parse_column)


def _parse_column(cells: pd.Series) -> pd.Series:
    """Return a column of numbers or yes and no if all its cells are such, else of texts."""
    numbers, texts = parse_exported(cells), cells.mask(cells == "")
    if texts.isin(["True", "False"]).all():
        return texts == "True"
    if texts.isna().all() or not numbers.notna().equals(texts.notna()):
        return texts
    return numbers.astype("int64") if (numbers % 1 == 0).all() else numbers


def _interval(found: Estimate | SealedMetric) -> str:
    spec = ",.0f" if abs(found.high) >= MANY else ".3f"
    return f"{found.value:{spec}} ({format_ci(found.low, found.high, spec)})"


@dataclass(frozen=True, repr=False)
class SavedStudy(SavedResult):
    """The runs of a study: what a sweep wrote, in a notebook or in a shell."""

    @cached_property
    def _read(self) -> tuple[tuple[Record, ...], tuple[BrokenRun, ...], int]:
        found = [state for _, state in StudyDirectory(self.path).read()]
        records = tuple(one for one in found if isinstance(one, Record))
        broken = tuple(one for one in found if isinstance(one, BrokenRun))
        return records, broken, len(found) - len(records) - len(broken)

    @property
    def records(self) -> tuple[Record, ...]:
        """The record of every run that ended."""
        return self._read[0]

    def to_frame(self) -> pd.DataFrame:
        """Return a row per run that ended, the best first: its choices, state and metrics."""
        rows = [
            {
                "id": record.id,
                "run": " ".join(record.overrides),
                "state": record.state,
                **{name: metric.value for name, metric in record.metrics.items()},
                "reason": record.reason,
            }
            for record in self.records
        ]
        frame = pd.DataFrame(rows, columns=None if rows else ["id", "run", "state", "reason"])
        by = [name for name in ("roc_auc",) if name in frame]
        return (
            frame.sort_values(by, ascending=False, kind="stable").set_index("id")
            if by
            else (frame.set_index("id"))
        )

    def _title(self) -> str:
        return f"study {self.path}, {describe_count(len(self.records), 'run')}"

    def _facts(self) -> Mapping[str, object]:
        states = pd.Series([record.state for record in self.records]).value_counts()
        _, broken, interrupted = self._read
        counts = {**states.to_dict(), "broken": len(broken), "interrupted": interrupted}
        return {str(name).replace("_", " "): count for name, count in counts.items() if count}


@dataclass(frozen=True, repr=False)
class SavedVerdict(SavedResult):
    """The comparison of a study: the winner, how sure, and what follows."""

    @cached_property
    def document(self) -> VerdictDocument:
        """The content of ``verdict.json``."""
        return read_document(VerdictDocument, self.path / "verdict.json")[1]

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.path / "report.html"

    def to_frame(self) -> pd.DataFrame:
        """Return the leaderboard, best first."""
        return self._table("leaderboard.csv")

    @property
    def segments(self) -> pd.DataFrame:
        """The profile of each segment."""
        return self._table("segments.csv")

    @property
    def customers(self) -> pd.DataFrame:
        """Every scored customer with risk and segment."""
        return self._table("customers.csv")

    def _table(self, name: str) -> pd.DataFrame:
        hashes = self.document.files or {}
        return read_rows(self.path / name, hashes.get(name))

    @property
    def campaign(self) -> SavedCampaign | None:
        """The campaign that was planned; None if there is none."""
        planned = self.document.campaign
        if not isinstance(planned, CampaignDocument) or planned.id is None:
            return None
        path = StudyDirectory(self.path.parent).campaign(planned.id).path
        return SavedCampaign(path, self.overrides)

    @cached_property
    def model(self) -> WinnerClassifier:
        """The winner, refitted on all training customers: a classifier of scikit-learn's kind."""
        return load_classifier(self.path / "verdict.json")

    def plot(self, name: str = "fishbone", language: str = "en") -> Figure:
        """Return a chart of the report's page.

        Raises
        ------
        RetainError
            No chart of this verdict has this name.
        """
        from retain.report.charts.canvas import chart_style
        from retain.report.render import charts

        with chart_style():
            drawn = charts(self.document, language)
        if name not in drawn:
            raise RetainError.unknown("chart", name, list(drawn))
        return drawn[name].figure

    def _title(self) -> str:
        return self.document.summary

    def _facts(self) -> Mapping[str, object]:
        campaign = self.document.campaign
        facts: dict[str, object] = {"runs": len(self.document.leaderboard)}
        if (sealed := self.document.sealed_test) is not None and "roc_auc" in sealed.metrics:
            facts["sealed test"] = f"ROC-AUC {_interval(sealed.metrics['roc_auc'])}"
        if isinstance(campaign, CampaignDocument):
            facts["campaign"] = campaign.id
        elif campaign is not None:
            facts["campaign"] = f"none: {campaign.reason}"
            facts |= {f"to plan one ({n})": line for n, line in enumerate(campaign.overrides, 1)}
        return {**facts, "page": self.report}


@dataclass(frozen=True, repr=False)
class SavedCampaign(SavedResult):
    """A campaign as planned: who is offered what, who is in the control group, at what cost."""

    @cached_property
    def document(self) -> CampaignDocument:
        """The content of ``campaign.json``."""
        return read_campaign_json(self.path)

    def to_frame(self) -> pd.DataFrame:
        """Return the customers with offer, arm and expected net value."""
        path = CampaignDirectory(self.path).assignment
        return read_rows(path, (self.document.files or {}).get(path.name))

    def _title(self) -> str:
        return f"campaign {self.document.id}"

    def _facts(self) -> Mapping[str, object]:
        total, unit = self.document.plan, DisplayName.of(self.document.profit_unit).en
        return {
            "contacted": total.n_treated,
            "control group": total.n_control,
            "expected cost": f"{total.expected_cost:,.2f} {unit}",
            "expected net": f"{_interval(total.expected_net)} {unit}",
            "files": self.path,
        }


@dataclass(frozen=True, repr=False)
class SavedScores(SavedResult):
    """New customers scored by a winner."""

    @cached_property
    def document(self) -> ScoreDocument:
        """The content of ``score.json``."""
        return read_document(ScoreDocument, self.path / "score.json")[1]

    def to_frame(self) -> pd.DataFrame:
        """Return the customers with score, risk, segment and offer."""
        return read_rows(ScoreDirectory(self.path).customers)

    @property
    def campaign(self) -> SavedCampaign | None:
        """The campaign planned for them; None if there is none."""
        id_ = self.document.campaign_id
        study = StudyDirectory(self.path.parents[1])
        return None if id_ is None else SavedCampaign(study.campaign(id_).path, self.overrides)

    def _title(self) -> str:
        return f"scores of {describe_count(len(self.to_frame()), 'customer')}"

    def _facts(self) -> Mapping[str, object]:
        drift = self.document.drift
        return {
            "winner": self.document.winner.name,
            "drift of the score (PSI)": f"{drift.score_psi:.3f}",
            "campaign": self.document.campaign_id or "none",
            "files": self.path,
        }


@dataclass(frozen=True, repr=False)
class SavedReadout(SavedResult):
    """What a campaign did, or any randomised trial."""

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
        return read_rows(self.path / "effects.csv")

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


KINDS: Mapping[str, Callable[[Path], SavedResult]] = {
    "verdict.json": SavedVerdict,
    "campaign.json": SavedCampaign,
    "score.json": SavedScores,
    "readout.json": SavedReadout,
    "trial.json": SavedReadout,
}
"""The class of a folder by the document in it."""


def load(folder: str | os.PathLike[str]) -> Any:
    """Return what lies in a folder: a study, a verdict, a campaign, scores, or a readout.

    Nothing is executed that the files hold, and each table must be the one that was written.

    Raises
    ------
    RetainError
        The folder holds none of them.
    """
    path = Path(folder)
    for name, kind in KINDS.items():
        if (path / name).is_file():
            return kind(path)
    if any(StudyDirectory(path).runs()):
        return SavedStudy(path)
    names = ", ".join(KINDS)
    raise RetainError(f"{path} holds neither runs nor any of {names}; expected a folder with one.")
