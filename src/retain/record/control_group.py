"""The control group of a plan, as ``campaign.json`` has it."""

from __future__ import annotations

from typing import Literal

from retain.record.documents import optional
from retain.schema.parsing import Config

OneShareReason = Literal["small", "no_saving"]
"""Reason for planning no other shares."""


class ControlStratum(Config):
    """The customers of a segment with one offer, and those of them in the control group."""

    segment: str
    offer: str
    n_chosen: int
    n_control: int


class ControlGroup(Config):
    """The control group: its share of the chosen, and its strata.

    Attributes
    ----------
    share
        Of all chosen, or the one share that a ``least_cost`` group equals in what it shows.
    design
        ``uniform`` also where no other shares cost less.
    one_share_because
        Why all keep one share though ``least_cost`` was asked for: the group is too ``small``, or
        no other shares within the limits save enough (``no_saving``).
    lowest_share, highest_share, mean_share
        Of the customers; None if none is chosen.
    cost, uniform_cost
        Net value that the control group is expected to forgo, and that one share would.
    """

    share: float
    design: Literal["uniform", "least_cost"] = "uniform"
    one_share_because: OneShareReason | None = optional()
    lowest_share: float | None = None
    highest_share: float | None = None
    mean_share: float | None = None
    cost: float | None = None
    uniform_cost: float | None = None
    n_attempts: int
    strata: tuple[ControlStratum, ...]
