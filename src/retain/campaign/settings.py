"""What a campaign rests on.

May import: schema. Nothing heavy, since the process that asks for a campaign only hands it on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from retain.schema import Catalogue, Planning, Segmentation, Value


@dataclass(frozen=True)
class Settings:
    """What is assumed, offered and allowed."""

    segmentation: Segmentation
    value: Value
    catalogue: Catalogue
    planning: Planning

    def as_json(self) -> dict[str, Any]:
        """In plain values, by the names of their config groups."""
        return {
            "segmentation": self.segmentation.model_dump(mode="json", by_alias=True),
            "value": self.value.model_dump(mode="json"),
            "offers": self.catalogue.model_dump(mode="json", by_alias=True),
            "campaign": self.planning.model_dump(mode="json"),
        }
