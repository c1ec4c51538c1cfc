"""The Qini curves of a readout, as ``readout.json`` has them."""

from __future__ import annotations

from typing import Literal

from retain.record.documents import optional
from retain.record.estimates import Estimate
from retain.schema.parsing import Config


class QiniCurve(Config):
    """The share of the treated saved by the share contacted."""

    contacted_share: tuple[float, ...]
    saved_share: tuple[float, ...]


class RankingQini(Config):
    """The areas below the curve of one ranking, and above a random one."""

    auuc: Estimate
    qini: Estimate
    curve: QiniCurve


class QiniInfo(Config):
    """The Qini curve of each ranking of the plan; or the reason for none.

    ``declined`` if declines are unknown, ``too_few`` if an arm has fewer than ``min_customers``,
    ``no_variation`` if all customers of an arm declined, or none.
    """

    expected_net: RankingQini | None = optional()
    risk: RankingQini | None = optional()
    reason: Literal["declined", "too_few", "no_variation"] | None = optional()
    min_customers: int | None = optional()

    @property
    def rankings(self) -> dict[str, RankingQini]:
        """The curves by the ranking."""
        named = {"expected_net": self.expected_net, "risk": self.risk}
        return {name: found for name, found in named.items() if found is not None}
