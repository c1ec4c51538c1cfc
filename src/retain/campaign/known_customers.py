"""What was known of the chosen customers when their campaign was planned.

campaigns/<id>/customers.parquet     ``customer_id``, as campaign.csv has it, and all features
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from retain.campaign.assignment import JSON, Assignment, read_campaign_json
from retain.campaign.audience import Audience
from retain.campaign.planning.plan import CampaignPlan
from retain.errors import RetainError
from retain.record.directory import CampaignDirectory
from retain.storage.parquet import read_parquet
from retain.storage.writing import hash_file

ID = "customer_id"


@dataclass(frozen=True)
class KnownCustomers:
    """The n chosen customers of a campaign, in the order of its assignment.

    Attributes
    ----------
    features
        All that was known of them, control group included, n rows.
    treatment_probability
        Probability by design that a customer is contacted and not in the control group, shape (n,).
    """

    features: pd.DataFrame
    treatment_probability: np.ndarray


def known_customers_table(audience: Audience, plan: CampaignPlan) -> pd.DataFrame:
    """Return ids, as texts, and features of all chosen customers, treated and control."""
    features = audience.features.iloc[np.flatnonzero(plan.offer_index >= 0)]
    return features.set_axis(features.index.astype(str)).reset_index(names=ID)


def write_known_customers(table: pd.DataFrame, path: Path) -> None:
    """Write what was known of the chosen customers."""
    table.to_parquet(path, index=False, compression="zstd")


def read_known_customers(campaign: CampaignDirectory, assignment: Assignment) -> KnownCustomers:
    """Return what was known of the customers of an assignment.

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
    if hash_file(path) != expected:
        raise RetainError.at(
            str(path), f"it is not the file that {JSON} speaks of", "put back what was written"
        )
    table, ids = read_parquet(path, within=campaign.path).to_pandas(), assignment.table[ID]
    if ID not in table or list(table[ID]) != list(ids):
        problem = f"its customers are not those of {campaign.assignment.name}"
        raise RetainError.at(str(path), problem, "put back what was written")
    return KnownCustomers(table.set_index(ID), assignment.propensity)
