"""Results that lie on disk, read and checked as any file is."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from retain.campaign.assignment import read_campaign_json
from retain.errors import RetainError
from retain.library.saved import SavedResult, format_estimate, read_rows
from retain.library.winner import WinnerClassifier, load_classifier
from retain.record.campaign_document import CampaignDocument
from retain.record.directory import CampaignDirectory, ScoreDirectory
from retain.record.document import Record
from retain.record.documents import read_document
from retain.record.estimates import DisplayName
from retain.record.score_document import ScoreDocument
from retain.record.study import BrokenRun, StudyDirectory
from retain.record.verdict_document import VerdictDocument
from retain.wording import describe_count

if TYPE_CHECKING:
    from matplotlib.figure import Figure


SCREEN_DPI = 110
"""Dots per inch of a chart in a notebook."""
BEST_BY = "roc_auc"
"""The metric by which runs are ordered."""


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
        typed = [set(record.overrides) for record in self.records]
        shared = set.intersection(*typed) if len(typed) > 1 else set[str]()
        rows = [
            {
                "id": record.id,
                "run": " ".join(text for text in record.overrides if text not in shared),
                "state": record.state,
                **{name: metric.value for name, metric in record.metrics.items()},
                "reason": record.reason,
            }
            for record in self.records
        ]
        frame = pd.DataFrame(rows, columns=None if rows else ["id", "run", "state", "reason"])
        if BEST_BY in frame:
            frame = frame.sort_values(BEST_BY, ascending=False, kind="stable")
        return frame.set_index("id")

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
        return read_rows(self.path / name, self.document.files, "verdict.json")

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

        Parameters
        ----------
        name
            Of the comparison ``intervals``, ``effects``, ``roc``, ``precision_recall``,
            ``calibration``, ``lift`` and ``captured_profit``; of explanations ``fishbone``,
            ``drivers``, ``beeswarm``, ``dependence`` and ``distributions``; of a campaign
            ``segments``, ``tornado``, ``risk_profit``, ``profit_curve`` and ``budget_curve``.
        language
            ``en`` or ``ru``.

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
        figure = drawn[name].figure
        setattr(figure, "_repr_png_", partial(_to_png, figure))  # noqa: B010 - how notebooks show it
        return figure

    def _title(self) -> str:
        return self.document.summary

    def _facts(self) -> Mapping[str, object]:
        campaign = self.document.campaign
        facts: dict[str, object] = {"runs": len(self.document.leaderboard)}
        if (sealed := self.document.sealed_test) is not None and "roc_auc" in sealed.metrics:
            facts["sealed test"] = f"ROC-AUC {format_estimate(sealed.metrics['roc_auc'])}"
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
        return read_rows(path, self.document.files, "campaign.json")

    def _title(self) -> str:
        return f"campaign {self.document.id}"

    def _facts(self) -> Mapping[str, object]:
        total, unit = self.document.plan, DisplayName.of(self.document.profit_unit).en
        return {
            "contacted": total.n_treated,
            "control group": total.n_control,
            "expected cost": f"{total.expected_cost:,.2f} {unit}",
            "expected net": f"{format_estimate(total.expected_net)} {unit}",
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
        path = ScoreDirectory(self.path).customers
        return read_rows(path, self.document.files, "score.json")

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


def _to_png(figure: Figure) -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=SCREEN_DPI)
    return picture.getvalue()
