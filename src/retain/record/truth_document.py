"""``truth.json``: how customers of a simulated campaign act, and what its plan is worth by that."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from retain.record.documents import Identity
from retain.schema.parsing import Config

TRUTH_SCHEMA: Final = 1
"""Of ``truth.json``; counts up when the meaning of a key changes."""


class Truth(Config):
    """The behaviour of any customer with and without each offer: a function of the customer alone.

    Attributes
    ----------
    seed
        Of the segments' signs.
    save_rates
        True share of decliners saved, by offer.
    heterogeneity, strength
        By what save rates differ, and how far from those of the offers.
    median
        Of risk or value, which divides customers; None where it is by neither.
    risk_odds
        True odds of a decline without an offer, over those of the stored risk.
    noncompliance
        Share of the customers to contact who are not reached.
    """

    seed: Annotated[int, Field(ge=0)]
    save_rates: dict[str, Annotated[float, Field(ge=-1, le=1)]]
    heterogeneity: Literal["none", "risk", "value", "segment"]
    strength: Annotated[float, Field(ge=-1, le=1)]
    median: float | None
    risk_odds: Annotated[float, Field(gt=0)]
    noncompliance: Annotated[float, Field(ge=0, lt=1)]

    @model_validator(mode="after")
    def _check_median(self) -> Self:
        if (self.median is None) == (self.heterogeneity in ("risk", "value")):
            raise ValueError(
                "a median of risk or value if heterogeneity is by one of them, or null"
            )
        return self


class OfferValue(Config):
    """The true result of an offer.

    Attributes
    ----------
    effect
        Change of the probability to decline as assigned, the mean over treated and control; below
        0 is better.
    saved, cost, net
        Expected value saved, cost and net value of the treated; customers, where these are counted.
    expected_net
        Net value of the treated as the plan expected it.
    """

    name: str
    n_treated: int
    n_control: int
    effect: float
    saved: float
    cost: float
    net: float
    expected_net: float


class PlanValue(Config):
    """The true result of a plan: of all its offers, and of each."""

    campaign_id: Identity
    unit: str
    total: OfferValue
    offers: tuple[OfferValue, ...]


class TruthDocument(Config):
    """The content of ``truth.json``.

    ``earlier`` is the plan of the simulation from which the truth was taken, None if it is new.
    """

    schema_: Literal[1] = Field(default=TRUTH_SCHEMA, alias="schema")
    truth: Truth
    plan: PlanValue
    earlier: PlanValue | None
