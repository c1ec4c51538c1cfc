"""Campaigns on disk: written once under their id, found by what is typed, pointed to by results."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from retain.campaign.assignment import SCHEMA, campaign_id, read_assignment
from retain.errors import RetainError, did_you_mean, type_value
from retain.record import CampaignDirectory, StudyDirectory
from retain.storage.paths import parse_path
from retain.storage.transaction import Staging
from retain.storage.writing import hash_of, write_text
from retain.verdict.document import as_json
from retain.verdict.export import write_csv
from retain.workflows.campaign import CampaignFiles

ID = re.compile("[0-9a-f]{8}")
REPLACE = "campaign.replace=true"


def write_campaign(offered: CampaignFiles, staging: Staging) -> CampaignFiles:
    """Write a planned campaign into the folder of its id.

    Returns
    -------
    Offered
        The same, whose tree has the campaign's id and ``campaign_sha256``, the hash of its
        ``campaign.json``; None where nothing was planned.
    """
    if offered.offers is None or offered.assignment is None:
        return replace(offered, tree={**offered.tree, "campaign_sha256": None})
    files = CampaignDirectory(staging.path / "campaign")
    write_csv(offered.offers, files.offers)
    write_csv(offered.assignment, files.assignment)
    tree = {
        "schema": SCHEMA,
        **offered.tree["campaign"],
        "files": {path.name: hash_of(path) for path in files.tables},
        "settings": offered.tree["settings"],
    }
    id_ = campaign_id(tree)
    write_text(files.campaign_json, as_json({"id": id_, **tree}))
    sha256 = hash_of(files.campaign_json)
    staging.place(files.path, f"campaigns/{id_}", immutable=True)
    campaign = {"id": id_, **offered.tree["campaign"]}
    return replace(offered, tree={**offered.tree, "campaign": campaign, "campaign_sha256": sha256})


@dataclass(frozen=True)
class Repointing:
    """A result that points to one campaign, and a new one that would point to another or to none.

    Attributes
    ----------
    result
        The older result: a folder that holds ``verdict.json`` or ``score.json``.
    old, new
        Ids of the campaigns; ``new`` is None where none was planned.
    changes
        How many customers change arms or offers, in words; None where nobody does.
    """

    result: Path
    old: CampaignDirectory
    new: CampaignDirectory | None
    changes: str | None

    def describe(self, typed: str) -> str:
        """Return what changed, where both campaigns lie, and what to type to point to the new."""
        planned = "no campaign was planned now"
        if self.new is not None:
            planned = f"{self.new.path} is planned, in which {self.changes}"
        return (
            f"{self.result} points to campaign {self.old.path.name} and still does: {planned}. "
            f"Campaigns that were planned stay as they are. To replace {self.result} all the "
            f"same: {typed} {REPLACE}"
        )


def find_repointing(
    study: StudyDirectory, result: Path, old_id: str | None, offered: CampaignFiles | None
) -> Repointing | None:
    """Return what a new result would change about the campaign an older one points to.

    Parameters
    ----------
    result
        The folder of the older result.
    old_id
        The campaign it points to; None where it points to none, or there is none.

    Returns
    -------
    Repointing or None
        None where nobody's arm or offer changes, or the older campaign chose nobody.
    """
    if old_id is None or not study.campaign(old_id).campaign_json.is_file():
        return None
    old, tree = study.campaign(old_id), {} if offered is None else offered.tree
    if offered is None or offered.assignment is None:
        return Repointing(result, old, None, None)
    if tree["campaign"]["id"] == old_id:
        return None
    new = study.campaign(tree["campaign"]["id"])
    try:
        before = read_assignment(old.path).table
    except RetainError as error:
        return Repointing(result, old, new, f"nobody can tell who changes arms: {error}")
    changes = None if before.empty else _describe_changes(before, offered.assignment)
    return None if changes is None else Repointing(result, old, new, changes)


def _describe_changes(before: pd.DataFrame, after: pd.DataFrame) -> str | None:
    """Return how many customers change arms, and how many more offers; None where nobody does."""
    one, other = (
        table.assign(customer_id=table["customer_id"].astype("str")).set_index("customer_id")
        for table in (before, after)
    )
    both = one[["arm", "offer"]].merge(
        other[["arm", "offer"]], "outer", left_index=True, right_index=True, suffixes=("", "_after")
    )
    both = both.astype("object").where(both.notna(), None)
    arms = both["arm"] != both["arm_after"]
    offers = ~arms & (both["offer"] != both["offer_after"])
    if not (arms | offers).any():
        return None
    message = f"{int(arms.sum()):,} of {len(both):,} customers change arms"
    return (
        f"{message} and {int(offers.sum()):,} more get another offer" if offers.any() else message
    )


def pointed_campaign(tree: Any) -> str | None:
    """Return the id of the campaign that a result's document points to, None where to none."""
    node = tree if isinstance(tree, dict) else {}
    campaign = node.get("campaign")
    id_ = campaign.get("id") if isinstance(campaign, dict) else node.get("campaign_id")
    return id_ if isinstance(id_, str) and ID.fullmatch(id_) else None


def find_campaign(typed: str, outputs: Path) -> CampaignDirectory:
    """Return the campaign that is typed: its id, its folder, or a study with one campaign.

    Raises
    ------
    RetainError
        If there is none, or several.
    """
    path = parse_path("campaign", typed)
    if ID.fullmatch(typed) and not path.exists():
        return _of_id(typed, outputs)
    if CampaignDirectory(path).campaign_json.is_file():
        return CampaignDirectory(path)
    study = StudyDirectory(path.parent if path.name == "verdict" else path)
    return _only(study, typed)


def _of_id(id_: str, outputs: Path) -> CampaignDirectory:
    studies = [StudyDirectory(path) for path in sorted(outputs.glob("*")) if path.is_dir()]
    found = [study.campaign(id_) for study in studies if id_ in study.campaign_ids]
    if len(found) == 1:
        return found[0]
    if found:
        listed = " or ".join(type_value("campaign", one.path) for one in found)
        raise RetainError(f"campaign {id_} stands in several studies; type {listed}.")
    known = [one for study in studies for one in study.campaign_ids]
    listed = f"it holds {', '.join(known)}" if known else "it holds none"
    raise RetainError(
        f"there is no campaign {id_} in {outputs}: {listed}.{did_you_mean(id_, known)}"
    )


def _only(study: StudyDirectory, typed: str) -> CampaignDirectory:
    ids = study.campaign_ids
    if len(ids) == 1:
        return study.campaign(ids[0])
    if ids:
        listed = ", ".join(ids)
        raise RetainError(
            f"{study.path} has {len(ids)} campaigns: {listed}. Type the one that was sent, such "
            f"as {type_value('campaign', study.campaign(ids[0]).path)}"
        )
    above = study.path.parent
    beside = [path.name for path in above.iterdir()] if above.is_dir() else []
    hint = "" if study.path.is_dir() else did_you_mean(Path(typed).name, beside)
    raise RetainError(
        f"campaign={typed} holds no campaign.json; expected the id of a campaign, or its folder, "
        f"such as campaign=outputs/models/campaigns/ID, as retain-compare printed it.{hint}"
    )
