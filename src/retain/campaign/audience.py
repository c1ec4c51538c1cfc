"""The customers a campaign may speak of, and all that is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from retain.customers.customers import Column
from retain.schema import Assumptions, CampaignConfig, Catalogue, Segmentation

RESERVED = ("risk", "profit", "profit_at_risk")
"""What rules may speak of besides features."""


@dataclass(frozen=True)
class Audience:
    """One row a customer whom some model scored without having seen it.

    Attributes
    ----------
    table
        Indexed by customer id: ``score`` (the model's probability of decline), ``origin``,
        ``risk`` (the same, recalibrated), ``contactable`` (True where consent is known to be
        given); where profit is known also ``profit`` (NaN where it is not), ``value_at_stake``
        (what a decline is taken to cost, ≥ 0) and ``profit_at_risk`` = risk × value_at_stake.
    features
        The same customers' features, derived ones included.
    columns
        What is known about each feature.
    profit_unit
        What money is measured in; None without profit.
    drivers
        Strongest drivers, as ``reasons.usual.strongest`` makes them; None where nobody asked.
    segments
        Segment of each customer, in the order of ``table``; None before they are placed.
    consent
        Whether the source states it, the store vouches for all, or nobody says anything.
    """

    table: pd.DataFrame
    features: pd.DataFrame
    columns: Mapping[str, Column]
    profit_unit: str | None = None
    drivers: pd.DataFrame | None = None
    segments: np.ndarray | None = None
    consent: Literal["from_data", "assume_given", "not_stated"] = "from_data"

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.table)

    @property
    def with_profit(self) -> bool:
        """True if money is known."""
        return self.profit_unit is not None

    def has_value(self, name: str) -> pd.Series:
        """Return a feature, or what else rules may speak of, by its name."""
        return self.table[name] if name in RESERVED else self.features[name]

    def rows(self, positions: np.ndarray) -> Audience:
        """Return the customers at these positions of ``table``, without drivers."""
        return replace(
            self,
            table=self.table.iloc[positions],
            features=self.features.iloc[positions],
            drivers=None,
            segments=None if self.segments is None else self.segments[positions],
        )

    def with_segments(self, segments: np.ndarray) -> Audience:
        """Return the same customers in their segments."""
        return replace(self, segments=segments)


@dataclass(frozen=True)
class CampaignSettings:
    """The segmentation, assumptions, offers and limits of a campaign."""

    segmentation: Segmentation
    assumptions: Assumptions
    catalogue: Catalogue
    planning: CampaignConfig

    def as_json(self) -> dict[str, Any]:
        """In plain values, by the names of their config groups."""
        return {
            "segmentation": self.segmentation.model_dump(mode="json", by_alias=True),
            "assumptions": self.assumptions.model_dump(mode="json"),
            "offers": self.catalogue.model_dump(mode="json", by_alias=True),
            "campaign": self.planning.model_dump(mode="json"),
        }
