"""Texts of offers with each customer's values in the placeholders."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.offers.catalogue import DRIVER, placeholders, split_template
from retain.campaign.offers.eligibility import RiskDrivers, relevant_features
from retain.campaign.offers.offers import OfferMatrix
from retain.campaign.offers.placeholder_values import format_values, sanitise
from retain.schema.campaign import Offer

CodedTexts = tuple[np.ndarray, list[str]]
"""Index of each customer's text, and the distinct texts."""


def offer_texts(
    offers: OfferMatrix, audience: Audience, chosen: np.ndarray, language: Literal["en", "ru"]
) -> list[str]:
    """Return the text of each customer's offer, empty without an offer.

    Parameters
    ----------
    chosen
        Index of an offer in the catalogue, -1 for none, shape (n,).

    Raises
    ------
    ValueError
        An offer is chosen for a customer who is not eligible.
    """
    texts = np.full(len(audience), "", dtype=object)
    drivers = cache(
        lambda: RiskDrivers.from_audience(audience)
    )  # takes a second per million, and few offers need it
    for j, offer in enumerate(offers.catalogue.offers.values()):
        rows = np.flatnonzero(chosen == j)
        if not offers.eligible[rows, j].all():
            raise ValueError(f"{offers.names[j]} is chosen for customers who may not get it")
        template = getattr(offer.text, language)
        values = {
            name: _driver_name(offer, audience, drivers(), rows, language)
            if name == DRIVER
            else format_values(name, audience, rows, language)
            for name in placeholders(template)
        }
        texts[rows] = _fill_template(template, values, len(rows))
    return list(texts)


def _driver_name(
    offer: Offer, audience: Audience, drivers: RiskDrivers, rows: np.ndarray, language: str
) -> CodedTexts:
    """Return the display name of each customer's strongest driver that the offer addresses."""
    columns = [audience.columns.get(name) for name in drivers.features]
    codes = drivers.strongest(relevant_features(offer, audience))[rows]
    return codes, [
        "" if column is None else sanitise(getattr(column.label, language)) for column in columns
    ]


def _fill_template(template: str, values: dict[str, CodedTexts], count: int) -> np.ndarray:
    """Return the template filled for ``count`` customers, each distinct text computed once."""
    combination = np.zeros(count, dtype=np.int64)
    for codes, distinct in values.values():
        combination, _ = pd.factorize(combination * len(distinct) + codes)
    _, first, index = np.unique(combination, return_index=True, return_inverse=True)
    parts = split_template(template)
    filled = [
        "".join(
            plain + ("" if name is None else values[name][1][values[name][0][row]])
            for plain, name in parts
        )
        for row in first.tolist()
    ]
    return np.array(filled, dtype=object)[index]
