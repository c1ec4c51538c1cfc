"""Campaigns on disk: written once under their id, and referred to by verdicts and scores."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from retain.campaign.assignment import read_assignment
from retain.campaign.hand_over import HandOver
from retain.campaign.known_customers import write_known_customers
from retain.errors import RetainError, did_you_mean, type_value
from retain.execution.plan import collect_environment
from retain.record.campaign_document import CAMPAIGN_SCHEMA, CampaignDocument, NoCampaignInfo
from retain.record.directory import CampaignDirectory
from retain.record.documents import content_id, to_tree
from retain.record.manifest import write_manifest
from retain.record.study import StudyDirectory
from retain.storage.paths import parse_path
from retain.storage.reading import read_json_object
from retain.storage.transaction import Staging
from retain.storage.writing import hash_file, write_text
from retain.verdict.document import as_json
from retain.verdict.export import ExportDialect, write_csv
from retain.verdict.headings import column_dictionary
from retain.verdict.workbook import write_workbook
from retain.workflows.campaign import CampaignFiles

ID = re.compile("[0-9a-f]{8}")
REPLACE_OVERRIDE = "campaign.replace=true"


def write_campaign(files: CampaignFiles, staging: Staging) -> CampaignFiles:
    """Write a planned campaign into the folder of its id.

    Returns
    -------
    CampaignFiles
        The same files with the campaign's id and the hash of its ``campaign.json`` in the results;
        the hash is None if no campaign was planned.
    """
    results, planned = files.results, files.results.campaign
    if files.offers is None or files.assignment is None:
        return files
    if files.known_customers is None or files.hand_over is None:
        return files
    if planned is None or isinstance(planned, NoCampaignInfo):
        raise ValueError("tables of a campaign without the plan")
    directory = CampaignDirectory(staging.path / "campaign")
    write_csv(files.offers, directory.offers, files.dialect)
    write_csv(files.assignment, directory.assignment, files.dialect)
    write_known_customers(files.known_customers, directory.customers)
    for name in ("contacts", "do_not_contact", "approval"):
        write_csv(getattr(files.hand_over, name), getattr(directory, name), files.dialect)
    document = planned.model_copy(
        update={
            "schema_": CAMPAIGN_SCHEMA,
            "files": {path.name: hash_file(path) for path in directory.tables},
            "settings": results.settings,
        }
    )
    id_ = content_id(to_tree(document))
    write_text(directory.campaign_json, as_json(document.model_copy(update={"id": id_})))
    sha256 = hash_file(directory.campaign_json)
    _write_guide(directory, id_, files.assignment, files.hand_over, files.dialect)
    write_manifest(directory.path, collect_environment().code_sha256)
    staging.place(directory.path, f"campaigns/{id_}", immutable=True)
    campaign = planned.model_copy(update={"id": id_})
    update = {"campaign": campaign, "campaign_sha256": sha256}
    return replace(files, results=results.model_copy(update=update))


def _write_guide(
    directory: CampaignDirectory,
    id_: str,
    assignment: pd.DataFrame,
    hand_over: HandOver,
    dialect: ExportDialect,
) -> None:
    """Write the template of outcomes, the columns, the workbook and what to do with all."""
    template = assignment[["customer_id", "arm", "offer"]].assign(
        declined="", contacted="", cost=""
    )
    write_csv(template, directory.outcomes_template, dialect)
    write_csv(column_dictionary(dialect.language), directory.dictionary, dialect)
    by_channel = hand_over.contacts.groupby("channel", sort=True)
    sheets = [(str(channel), table) for channel, table in by_channel]
    sheets += [("approval", hand_over.approval), ("do not contact", hand_over.do_not_contact)]
    write_workbook([*sheets, ("outcomes", template)], directory.workbook, dialect)
    write_text(directory.guide, GUIDE[dialect.language].format(id=id_))


GUIDE = {
    "en": """Campaign {id}

approval.csv           the plan by segment, to approve
contacts.csv           every contact: customer, day, channel, text, code
do_not_contact.csv     who must not be written to or called, and why
offers.csv             the offer of each customer, with the reasons
campaign.csv           offers and control group; do not change it
customers.parquet      what was known of them, for effects to be learned; do not change it
outcomes_template.csv  copy it, as outcomes.csv, and fill in declined, contacted (1 or 0) and cost
columns.csv            what each column holds
manifest.json          size and SHA-256 of these files, by which retain-verify knows them

When outcomes are known, type in this folder:
  retain-readout campaign=. outcomes=outcomes.csv
""",
    "ru": """Кампания {id}

approval.csv           план по сегментам — для согласования
contacts.csv           все контакты: клиент, день, канал, текст, промокод
do_not_contact.csv     кому нельзя писать и звонить и почему
offers.csv             предложение каждому клиенту и причины
campaign.csv           предложения и контрольная группа; не изменять
customers.parquet      что о них было известно — чтобы измерить эффекты; не изменять
outcomes_template.csv  скопируйте в outcomes.csv и заполните там «Снизил активность»,
                       «Контакт состоялся» (1 или 0) и «Затраты»
columns.csv            что в каких столбцах
manifest.json          размеры и SHA-256 этих файлов — для проверки командой retain-verify

Когда исходы известны, наберите в этой папке:
  retain-readout campaign=. outcomes=outcomes.csv
