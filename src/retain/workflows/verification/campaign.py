"""The totals of a campaign, held against the customers in its tables."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from retain.campaign.assignment import Assignment, read_assignment, read_campaign_json
from retain.campaign.assignment_table import CONTROL
from retain.campaign.hand_over import approval_table
from retain.record.approval_document import TreatedTotals
from retain.record.campaign_document import CampaignDocument, OfferInfo, PlanTotals
from retain.record.directory import CampaignDirectory
from retain.record.documents import read_document, to_tree
from retain.record.manifest import DisagreementError
from retain.record.readout_document import ReadoutDocument
from retain.record.verdict_document import VerdictDocument
from retain.storage.reading import MissingFileError
from retain.storage.writing import hash_file
from retain.workflows.readout import effects_table
from retain.workflows.verification.agreement import count_equal
from retain.workflows.verification.tables import check_table

OF_FILES = ("id", "schema", "files", "settings")
"""Keys of ``campaign.json`` that are of the file, and not of the plan in ``verdict.json``."""


def check_campaign(campaign: CampaignDirectory) -> int:
    """Return the number of totals and cells, which are those of the customers in ``campaign.csv``.

    Raises
    ------
    DisagreementError
        With the first that differs.
    RetainError
        A file is not the one that ``campaign.json`` speaks of, or cannot be read.
    """
    document, where = read_campaign_json(campaign.path), str(campaign.campaign_json)
    hashes = {path.name: hash_file(path, within=campaign.path) for path in campaign.tables}
    count = count_equal(document.files, hashes, f"{where}, files")
    assignment = read_assignment(campaign.path)
    for name, totals, rows in _iter_totals(document, assignment.table):
        saved = {key: getattr(totals, key) for key in (*COUNTS, "expected_cost")}
        count += count_equal(saved, _sum_up(rows), f"{where}, {name}")
    control = to_tree(document.control_group)
    recomputed = {**control, **_control_group(document, assignment)}
    count += count_equal(control, recomputed, f"{where}, control_group")
    return count + _check_approval(campaign, document)


COUNTS = ("n_chosen", "n_treated", "n_control")
"""Totals of customers, in the plan, of its offers and of its segments."""
Totals = PlanTotals | OfferInfo | TreatedTotals


def _iter_totals(
    document: CampaignDocument, table: pd.DataFrame
) -> Iterator[tuple[str, Totals, pd.DataFrame]]:
    """Yield all totals of a plan with their names, and the rows that they are of."""
    yield "plan", document.plan, table
    for offer in document.offers:
        yield f"offer {offer.name!r}", offer, table[table["offer"] == offer.name]
    for one in document.approval:
        rows = table[table["segment"] == one.segment]
        yield f"segment {one.segment!r}", one, rows
        for choice in one.choices:
            name = f"offer {choice.offer!r} in segment {one.segment!r}"
            yield name, choice, rows[rows["offer"] == choice.offer]


def _sum_up(rows: pd.DataFrame) -> dict[str, float]:
    n_control = int((rows["arm"] == CONTROL).sum())
    counts = (len(rows), len(rows) - n_control, n_control)
    cost = float(rows["expected_cost"].sum())
    return {**dict(zip(COUNTS, counts, strict=True)), "expected_cost": cost}


def _control_group(document: CampaignDocument, assignment: Assignment) -> dict[str, object]:
    """Return the keys of ``control_group`` that the rows of ``campaign.csv`` suffice for."""
    table, share = assignment.table, 1 - assignment.propensity
    net = table["expected_net"].to_numpy()
    strata = table.groupby(["segment", "offer"], sort=True)["arm"]
    found: dict[str, object] = {
        "cost": float(share @ net),
        "uniform_cost": float(document.control_group.share * net.sum()),
        "strata": [
            {
                "segment": segment,
                "offer": offer,
                "n_chosen": len(arms),
                "n_control": int((arms == CONTROL).sum()),
            }
            for (segment, offer), arms in strata
        ],
    }
    if len(table):
        found |= {
            "lowest_share": float(share.min()),
            "highest_share": float(share.max()),
            "mean_share": float(share.mean()),
        }
    return found


def _check_approval(campaign: CampaignDirectory, document: CampaignDocument) -> int:
    """Return the number of cells of ``approval.csv``, whose words are of either language."""
    counted = document.objective == "customers"
    english = approval_table(document.approval, "en", counted=counted)
    russian = approval_table(document.approval, "ru", counted=counted)
    try:
        return check_table(campaign.approval, english, campaign.path)
    except DisagreementError:
        return check_table(campaign.approval, russian, campaign.path)


def check_pointer(saved: VerdictDocument, campaign: CampaignDirectory) -> int:
    """Return the number of values of the plan in ``verdict.json``, which are the campaign's.

    Raises
    ------
    DisagreementError
        With the first that differs, or if the campaign is missing.
    """
    path = campaign.campaign_json
    try:
        sha256 = hash_file(path, within=campaign.path)
        tree = read_document(CampaignDocument, path, within=campaign.path)[0]
    except MissingFileError:
        raise DisagreementError(f"{path} is missing; verdict.json points to it.") from None
    count = count_equal(saved.campaign_sha256, sha256, "verdict.json, campaign_sha256")
    plan = {key: value for key, value in to_tree(_planned(saved)).items() if key not in OF_FILES}
    others = {key: value for key, value in tree.items() if key not in OF_FILES}
    return count + count_equal(plan, others, f"verdict.json, campaign, and {path}")


def _planned(saved: VerdictDocument) -> CampaignDocument:
    if saved.planned_campaign is None:
        raise ValueError("no campaign was planned")
    return saved.planned_campaign


def check_readout(campaign: CampaignDirectory) -> int:
    """Return the number of cells of ``effects.csv``, which are those of ``readout.json``.

    Raises
    ------
    DisagreementError
        With the first that differs, or if it is the readout of another campaign.
    """
    files = campaign.readout
    document = read_document(ReadoutDocument, files.readout, within=files.path)[1]
    campaign_of = {"campaign_id": document.campaign_id, "sha256": document.campaign_sha256}
    assignment = read_assignment(campaign.path)
    own = {"campaign_id": assignment.id, "sha256": assignment.fingerprint}
    count = count_equal(campaign_of, own, str(files.readout))
    return count + check_table(files.effects, effects_table(document.effects), files.path)
