"""The features of the chosen customers when their campaign was planned.

campaigns/<id>/customers.parquet     ``customer_id``, as campaign.csv has it, and all features
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from retain.campaign.assignment import JSON, Assignment, read_campaign_json
from retain.campaign.audience import Audience
from retain.campaign.planning.plan import CampaignPlan
from retain.errors import RetainError
from retain.record.directory import CampaignDirectory
from retain.storage.parquet import read_frame
from retain.storage.pinned import check_pinned

ID = "customer_id"


def known_customers_table(audience: Audience, plan: CampaignPlan) -> pd.DataFrame:
    """Return ids, as texts, and features of all chosen customers, treated and control."""
    features = audience.features.iloc[np.flatnonzero(plan.offer_index >= 0)]
    return features.set_axis(features.index.astype(str)).reset_index(names=ID)


def write_known_customers(table: pd.DataFrame, path: Path) -> None:
    """Write what was known of the chosen customers."""
    table.to_parquet(path, index=False, compression="zstd")


def read_known_customers(campaign: CampaignDirectory, assignment: Assignment) -> pd.DataFrame:
    """Return what was known of the customers of an assignment, in its order.

    Raises
    ------
    RetainError
        The campaign was planned without the file, or it is not the one that was written.
    """
    path, document = campaign.customers, read_campaign_json(campaign.path)
    expected = (document.files or {}).get(path.name)
    if expected is None:
        raise RetainError(
            f"campaign {assignment.id} was planned without {path.name}, so it is not known what "
            "effects could depend on; expected a campaign of this version, or effects=none."
        )
    check_pinned(path, expected, JSON, within=campaign.path)
    table = read_frame(path, within=campaign.path)
    ids = assignment.table[ID]
    if ID not in table or list(table[ID]) != list(ids):
        problem = f"its customers are not those of {campaign.assignment.name}"
        raise RetainError.at(str(path), problem, "put back what was written")
    return table.set_index(ID)
