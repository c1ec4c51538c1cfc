"""Drivers of one customer in sentences: the value next to the typical one.

A sentence states an association, never a cause. Numbers that differ are written with enough
digits to show it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from retain.record.estimates import DisplayName
from retain.record.explanations_document import Driver, FeatureInfo
from retain.report.text.numbers import VALUES, Number, format_number
from retain.report.text.words import LANGUAGES, Message, Values, interval, message, words
from retain.report.tree import present

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


Levels = Mapping[str, Mapping[str, DisplayName]]
"""Display names of levels: feature → level → label."""
UNNAMED: Levels = MappingProxyType({})
FINEST_FORMAT = list(VALUES)[-1]
USUALLY = ("driver.within", "driver.same")
RANGED = ("driver.below", "driver.above", *USUALLY)
LEVEL = ("driver.level", "driver.level_of_none", "driver.level_shared")
UNKNOWN = ("driver.unknown", "driver.unknown_of_none", "driver.unknown_shared")
USUAL = ("typical_low", "typical_high", "typical_share")
COLUMNS = (
    *("customer_id", "rank", "feature", "value", *USUAL),
    *("log_odds", "probability_points", "text_en", "text_ru"),
)


def driver_message(driver: Driver, feature: FeatureInfo) -> Message:
    """Return a driver of a customer as a message.

    Parameters
    ----------
    driver
        One of ``explanations.examples[].drivers``.
    feature
        Its entry of ``explanations.features``.
    """
    key = _key(driver, feature.kind)
    return message(
        key,
        feature=feature.label,
        **_placeholder_values(key, driver),
        risk=message(_risk(key, driver.log_odds)),
    )


def _key(driver: Driver, kind: str) -> str:
    """Return the key of the text for a value's position in the typical range."""
    if kind == "category" and driver.level is not None:
        return _shared(LEVEL, driver)
    value = driver.value
    if kind == "category" or value is None:
        return _shared(UNKNOWN, driver)
    low, high = driver.typical_low, driver.typical_high
    if low is None or high is None:
        return "driver.alone"
    if not low <= value <= high:
        return "driver.below" if value < low else "driver.above"
    return "driver.within" if low < high else "driver.same"


def _shared(texts: Sequence[str], driver: Driver) -> str:
    """Return the key of the text for the share of other customers with this level."""
    share = driver.typical_share
    return texts[0] if share is None else texts[1] if share == 0 else texts[2]


def _placeholder_values(key: str, driver: Driver) -> Values:
    """Return the placeholders of a text, except the feature and the risk."""
    if key in (*LEVEL, *UNKNOWN):
        level = {} if driver.level is None else {"level": driver.level}
        return {**level, "share": Number(driver.typical_share, "share")}
    low, high = driver.typical_low, driver.typical_high
    if key == "driver.alone":
        return {"value": Number(driver.value, "value")}
    form = _form(present(driver.value), present(low), present(high))
    return {
        "value": Number(driver.value, form),
        "usual": _typical_range(present(low), present(high), form),
    }


def _typical_range(low: float, high: float, form: str) -> Number | Message:
    if low == high:
        return Number(low, form)
    return interval(low, high, form)


def _risk(key: str, log_odds: float) -> str:
    """Return the direction of the risk; a higher one at a typical value is a surprise."""
    if log_odds > 0:
        return "driver.yet_higher" if key in USUALLY else "driver.higher"
    return "driver.lower" if log_odds < 0 else "driver.no_other"


def _form(value: float, low: float, high: float) -> str:
    """Return the form with the fewest digits that shows which numbers differ.

    >>> _form(2.0, 6.0, 11.0), _form(5.0004, 2.0, 5.0)
    ('value', 'value_5')
    """
    pairs = ((low, high), (value, min(max(value, low), high)))
    near = [(a, b) for a, b in pairs if a != b and _needs_more_digits(a, b)]
    if not near:
        return "value"
    return next(
        (form for form in VALUES if all(_differ(*two, form) for two in near)), FINEST_FORMAT
    )


def _needs_more_digits(a: float, b: float) -> bool:
    """Return whether two numbers may need more than three digits to look different."""
    return abs(a - b) <= 0.01 * max(abs(a), abs(b))


def _differ(a: float, b: float, form: str) -> bool:
    return format_number(a, form, "en") != format_number(b, form, "en")


