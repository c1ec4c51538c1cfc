"""The nodes of ``retain-readout``: the campaign, and the file of outcomes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from retain.schema.parsing import Config

Monitoring = Literal["auto", "once", "always_valid", "planned_end"]
"""How intervals allow for looks at outcomes that still arrive."""
Answer = str | int | float | bool | None
"""A value as YAML reads it."""


class CampaignSelector(Config):
    """The id or folder of a campaign, or the study or verdict with only one campaign."""

    dir: str | None


class OutcomesFile(Config):
    """A file with one row per customer, and its columns.

    At least one of the outcomes ``declined`` and ``profit`` is needed. ``contacted`` and ``cost``
    are the actual contacts and costs. Null reads the column of the key's name if there is one.
    ``min_known_share`` is the minimum share of the file's customers who are in the campaign.
    """

    file: str | None
    id: str
    declined: str | None
    positive: Answer
    profit: str | None
    contacted: str | None
    cost: str | None
    unknown_customers: Literal["error", "drop"]
    min_known_share: Annotated[float, Field(ge=0, le=1)]


class Readout(Config):
    """The whole tree of ``retain-readout``."""

    campaign: CampaignSelector
    outcomes: OutcomesFile
    monitoring: Monitoring
    outputs: str
    resamples: Annotated[int, Field(ge=200, le=100_000)]
