"""The files of a verdict, written into a new folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from retain.errors import RetainError
from retain.execution.executor import run_in_subprocess
from retain.record import StudyDirectory
from retain.storage.reading import read_json
from retain.storage.writing import hash_file, write_text
from retain.verdict.document import as_json

if TYPE_CHECKING:
    from retain.workflows.campaign import CampaignFiles
    from retain.workflows.explanations import Explanations


def write_tables(
    study: StudyDirectory, campaign: CampaignFiles | None, explanations: Explanations | None
) -> None:
    """Write segments, customers, features, groups and drivers, as far as there are any."""
    if explanations is not None:
        explanations.write(study)
    if campaign is not None:
        campaign.write(study)


def write_verdict(study: StudyDirectory, tree: dict[str, Any], language: str) -> None:
    """Write ``verdict.json`` with the hashes of the tables beside it, the page and its charts."""
    from retain.report.page.page import page
    from retain.report.render import drawable

    tables = sorted(path for path in study.verdict.iterdir() if path.is_file())
    tree = {**tree, "files": {path.name: hash_file(path) for path in tables}}
    study.pictures.mkdir()
    arguments = (drawable(tree), language, study.pictures, {"fishbone": study.verdict})
    with run_in_subprocess("render", *arguments, description="draws the charts") as wait_for_charts:
        write_text(study.verdict_json, as_json(tree))
        write_text(study.report, page(tree, language))
        wait_for_charts()


def find_lost_files(older: Path, newer: Path) -> list[str]:
    """Return the sorted names of files that only the older of two folders has."""
    before, after = ({path.name for path in folder.glob("*")} for folder in (older, newer))
    return sorted(before - after)


def try_read_json(path: Path) -> Any:
    """Return the document in a JSON file, None if it cannot be read."""
    try:
        return read_json(path)
    except RetainError:
        return None
