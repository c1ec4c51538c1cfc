"""Texts of offers with each customer's values in the placeholders."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.offers.catalogue import CODE, DRIVER, UNTIL, placeholders, split_template
from retain.campaign.offers.eligibility import RiskDrivers, relevant_features
from retain.campaign.offers.offers import OfferMatrix
from retain.campaign.offers.placeholder_values import format_values, sanitise
from retain.schema.campaign import Contact, Offer
from retain.schema.names import Translated

Language = Literal["en", "ru"]
UNTIL_DAY = {"en": "by", "ru": "до"}
MONTHS = {  # of dates, so the Russian ones are in the genitive
    "en": "January February March April May June July August September October November December",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
}
CodedTexts = tuple[np.ndarray, list[str]]
"""Index of each customer's text, and the distinct texts."""


def offer_texts(
    offers: OfferMatrix,
    audience: Audience,
    chosen: np.ndarray,
    language: Language,
    start: str | None = None,
) -> list[str]:
    """Return the text of each customer's offer, empty without an offer.

    Parameters
    ----------
    chosen
        Index of an offer in the catalogue, -1 for none, shape (n,).
    start
        Day of the first contact; without it texts name the days of validity.

    Raises
    ------
    ValueError
        An offer is chosen for a customer who is not eligible.
    """
    texts = np.full(len(audience), "", dtype=object)
    fill = TextFiller(audience, language, start)
    for j, offer in enumerate(offers.catalogue.offers.values()):
        rows = np.flatnonzero(chosen == j)
        if not offers.eligible[rows, j].all():
            raise ValueError(f"{offers.names[j]} is chosen for customers who may not get it")
        texts[rows] = fill(offer, offer.text, rows)
    return list(texts)


class TextFiller:
    """Texts of contacts in one language, with the values of customers in the placeholders."""

    def __init__(self, audience: Audience, language: Language, start: str | None) -> None:
        self._audience, self.language, self._start = audience, language, start

    @cached_property
    def _drivers(self) -> RiskDrivers:
        """The drivers of the audience; a second per million, and few offers need them."""
        return RiskDrivers.from_audience(self._audience)

    def __call__(
        self, contact: Contact, text: Translated, rows: np.ndarray, day: int = 0
    ) -> np.ndarray:
        """Return the text for the customers ``rows``, ``day`` days after the first contact."""
        template: str = getattr(text, self.language)
        values = {name: self._values(name, contact, rows, day) for name in placeholders(template)}
        return _fill_template(template, values, len(rows))

    def _values(self, name: str, contact: Contact, rows: np.ndarray, day: int) -> CodedTexts:
        same = np.zeros(len(rows), dtype=np.intp)
        if name == CODE and contact.code is not None:
            return same, [contact.code]
        if name == UNTIL and contact.valid_days is not None:
            return same, [describe_validity(contact.valid_days, day, self._start, self.language)]
        if name == DRIVER and isinstance(contact, Offer):
            return _driver_name(contact, self._audience, self._drivers, rows, self.language)
        return format_values(name, self._audience, rows, self.language)


def describe_validity(valid_days: int, day: int, start: str | None, language: Language) -> str:
    """Return the end of the validity in words, as of a contact ``day`` days after the first.

    >>> describe_validity(14, 0, "2027-02-01", "en"), describe_validity(14, 5, None, "ru")
    ('by 15 February 2027', 'в течение 9 дней')
    """
    left = max(valid_days - day, 1)
    if start is not None:
        end = date.fromisoformat(start) + timedelta(days=valid_days)
        month = MONTHS[language].split()[end.month - 1]
        return f"{UNTIL_DAY[language]} {end.day} {month} {end.year}"
    if language == "ru":
        return f"в течение {left} {'дня' if left % 10 == 1 and left % 100 != 11 else 'дней'}"
    return f"within {left} day{'s' if left > 1 else ''}"


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
