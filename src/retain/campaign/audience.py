"""The customers of a campaign, and their segments by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from retain.customers.customers import Column
from retain.errors import RetainError
from retain.record.estimates import DisplayName
from retain.schema.names import RESERVED

COUNTED = "customers"
"""Unit of a campaign in which each customer counts as one."""


@dataclass(frozen=True)
class OpenCampaigns:
    """The other campaigns that are open, and those whose contacts are not long ago.

    Attributes
    ----------
    by_customer
        Id of the open campaign that a customer is in, by customer id, as texts.
    unreadable
        Paths in the folder of outputs that could not be read: their customers are not known.
    resting
        Id of the campaign that contacts a customer within ``campaign.rest_days`` of the plan's
        start, by customer id, as texts.
    """

    by_customer: Mapping[str, str] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    resting: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Audience:
    """Customers scored by models that were not fitted on them, one row per customer.

    Attributes
    ----------
    table
        Indexed by customer id: ``score`` (the model's probability of decline), ``origin``,
        ``risk`` (recalibrated score), ``contactable`` (True where consent is given); with profit
        also ``profit`` (NaN where missing), ``value_at_stake`` (assumed cost of a decline, ≥ 0)
        and ``profit_at_risk`` = risk × value_at_stake.
    features
        Features, derived ones included.
    columns
        The ``Column`` of each feature.
    profit_unit
        Unit of money; None without profit.
    drivers
        ``explanations.reference_values.top_drivers``; None if not requested.
    segments
        Segment of each customer, in the order of ``table``; None before assignment.
    consent
        Consent is stated by the source, assumed for all, or not stated.
    counts_customers
        No profit is known: each customer counts as one, see ``counting_customers``.
    is_turnover
        True if money is turnover that no margin has turned into profit.
    open_campaigns
        The other campaigns that customers are in, or were contacted by not long ago.
    """

    table: pd.DataFrame
    features: pd.DataFrame
    columns: Mapping[str, Column]
    profit_unit: str | DisplayName | None = None
    drivers: pd.DataFrame | None = None
    segments: np.ndarray | None = None
    consent: Literal["from_data", "assume_given", "not_stated"] = "from_data"
    counts_customers: bool = False
    is_turnover: bool = False
    open_campaigns: OpenCampaigns = field(default_factory=OpenCampaigns)

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.table)

    @property
    def with_profit(self) -> bool:
        """True if the audience has profit."""
        return self.profit_unit is not None

    @cached_property
    def hashed_ids(self) -> np.ndarray:
        """Number that tells each customer from others in any order of rows, shape (n,)."""
        texts = self.table.index.astype(str).to_numpy(dtype=object)
        return np.asarray(pd.util.hash_array(texts))

    @cached_property
    def open_campaign(self) -> np.ndarray:
        """Id of the other campaign that each customer is in, empty for none, shape (n,)."""
        return self._by_id(self.open_campaigns.by_customer)

    @cached_property
    def resting(self) -> np.ndarray:
        """Id of the campaign after which each customer is at rest, empty for none, shape (n,)."""
        return self._by_id(self.open_campaigns.resting)

    def _by_id(self, campaigns: Mapping[str, str]) -> np.ndarray:
        ids = self.table.index.astype(str)
        return np.array([campaigns.get(one, "") for one in ids], dtype=object)

    @property
    def is_single_model(self) -> np.ndarray:
        """Mask of customers scored by one model, not by an average over repeats, shape (n,)."""
        return (self.table["origin"] != "out_of_fold").to_numpy()

    def values_of(self, name: str) -> pd.Series:
        """Return a feature or a reserved column by name."""
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

    def counting_customers(self) -> Audience:
        """Return the audience with a value of one for each customer, where no profit is known."""
        risk = self.table["risk"]
        table = self.table.assign(profit=1.0, value_at_stake=1.0, profit_at_risk=risk)
        return replace(self, table=table, profit_unit=COUNTED, counts_customers=True)

    def with_segments(self, segments: np.ndarray) -> Audience:
        """Return the same customers with segments."""
        return replace(self, segments=segments)


def find_segment(text: str, names: Sequence[str], where: str) -> str:
    """Return the segment whose name has the same words; shells do not accept all its signs.

    Raises
    ------
    RetainError
        When there is none of these words.

    >>> names = ["low risk · low value", "high risk · high value"]
    >>> find_segment("high risk high value", names, "campaign.min_contacts")
    'high risk · high value'
    """
    by_words = {normalise_name(name): name for name in names}
    if normalise_name(text) not in by_words:
        raise RetainError.unknown(f"{where}: segment", text, list(names))
    return by_words[normalise_name(text)]


def normalise_name(name: str) -> str:
    """Return the words of a segment's name, by which it is found."""
    return " ".join(re.findall(r"\w+", name.casefold()))
