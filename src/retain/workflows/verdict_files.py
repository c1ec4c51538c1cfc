"""The files of a verdict: what is written into its new folder, and what an older one had."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from retain.errors import RetainError
from retain.execution.executor import run_in_subprocess
from retain.record import StudyDirectory
from retain.storage.reading import read_json
from retain.storage.writing import hash_of, write_text
from retain.verdict.document import as_json

if TYPE_CHECKING:
    from retain.workflows.campaign import CampaignFiles
    from retain.workflows.explanations import Explanations


def write_customers(
    made: StudyDirectory, offered: CampaignFiles | None, why: Explanations | None
) -> None:
    """Write segments, customers, features, groups and drivers, as far as there are any."""
    if why is not None:
        why.write(made)
    if offered is not None:
        offered.write(made)


def write_verdict(made: StudyDirectory, tree: dict[str, Any], language: str) -> None:
    """Write ``verdict.json`` with the hashes of the tables beside it, the page and its pictures."""
    from retain.report.page.page import page
    from retain.report.render import chart_subset

    tree = {**tree, "files": {path.name: hash_of(path) for path in _tables(made.verdict)}}
    made.pictures.mkdir()
    to_draw = (chart_subset(tree), language, made.pictures, {"fishbone": made.verdict})
    with run_in_subprocess("draw", *to_draw, does="draws the pictures") as drawn:
        write_text(made.verdict_json, as_json(tree))
        write_text(made.report, page(tree, language))
        drawn()


def _tables(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def lost_files(older: Path, newer: Path) -> list[str]:
    """Return the names of files that an older verdict has and a newer one has not, in order."""
    before, after = ({path.name for path in folder.glob("*")} for folder in (older, newer))
    return sorted(before - after)


def read_older(path: Path) -> Any:
    """Return the tree of a result that is there, None where there is none that can be read."""
    try:
        return read_json(path)
    except RetainError:
        return None
