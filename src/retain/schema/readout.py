"""The nodes of ``retain-readout``: which campaign, and the columns of what became of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from retain.schema.parsing import Config

Answer = str | int | float | bool | None
"""A value as YAML reads it."""


class CampaignSelector(Config):
    """Id or folder of a campaign, or the study or verdict of the only one."""

    dir: str | None


class OutcomesFile(Config):
    """A file with a row a customer, and its columns.

    ``declined`` and ``profit`` are what became of a customer, one of them at least; null reads
    the column of that very name where there is one. ``contacted`` and ``cost`` likewise: who was
    in fact contacted, and what was spent on each. ``min_known_share`` is the share of the file's
    customers that must be the campaign's.
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
    outputs: str
    resamples: Annotated[int, Field(ge=200, le=100_000)]
