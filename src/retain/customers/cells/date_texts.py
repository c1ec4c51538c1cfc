"""Texts of dates: their marks, and periods such as months, weeks and quarters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retain.customers.cells.numbers import normalise_digits

_PERIOD_FORMS = {  # pattern, the same with dashes, and its format: months, weeks, quarters
    r"^([0-9]{4})[./-]([0-9]{1,2})$": (r"\1-\2", "%Y-%m"),
    r"^([0-9]{1,2})[./-]([0-9]{4})$": (r"\2-\1", "%Y-%m"),
    r"^([0-9]{4})-?W([0-9]{2})$": (r"\1-\2-1", "%G-%V-%u"),
    r"^([0-9]{4})-?W([0-9]{2})-?([1-7])$": (r"\1-\2-\3", "%G-%V-%u"),
    **{
        pattern.replace("N", str(quarter)): (rf"\1-{3 * quarter - 2}", "%Y-%m")
        for quarter in range(1, 5)
        for pattern in ("^([0-9]{4})[ -]?[QqКк]N$", "^[QqКк]N[ /-]?([0-9]{4})$")
    },
}
_LONG_MARKS = r"^([0-9]{1,4})( |_|[.] )([0-9]{1,2})( |_|[.] )([0-9]{1,4})"


def with_marks(texts: pa.Array) -> pa.Array:
    """Return texts with usual marks in dates, and digits of any script as those of ASCII.

    >>> with_marks(pa.array(["2020年10月3日", "3. 10. 2020", "3 10 20", "3.10.20 г."])).to_pylist()
    ['2020-10-3', '3.10.2020', '3/10/20', '3.10.20']
    """
    if pc.any(pc.match_substring_regex(texts, _LONG_MARKS)).as_py():
        pointed = _LONG_MARKS.replace("( |_|[.] )", "[.] ")
        texts = pc.replace_substring_regex(texts, pointed, r"\1.\2.\3")
        spaced = _LONG_MARKS.replace("( |_|[.] )", "[ _]")
        texts = pc.replace_substring_regex(texts, spaced, r"\1/\2/\3")
    if pc.all(pc.string_is_ascii(texts)).as_py():
        return texts
    texts = pc.replace_substring_regex(texts, r"^([0-9./-]+) ?г(?:ода)?[.]?$", r"\1")
    return pc.replace_substring_regex(
        normalise_digits(texts),
        r"^([0-9]{4}) ?[年년] ?([0-9]{1,2}) ?[月월] ?([0-9]{1,2}) ?[日일]",
        r"\1-\2-\3",
    )


def parse_periods(texts: pa.Array) -> NDArray[np.float64]:
    """Return the first days of months, weeks of ISO 8601 and quarters that are written in digits.

    >>> parse_periods(pa.array(["1970-2", "1970-W02", "Q2 1970", "1970-W02-3"])).tolist()
    [31.0, 4.0, 90.0, 6.0]
    """
    found = np.full(len(texts), np.nan)
    for pattern, (dashed, date_format) in _PERIOD_FORMS.items():
        matching = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
        if matching.any():
            chosen = pc.replace_substring_regex(texts.filter(pa.array(matching)), pattern, dashed)
            dates = pd.to_datetime(chosen.to_pylist(), format=date_format, errors="coerce")
            found[matching] = dates_to_days(pd.Series(dates)).to_numpy()
    return found


def dates_to_days(dates: pd.Series) -> pd.Series:
    """Return timestamps as days since 1970-01-01."""
    days = dates.to_numpy().astype("datetime64[D]")
    values = np.where(np.isnat(days), np.nan, days.astype("int64").astype("float64"))
    return pd.Series(values, index=dates.index)
