"""What a winner led to, in values that any process can take. Imports nothing heavy but pandas."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from retain.errors import NotApplicable
from retain.schema import Segmentation
from retain.verdict.sealed import SealedTest

if TYPE_CHECKING:
    from retain.reasons.explain import Explained


@dataclass(frozen=True)
class Carried:
    """The winner on its customers.

    Attributes
    ----------
    sealed
        Its result on the customers no run has seen.
    segments
        Profile of each segment.
    placed
        Every scored customer with risk and segment, indexed by customer id.
    money
        What the money is measured in, assumptions included.
    model
        Name and SHA-256 of the model's file.
    reference
        Name and SHA-256 of the file that tells of the training customers.
    explained
        The sealed customers explained, or why they are not; None where nobody asked.
    """

    sealed: SealedTest
    segments: pd.DataFrame
    placed: pd.DataFrame
    segmentation: Segmentation
    money: str
    model: dict[str, str]
    reference: dict[str, str]
    explained: Explained | NotApplicable | None

    @property
    def scored(self) -> dict[str, int]:
        """How many customers were scored out of fold and how many in the sealed test."""
        counts = self.placed["origin"].value_counts()
        return {str(origin): int(n) for origin, n in counts.items()}

    def as_json(self) -> dict[str, Any]:
        """The part of ``verdict.json`` that needs the customers."""
        return {
            "model": self.model,
            "reference": self.reference,
            "segments": json.loads(self.segments.to_json(orient="records", double_precision=15)),
            "segmentation": self.segmentation.model_dump(),
            "money": self.money,
            "scored": self.scored,
        }


@dataclass(frozen=True)
class Followed:
    """The winner's curves, and what it led to where its customers are at hand.

    ``missing`` asks for the customers where they are not.
    """

    curves: dict[str, Any]
    carried: Carried | None
    missing: str | None