""",
}
"""The purpose of each file of a campaign, by language."""


@dataclass(frozen=True)
class Repointing:
    """A change of the campaign that an existing result points to.

    Attributes
    ----------
    result
        Folder of the existing ``verdict.json`` or ``score.json``.
    old, new
        The campaigns; ``new`` is None if none was planned.
    changes
        Description of the customers who change arms or offers, or the reason for no campaign, if
        any.
    """

    result: Path
    old: CampaignDirectory
    new: CampaignDirectory | None
    changes: str | None

    def describe(self, command: str) -> str:
        """Return a message with the change, both campaigns, and the command that accepts it."""
        planned = "no campaign was planned now"
        if self.changes is not None:
            planned += f" ({self.changes})"
        if self.new is not None:
            planned = f"{self.new.path} is planned, in which {self.changes}"
        return (
            f"{self.result} points to campaign {self.old.path.name} and still does: {planned}. "
            f"Campaigns that were planned stay as they are. To replace {self.result} all the "
            f"same: {command} {REPLACE_OVERRIDE}"
        )


def find_repointing(
    study: StudyDirectory, document: Path, files: CampaignFiles | None
) -> Repointing | None:
    """Return the change of campaign if new files replace those of an existing result.

    ``document`` is the ``verdict.json`` or ``score.json`` of the existing result. None if no arm or
    offer changes, or the existing result points to no campaign with customers.
    """
    result, old_id = document.parent, None
    with suppress(RetainError):
        old_id = read_campaign_id(document)
    if old_id is None or not study.campaign(old_id).campaign_json.is_file():
        return None
    old, planned = study.campaign(old_id), None if files is None else files.results.campaign
    if files is None or files.assignment is None or not isinstance(planned, CampaignDocument):
        reason = planned.reason if isinstance(planned, NoCampaignInfo) else None
        return Repointing(result, old, None, reason)
    if planned.id is None or planned.id == old_id:
        return None
    new = study.campaign(planned.id)
    try:
        before = read_assignment(old.path).table
    except RetainError as error:
        return Repointing(result, old, new, f"nobody can tell who changes arms: {error}")
    changes = None if before.empty else _describe_changes(before, files.assignment)
    return None if changes is None else Repointing(result, old, new, changes)


def _describe_changes(before: pd.DataFrame, after: pd.DataFrame) -> str | None:
    """Return the numbers of customers who change arms and offers as text; None if none does."""
    old, new = (
        table.assign(customer_id=table["customer_id"].astype("str")).set_index("customer_id")
        for table in (before, after)
    )
    both = old[["arm", "offer"]].merge(
        new[["arm", "offer"]], "outer", left_index=True, right_index=True, suffixes=("", "_after")
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


def read_campaign_id(document: Path) -> str | None:
    """Return the id of the campaign that a ``verdict.json`` or ``score.json`` points to, if any.

    Raises
    ------
    RetainError
        The document cannot be read.
    """
    node = read_json_object(document)
    campaign = node.get("campaign")
    id_ = campaign.get("id") if isinstance(campaign, dict) else node.get("campaign_id")
    return id_ if isinstance(id_, str) and ID.fullmatch(id_) else None


def find_campaign(text: str, outputs: Path) -> CampaignDirectory:
    """Return a campaign by its id, its folder, or the folder of a study with one campaign.

    Raises
    ------
    RetainError
        If there is none, or several.
    """
    path = parse_path("campaign", text)
    if ID.fullmatch(text) and not path.exists():
        return _find_by_id(text, outputs)
    if CampaignDirectory(path).campaign_json.is_file():
        return CampaignDirectory(path)
    study = StudyDirectory(path.parent if path.name == "verdict" else path)
    return _find_only(study, text)


def _find_by_id(id_: str, outputs: Path) -> CampaignDirectory:
    studies = [StudyDirectory(path) for path in sorted(outputs.glob("*")) if path.is_dir()]
    found = [study.campaign(id_) for study in studies if id_ in study.campaign_ids]
    if len(found) == 1:
        return found[0]
    if found:
        listed = " or ".join(type_value("campaign", campaign.path) for campaign in found)
        raise RetainError(f"campaign {id_} stands in several studies; type {listed}.")
    ids = [campaign_id for study in studies for campaign_id in study.campaign_ids]
    listed = f"it holds {', '.join(ids)}" if ids else "it holds none"
    raise RetainError(f"there is no campaign {id_} in {outputs}: {listed}.{did_you_mean(id_, ids)}")


def _find_only(study: StudyDirectory, text: str) -> CampaignDirectory:
    ids = study.campaign_ids
    if len(ids) == 1:
        return study.campaign(ids[0])
    if ids:
        listed = ", ".join(ids)
        raise RetainError(
            f"{study.path} has {len(ids)} campaigns: {listed}. Type the one that was sent, such "
            f"as {type_value('campaign', study.campaign(ids[0]).path)}"
        )
    parent = study.path.parent
    siblings = [path.name for path in parent.iterdir()] if parent.is_dir() else []
    hint = "" if study.path.is_dir() else did_you_mean(Path(text).name, siblings)
    raise RetainError(
        f"campaign={text} holds no campaign.json; expected the id of a campaign, or its folder, "
        f"such as campaign=outputs/models/campaigns/ID, as retain-compare printed it.{hint}"
    )
