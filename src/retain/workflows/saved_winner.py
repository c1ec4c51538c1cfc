"""The winner saved with a verdict, read safely whoever wrote it.

A verdict gives only numbers and texts, validated against their types. The model is read only if its
hash is that in the verdict, by skops with a fixed list of types; the reference is checked likewise.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from retain.campaign.reference import Reference, read_reference
from retain.campaign.value.recalibration import Recalibration
from retain.errors import RetainError, did_you_mean
from retain.execution.shared_memory import SharedValue
from retain.learning.cross_validation import score_new
from retain.learning.scores import Scores
from retain.record.campaign_document import CampaignDocument
from retain.record.comparison_document import Ranking, WinnerInfo
from retain.record.documents import SavedFile, read_document
from retain.record.study import StudyDirectory
from retain.record.verdict_document import VerdictDocument
from retain.schema.scoring import CampaignSettings, FittedThresholds
from retain.storage.paths import parse_path
from retain.verdict.model_file import load_model


def score_with_saved_model(
    path: Path, sha256: str, table: SharedValue, rows: int, threads: int
) -> Scores:
    """Return the scores of a shared table of customers by the model in a file.

    Raises
    ------
    RetainError
        If the hash of the file is wrong, or it contains types that are not trusted.
    """
    with threadpool_limits(threads):
        return score_new(load_model(path, sha256), table.load(), rows=rows)


@dataclass(frozen=True)
class LoadedWinner:
    """The winner of a comparison, with its model and settings.

    Attributes
    ----------
    folder
        Folder of the verdict.
    test_snapshot
        Date of the sealed test (YYYY-MM-DD), None if customers have one row each.
    thresholds
        Segmentation and catalogue, fitted on the customers of the comparison.
    ranking
        The result of the sealed test's comparison with chance.
    has_effects
        Whether the campaign of the comparison was planned with measured effects.
    """

    folder: Path
    winner: WinnerInfo
    test_snapshot: str | None
    model_file: SavedFile
    settings: CampaignSettings
    thresholds: FittedThresholds
    recalibration: Recalibration
    reference: Reference
    ranking: Ranking
    has_effects: bool

    @property
    def customers_csv(self) -> Path:
        """Path of the table of training customers."""
        return self.folder / "customers.csv"


def load_winner(path: Path) -> LoadedWinner:
    """Load the winner of a ``verdict.json``.

    Raises
    ------
    RetainError
        If a file was changed, or is of another version.
    """
    verdict = read_document(VerdictDocument, path)[1]
    model, reference, recalibration = verdict.model, verdict.reference, verdict.recalibration
    settings, thresholds = verdict.settings, verdict.fitted_thresholds
    campaign = verdict.campaign
    if (
        model is None
        or reference is None
        or recalibration is None
        or settings is None
        or thresholds is None
    ):
        raise RetainError(
            f"{path} holds no model to score with: the customers were not at hand when it was "
            "written. Type retain-compare again, with data=NAME "
            "where they have moved."
        )
    return LoadedWinner(
        folder=path.parent,
        winner=verdict.winner,
        test_snapshot=verdict.split.sealed_snapshot,
        model_file=model,
        settings=settings,
        thresholds=thresholds,
        recalibration=Recalibration.from_info(recalibration),
        reference=read_reference(path.parent / reference.file, reference.sha256),
        ranking=verdict.versus_random.status,
        has_effects=isinstance(campaign, CampaignDocument) and campaign.effects is not None,
    )


def find_verdict(text: str) -> Path:
    """Return the path of the ``verdict.json`` of a study's or a verdict's folder.

    Raises
    ------
    RetainError
        If there is none.
    """
    folder = parse_path("verdict", text)
    inside = StudyDirectory(folder).verdict_json
    for path in (folder / inside.name, inside):
        if path.is_file():
            return path
    siblings = folder.parent.iterdir() if folder.parent.is_dir() else ()
    hint = "" if folder.is_dir() else did_you_mean(folder.name, [path.name for path in siblings])
    raise RetainError(
        f"verdict={folder} holds no {inside.name}; expected the folder retain-compare wrote, such "
        f"as outputs/models/verdict.{hint}"
    )
