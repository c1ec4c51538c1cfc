"""A winner that was saved with its verdict: read back as if somebody else had written it.

Nothing is made of a verdict but numbers and texts held against their types. The model is read only
if its bytes are those the verdict speaks of, and then by skops with a fixed list of types; the same
hash guards the reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from retain.campaign.reference import Reference
from retain.campaign.reference import read as read_reference
from retain.campaign.value.recalibration import Recalibration
from retain.errors import RetainError, did_you_mean
from retain.execution.shared_memory import SharedValue
from retain.learning.experiment import score_new
from retain.learning.scores import Scores
from retain.record import StudyDirectory
from retain.schema import SavedVerdict, parse
from retain.schema.scoring import FittedThresholds, SavedFile, SavedSettings, SavedWinner
from retain.storage.paths import parse_path
from retain.storage.reading import check_schema, read_json_object
from retain.verdict.document import SCHEMA
from retain.verdict.model_file import load


def score_shared(path: Path, sha256: str, table: SharedValue, rows: int, threads: int) -> Scores:
    """Return the scores of a shared table of customers by the model in a file.

    Raises
    ------
    RetainError
        If the file is not the one its verdict speaks of, or holds types that are not trusted.
    """
    with threadpool_limits(threads):
        return score_new(load(path, sha256), table.load(), rows=rows)


@dataclass(frozen=True)
class LoadedWinner:
    """The winner of a comparison and what goes with it.

    Attributes
    ----------
    folder
        Where all of it lies.
    file
        The model's.
    sealed_at
        The day of the sealed test (YYYY-MM-DD), None where customers have one row each.
    cuts
        Segmentation and catalogue, settled among the customers of the comparison.
    """

    folder: Path
    winner: SavedWinner
    sealed_at: str | None
    file: SavedFile
    settings: SavedSettings
    cuts: FittedThresholds
    calibration: Recalibration
    reference: Reference

    @property
    def customers(self) -> Path:
        """The customers of the comparison, by id."""
        return self.folder / "customers.csv"


def load_winner(path: Path) -> LoadedWinner:
    """The winner of a ``verdict.json``.

    Raises
    ------
    RetainError
        When something was changed, or is not of this version.
    """
    verdict = _read(path)
    model, reference, told = verdict.model, verdict.reference, verdict.recalibration
    settings, cuts = verdict.settings, verdict.fitted_thresholds
    if model is None or reference is None or told is None or settings is None or cuts is None:
        raise RetainError(
            f"{path} holds no model to score with: the customers were not at hand when it was "
            "written. Type retain-compare again, with data=NAME "
            "where they have moved."
        )
    return LoadedWinner(
        folder=path.parent,
        winner=verdict.winner,
        sealed_at=verdict.split.sealed_snapshot,
        file=model,
        settings=settings,
        cuts=cuts,
        calibration=Recalibration.from_json(told),
        reference=read_reference(path.parent / reference.file, reference.sha256),
    )


def find_verdict(typed: str) -> Path:
    """Return the ``verdict.json`` in a folder, or in the folder of a verdict within it.

    Raises
    ------
    RetainError
        When there is none.
    """
    folder = parse_path("verdict", typed)
    inside = StudyDirectory(folder).verdict_json
    for path in (folder / inside.name, inside):
        if path.is_file():
            return path
    beside = folder.parent.iterdir() if folder.parent.is_dir() else ()
    hint = "" if folder.is_dir() else did_you_mean(folder.name, [one.name for one in beside])
    raise RetainError(
        f"verdict={folder} holds no {inside.name}; expected the folder retain-compare wrote, such "
        f"as outputs/models/verdict.{hint}"
    )


def _read(path: Path) -> SavedVerdict:
    tree = read_json_object(path)
    check_schema(tree.get("schema"), SCHEMA, path)
    try:
        return parse(SavedVerdict, tree)
    except RetainError as error:
        told = str(error).splitlines()[0].removesuffix(".")
        raise RetainError(f"{path} is no verdict this version can score with: {told}.") from None
