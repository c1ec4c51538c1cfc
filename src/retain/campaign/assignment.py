"""The assignment of a campaign: offers and control group, kept for the readout.

campaigns/<id>/campaign.csv     one row per chosen customer; see assignment_table.py
campaigns/<id>/campaign.json    the plan, its settings, and the hashes of its tables; see
record/campaign_document.py
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from retain.campaign.assignment_table import (
    DRAWN_FROM,
    TREATMENT,
    parse_table,
    total_chance,
)
from retain.customers.files.encoding import check_exists
from retain.errors import RetainError
from retain.record.campaign_document import CampaignDocument
from retain.record.documents import content_id, read_document
from retain.record.estimates import DisplayName
from retain.schema.campaign import Assumptions, Catalogue
from retain.schema.parsing import Node
from retain.storage.pinned import check_pinned, read_pinned
from retain.storage.reading import MAX_TABLE_BYTES

CSV, OFFERS, JSON = "campaign.csv", "offers.csv", "campaign.json"
FOLDER = "campaigns"
"""Folder of campaigns."""


@dataclass(frozen=True)
class Assignment:
    """A planned campaign.

    Attributes
    ----------
    table
        One row per chosen customer, as ``parse_table`` returns it.
    id, unit, is_turnover
        Id of the campaign, unit of its money, and whether that is turnover.
    alpha, power
        Of the planned test; the readout uses them too.
    expected_effect
        Fall of the decline rate that the plan expects.
    seed
        Seed of the plan and of its readout.
    catalogue, assumptions
        The offers and assumptions of the plan.
    fingerprint
        SHA-256 of ``campaign.csv``.
    """

    table: pd.DataFrame
    id: str
    unit: str
    is_turnover: bool
    alpha: float
    power: float
    expected_effect: float
    seed: int
    catalogue: Catalogue
    assumptions: Assumptions
    fingerprint: str

    @cached_property
    def is_treated(self) -> np.ndarray:
        """Mask of the customers to contact, shape (n,)."""
        return (self.table["arm"] == TREATMENT).to_numpy(dtype=bool)

    @property
    def propensity(self) -> np.ndarray:
        """Probability of each customer to be in treatment, by design, shape (n,).

        That is with any of the offers that the customer could get.
        """
        return total_chance(self.table)

    @property
    def explores(self) -> np.ndarray:
        """Mask of the customers whose offer was drawn at random, shape (n,)."""
        if DRAWN_FROM not in self.table:
            return np.zeros(len(self.table), dtype=bool)
        return (self.table[DRAWN_FROM] != "").to_numpy(dtype=bool)

    @cached_property
    def has_one_share(self) -> bool:
        """True if all customers had the same chance to be in the control group."""
        return bool(np.ptp(self.propensity) == 0) if len(self.table) else True

    @cached_property
    def weight(self) -> np.ndarray:
        """Weight of each customer with which the control group stands for the treated, shape (n,).

        1 for the treated; the odds of treatment for the control group, 1 on average.
        """
        weight = np.ones(len(self.table))
        if not self.has_one_share:
            chance = self.propensity[~self.is_treated]
            odds = chance / (1 - chance)
            weight[~self.is_treated] = odds / odds.mean()
        return weight


def to_yaml_dict(config: Catalogue) -> Node:
    """Return a node as its YAML, without defaults."""
    return config.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def read_assignment(folder: Path) -> Assignment:
    """Read the campaign in a folder.

    Raises
    ------
    RetainError
        There is no campaign, or its files are invalid or do not belong together.
    """
    document = read_campaign_json(folder)
    if document.id is None or document.settings is None or document.files is None:
        raise ValueError("campaign.json has id, files and settings")  # read_campaign_json says so
    fingerprint = document.files.get(CSV, "nothing")
    check_exists(folder / CSV)
    raw = read_pinned(folder / CSV, fingerprint, JSON, max_bytes=MAX_TABLE_BYTES, within=folder)
    if OFFERS in document.files:
        check_exists(folder / OFFERS)
        check_pinned(folder / OFFERS, document.files[OFFERS], JSON, within=folder)
    return Assignment(
        table=parse_table(raw, folder / CSV, control_share=document.control_group.share),
        id=document.id,
        unit=DisplayName.of(document.profit_unit).en,
        is_turnover=document.is_turnover,
        alpha=document.power.alpha,
        power=document.power.power,
        expected_effect=document.power.overall.expected,
        seed=document.seed,
        catalogue=document.settings.offers,
        assumptions=document.settings.assumptions,
        fingerprint=fingerprint,
    )


def read_campaign_json(folder: Path) -> CampaignDocument:
    """Return the content of ``campaign.json``, with every key that a planned campaign has there."""
    path = folder / JSON
    if folder.is_dir() and not path.exists():
        raise RetainError(f"{folder} holds no {JSON}; expected the folder of a campaign.")
    check_exists(path)
    tree, document = read_document(CampaignDocument, path, within=folder)
    for key in ("id", "files", "settings"):
        if getattr(document, key) is None:
            raise RetainError(
                f"{path} is not a campaign this version can read: key {key!r} is missing."
            )
    _check_id(tree, folder)
    return document


def _check_id(tree: Mapping[str, Any], folder: Path) -> None:
    """Raise if the campaign's id differs from its content or from its folder's name.

    Outside ``campaigns/`` the folder may have any name.
    """
    id_ = tree["id"]
    if id_ != content_id(tree):
        raise RetainError(
            f"{folder / JSON} was changed since campaign {id_} was planned: its id and its content "
            "disagree. Put back the file as it was written."
        )
    if folder.resolve().parent.name == FOLDER and folder.resolve().name != id_:
        raise RetainError(
            f"{folder} holds campaign {id_}; expected it in a folder of that name. Rename it."
        )
