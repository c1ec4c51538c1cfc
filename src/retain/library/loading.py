"""Any result from its folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from retain.errors import RetainError
from retain.library.readouts import SavedReadout
from retain.library.results import SavedCampaign, SavedScores, SavedStudy, SavedVerdict
from retain.library.saved import SavedResult
from retain.record.study import StudyDirectory

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
    if not isinstance(folder, str | os.PathLike):
        found = f"it is a {type(folder).__name__}"
        raise RetainError.at("folder", found, "expected the path of one")
    path = Path(folder)
    for name, kind in KINDS.items():
        if (path / name).is_file():
            return kind(path)
    if any(StudyDirectory(path).runs()):
        return SavedStudy(path)
    names = ", ".join(KINDS)
    raise RetainError(f"{path} holds neither runs nor any of {names}; expected a folder with one.")
