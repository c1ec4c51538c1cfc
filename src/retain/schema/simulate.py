"""The nodes of ``retain-simulate``: a campaign, and the truth by which its customers act."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from retain.schema.names import Seed
from retain.schema.parsing import Config
from retain.schema.readout import CampaignSelector

Rate = Annotated[float, Field(ge=-1, le=1)]
LostShare = Annotated[float, Field(ge=0, lt=1)]


class TruthKeys(Config):
    """Acts of customers with and without each offer.

    ``save_rate`` is by offer. With ``heterogeneity`` a customer's own is ``strength`` above or
    below that of the offer.
    """

    save_rate: dict[str, Rate]
    heterogeneity: Literal["none", "risk", "value", "segment"]
    strength: Rate
    risk_odds: Annotated[float, Field(gt=0, le=1000)]
    noncompliance: LostShare


class OutcomeNoise(Config):
    """Noise that hides the truth: missing outcomes, and how much profits vary."""

    missing: LostShare
    profit_noise: Annotated[float, Field(ge=0, le=3)]


class Simulate(TruthKeys, OutcomeNoise):
    """The whole tree of ``retain-simulate``."""

    campaign: CampaignSelector
    truth: str | None
    seed: Seed
    output_dir: str | None
    outputs: str
