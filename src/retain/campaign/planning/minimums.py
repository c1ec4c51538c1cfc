"""Minimums of contacts by segment, as those of treated and control group together."""

from __future__ import annotations

import numpy as np

from retain.campaign.audience import Audience, find_segment
from retain.campaign.offers.offers import OfferMatrix
from retain.errors import RetainError
from retain.schema.campaign import CampaignConfig

MIN_CONTACTS = "campaign.min_contacts"


def require_segments(audience: Audience) -> np.ndarray:
    """Return the segment of each customer, shape (n,)."""
    if audience.segments is None:
        raise ValueError("a campaign is planned after customers are assigned to segments")
    return audience.segments


def count_minimums(
    names: list[str], codes: np.ndarray, offers: OfferMatrix, planning: CampaignConfig
) -> np.ndarray | None:
    """Return the minimum of contacts of each segment, control group included.

    It is at most the number of customers for whom an offer pays: nobody is contacted at a loss.
    """
    if not planning.min_contacts:
        return None
    n_paying = np.bincount(codes, weights=offers.pays.any(axis=1), minlength=len(names))
    minimums = np.zeros(len(names), dtype=int)
    for text, minimum in planning.min_contacts.items():
        index = names.index(find_segment(text, names, MIN_CONTACTS))
        minimums[index] = min(int(n_paying[index]), inflate_minimum(minimum, planning))
    return minimums


def inflate_minimum(minimum: int, planning: CampaignConfig) -> int:
    """Return the fewest customers of whom at least ``minimum`` are expected to be treated."""
    return int(np.ceil(minimum / (1 - planning.control_share)))


def check_minimums(audience: Audience, offers: OfferMatrix, planning: CampaignConfig) -> None:
    """Raise for a segment that has fewer eligible customers than its minimum."""
    segments, is_eligible = require_segments(audience), offers.eligible.any(axis=1)
    for text, minimum in planning.min_contacts.items():
        name = find_segment(text, list(np.unique(segments)), MIN_CONTACTS)
        n_eligible = int((is_eligible & np.asarray(segments == name)).sum())
        n_treatable = n_eligible - int(np.ceil(planning.control_share * n_eligible))
        if minimum > n_treatable:
            raise RetainError(
                f"campaign.min_contacts: segment {name!r} must have {minimum} contacts; "
                f"{n_eligible} of its customers may get an offer, {n_treatable} without the "
                "control group."
            )
