"""The nodes of ``retain-readout``: a campaign and its outcomes, or the table of an experiment."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from retain.schema.compare import Report
from retain.schema.effects import Effects, PolicyLimits
from retain.schema.parsing import Config, Node

Monitoring = Literal["auto", "once", "always_valid", "planned_end"]
"""The way in which intervals allow for looks at outcomes that still arrive."""
Answer = str | int | float | bool | None
"""A value as YAML reads it."""


class CampaignSelector(Config):
    """The id or folder of a campaign, or the study or verdict with only one campaign."""

    dir: str | None


class ScoresSelector(Config):
    """The id or folder of customers who were scored."""

    dir: str | None


class OutcomesFile(Config):
    """A file with one row per customer, and its columns.

    At least one of the outcomes ``declined`` and ``profit`` is needed. ``contacted`` and ``cost``
    are the actual contacts and costs. Null reads the column of the key's name if there is one.
    ``min_known_share`` is the minimum share of the file's customers who are in the campaign, or of
    the campaign's customers who are in a purchase log; None for the defaults.
    """

    file: str | None
    id: str
    declined: str | None
    positive: Answer
    profit: str | None
    contacted: str | None
    cost: str | None
    unknown_customers: Literal["error", "drop"]
    min_known_share: Annotated[float, Field(ge=0, le=1)] | None


Share = Annotated[float, Field(gt=0, lt=1)]
Columns = str | tuple[str, ...]
"""The name of a column, or of several."""


class NextCampaign(Config):
    """A file with the customers of the next campaign, and the columns of the trial's covariates."""

    file: str | None


class TrialKeys(Config):
    """Meaning of the columns of a randomised campaign's table; arms and outcomes by name."""

    treatment: str | None
    control: Answer
    outcome: Columns | None
    kind: dict[str, Literal["binary", "count", "money"]]
    positive: dict[str, Answer]
    lower_is_better: Columns
    value: dict[str, Annotated[float, Field(gt=0)]]
    cost: dict[str, Annotated[float, Field(ge=0)]]
    propensity: Literal["equal"] | dict[str, Share | str] | None
    strata: Columns
    contacted: str | None
    name: Annotated[str, Field(pattern=r"^\w[\w.+-]*$", max_length=100)] | None
    alpha: Annotated[float, Field(gt=0, lt=0.5)]
    power: Share
    monitoring: Monitoring
    planned_customers: Annotated[int, Field(ge=1)] | None
    expected_effect: Annotated[float, Field(gt=0)] | None
    effects: Effects
    limits: PolicyLimits
    report: Report
    next: NextCampaign
    seed: Annotated[int, Field(ge=0)]
    threads: Annotated[int, Field(ge=1)]


class Readout(TrialKeys):
    """The whole tree of ``retain-readout``."""

    campaign: CampaignSelector
    scores: ScoresSelector
    gate: dict[str, Annotated[float, Field(gt=0, le=1)]]
    outcomes: OutcomesFile
    data: Node | None = None
    outputs: str
    resamples: Annotated[int, Field(ge=200, le=100_000)]
