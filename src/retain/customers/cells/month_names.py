"""Dates with the name of a month, in the languages of common exports."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_MONTHS = """
    jan january januar janvier janv enero ene janeiro gennaio gen januari styczeń stycznia sty
    янв январь января січ січень січня leden ledna ianuarie ocak ;
    feb february februar février févr fév fevrier fevr febrero fevereiro fev febbraio februari
    luty lutego lut фев февр февраль февраля лют лютий лютого únor února februarie şubat ;
    mar march märz mär mrz marz mars marzo março marco maart mrt marzec marca мар март марта бер
    березень березня březen března martie mart ;
    apr april avril avr abril abr aprile kwiecień kwietnia kwi апр апрель апреля кві квітень
    квітня duben dubna aprilie nisan ;
    may mai mayo maio mag maggio mei maj maja май мая тра травень травня květen května mayıs ;
    jun june juni juin junio junho giu giugno cze czerwiec czerwca июн июнь июня чер червень
    червня červen června iunie haziran ;
    jul july juli juillet juil julio julho lug luglio lip lipiec lipca июл июль июля лип липень
    липня červenec července iulie temmuz ;
    aug august août aout agosto ago augustus sie sierpień sierpnia авг август августа сер
    серпень серпня srpen srpna ağustos ;
    sep sept september septembre septiembre setembro set settembre wrz wrzesień września сен
    сент сентябрь сентября вер вересень вересня září septembrie eylül ;
    oct october okt oktober octobre octubre outubro out ottobre ott paź październik października
    окт октябрь октября жов жовтень жовтня říjen října octombrie ekim ;
    nov november novembre noviembre novembro lis listopad listopada ноя нояб ноябрь ноября лис
    листопад листопада noiembrie kasım ;
    dec december dez dezember décembre decembre déc diciembre dic dezembro dicembre gru grudzień
    grudnia дек декабрь декабря гру грудень грудня prosinec prosince decembrie aralık
"""
MONTHS = tuple(tuple(words.split()) for words in _MONTHS.split(";"))
"""Names and abbreviations of the twelve months, without points."""
_FILLERS = """
    de del of the г год года st nd rd th er utc gmt
    monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun
"""
FILLERS = frozenset(_FILLERS.split())
"""Words beside a date that say nothing more."""
MAX_CHARACTERS = 40
"""Longest text of a date."""
MAX_UNKNOWN_WORDS = 2
"""Words beside the name of a month, above which a text is no date."""
N_SEARCHED = 200
"""Distinct cells, evenly spaced, that are searched for the names of months at first."""
MIN_SHARE = 0.2
"""Share of them with such a name, from which all cells are read."""

_NUMBER_OF: Mapping[str, int] = {
    word: number for number, words in enumerate(MONTHS, start=1) for word in words
}
_ENGLISH = tuple(words[0] for words in MONTHS)
_CANDIDATE = re.compile(r"[0-9].*[^\W\d_]{3}|[^\W\d_]{3}.*[0-9]")
_CLOCK = re.compile(
    r"[ t,]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]m)?(?: ?z| ?[+-]\d\d:?\d\d)?$"
)
_CLOCK_WITHIN = re.compile(r" \d{1,2}:\d{2}(?::\d{2})?(?= (?:[a-z]{3} )?\d{4}$)")  # as of ctime
_TOKEN = re.compile(r"\d+|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class NamedDates:
    """Texts with the name of a month: numbers of the date, 0 where a text has none.

    ``is_like`` masks texts that look like dates, some of which have no ``months`` as they are none.
    ``is_short`` masks a month and one number of two digits, the day or the year: ``Oct-20``.
    """

    years: NDArray[np.int64]
    months: NDArray[np.int64]
    days: NDArray[np.int64]
    is_like: NDArray[np.bool_]
    is_short: NDArray[np.bool_]


def parse_named_dates(texts: pa.Array) -> NamedDates | None:
    """Return the dates of texts with the name of a month; None if few have one.

    >>> found = parse_named_dates(pa.array(["3 окт. 2020", "Oct-20", "Nov-21", "3 more Mar 2020"]))
    >>> found.years.tolist(), found.months.tolist(), found.days.tolist()
    ([2020, 20, 21, 0], [10, 10, 11, 0], [3, 1, 1, 0])
    >>> found.is_like.tolist(), found.is_short.tolist()
    ([True, True, True, True], [False, True, True, False])
    """
    if not have_months(texts):
        return None
    numbers = np.zeros((len(texts), 4), dtype=np.int64)
    is_like = np.zeros(len(texts), dtype=bool)
    for index, text in enumerate(texts.to_pylist()):
        found = _parse(text)
        if found is not None:
            is_like[index], numbers[index] = True, found
    years, months, days, short = numbers.T
    is_short = short > 0
    if len(np.unique(months[is_short])) < 2:  # "Set 10" may be a part of something
        is_like &= ~is_short
    return NamedDates(years, months, days, is_like, is_short & is_like)


def have_months(texts: pa.Array) -> bool:
    """Return whether some texts, of those that are searched, have the name of a month."""
    sample = texts[:: len(texts) // N_SEARCHED + 1].to_pylist()
    return sum(_parse(text) is not None for text in sample) > MIN_SHARE * len(sample)


def to_english(text: str) -> str:
    """Return a text with the names of months as English abbreviations.

    >>> to_english("3 октября 2020"), to_english("4. März 2021")
    ('3 oct 2020', '4. mar 2021')
    """
    return re.sub(r"[^\W\d_]+", lambda word: _english(word[0]), text)


def _english(word: str) -> str:
    number = _NUMBER_OF.get(word.casefold())
    return word if number is None else _ENGLISH[number - 1]


def _parse(text: str) -> tuple[int, int, int, int] | None:
    """Return year, month, day and whether it is short; None if a text does not look like a date."""
    if len(text) > MAX_CHARACTERS or not _CANDIDATE.search(text):
        return None
    tokens = _TOKEN.findall(_CLOCK.sub("", _CLOCK_WITHIN.sub("", text.casefold())))
    numbers = [one for one in tokens if one.isdecimal()]
    words = [one for one in tokens if not one.isdecimal() and one not in FILLERS]
    months = [_NUMBER_OF[word] for word in words if word in _NUMBER_OF]
    if len(months) != 1 or len(words) - 1 > MAX_UNKNOWN_WORDS or not _are_parts(numbers):
        return None
    if len(words) > 1:
        return 0, 0, 0, 0
    if len(numbers) == 1:
        return int(numbers[0]), months[0], 1, len(numbers[0]) == 2
    first, second = numbers if len(numbers[0]) <= 2 else reversed(numbers)
    return (int(second), months[0], int(first), 0) if len(first) <= 2 else (0, 0, 0, 0)


def _are_parts(numbers: list[str]) -> bool:
    """Return whether numbers are a day, a year of two or four digits, or both in any order."""
    lengths = sorted(map(len, numbers))
    return lengths in ([2], [4], [1, 2], [2, 2], [1, 4], [2, 4])