def _none_if_missing(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def driver_sentences(
    table: pd.DataFrame,
    features: Mapping[str, FeatureInfo],
    language: str,
    levels: Levels = UNNAMED,
) -> pd.Series:
    """Return the sentence of each row, by ``driver_message``.

    Parameters
    ----------
    table
        One row per driver: ``feature``, ``value`` (missing for a category), ``level`` (missing
        for a number; both missing if unobserved), ``typical_low``, ``typical_high``,
        ``typical_share``, ``log_odds``.
    features
        The entries of ``explanations.features`` by name.
    language
        ``en`` or ``ru``.
    levels
        Display names of levels; other levels keep their own.
    """
    import numpy as np
    import pandas as pd

    sentences = np.empty(len(table), dtype=object)
    for rows in _groups_by_form(table):
        feature = features[table["feature"].iloc[rows[0]]]
        driver = _driver(table.iloc[rows[0]], feature, levels)
        speak = _sentence_function(driver, feature, language)
        codes, values = pd.factorize(table["value"].to_numpy()[rows], use_na_sentinel=False)
        sentences[rows] = np.array([speak(value) for value in values.tolist()], dtype=object)[codes]
    return pd.Series(sentences, index=table.index, dtype="str")


def _groups_by_form(table: pd.DataFrame) -> Iterator[np.ndarray]:
    """Yield the positions of rows whose sentences differ by the value alone."""
    import numpy as np

    keys = [table[name] for name in ("feature", "level", *USUAL)]
    group = table.groupby([*keys, np.sign(table["log_odds"])], dropna=False, observed=True).ngroup()
    order = np.argsort(group.to_numpy(), kind="stable")
    starts = np.flatnonzero(np.diff(group.to_numpy()[order], prepend=-1))
    return (rows for rows in np.split(order, starts[1:]) if len(rows))


def _driver(row: pd.Series, feature: FeatureInfo, levels: Levels) -> Driver:
    """Return a row of the table as an entry of the verdict, without its value."""
    import pandas as pd

    level, names = row["level"], levels.get(row["feature"], {})
    numbers = {name: _none_if_missing(float(row[name])) for name in USUAL}
    return Driver(
        feature=row["feature"],
        kind=feature.kind,
        value=None,
        level=None if pd.isna(level) else names.get(level, DisplayName(level, level)),
        log_odds=_none_if_missing(float(row["log_odds"])) or 0.0,
        probability_points=0.0,
        **numbers,
    )


def _sentence_function(
    driver: Driver, feature: FeatureInfo, language: str
) -> Callable[[float], str]:
    """Return the sentence of a driver as a function of its value."""
    texts: dict[tuple[str, str], Callable[..., str]] = {}

    def speak(value: float) -> str:
        one = driver.model_copy(update={"value": _none_if_missing(value)})
        key, low, high = _key(one, feature.kind), one.typical_low, one.typical_high
        form = _form(value, present(low), present(high)) if key in RANGED else "value"
        if (key, form) not in texts:
            texts[key, form] = words(language).partial_message(
                driver_message(one, feature), "value"
            )
        return texts[key, form](value=format_number(value, form, language))

    return speak


def drivers_table(
    table: pd.DataFrame, features: Mapping[str, FeatureInfo], levels: Levels = UNNAMED
) -> pd.DataFrame:
    """Return the drivers of customers with sentences: ``COLUMNS``, rows as in ``table``.

    Parameters
    ----------
    table, features, levels
        As for ``driver_sentences``; ``table`` also has ``customer_id`` and ``points``, and all
        rows of a customer.

    Returns
    -------
    pandas.DataFrame
        ``rank`` is 1 for a customer's largest absolute log-odds; ``value`` is the number or the
        level in the source.
    """
    kinds = {name: feature.kind for name, feature in features.items()}
    category = table["feature"].map(kinds) == "category"
    strength = table["log_odds"].abs().groupby(table["customer_id"], sort=False)
    texts = {
        language: driver_sentences(table, features, language, levels) for language in LANGUAGES
    }
    return table.assign(
        rank=strength.rank(method="first", ascending=False).astype("int64"),
        value=table["value"].astype(object).where(~category, table["level"]),
        probability_points=table["probability_points"],
        text_en=texts["en"],
        text_ru=texts["ru"],
    )[list(COLUMNS)]
