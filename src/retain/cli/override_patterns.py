"""Overrides that stand for others: patterns of options, and intervals that tuning searches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from retain.errors import RetainError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import IntervalSweep, Override

INTERVAL_OF, SEARCH = "model.", "model.search"
"""The parameters that an interval is of, and the key of their ranges."""


def expand(text: str, override: Override, options: Mapping[str, Sequence[str]]) -> list[str]:
    """Return an override with the options that a glob stands for, or the search of an interval.

    The middle of an interval is tried first.

    Raises
    ------
    RetainError
        The glob fits no option, or the interval is none of a model's parameter.
    """
    from hydra.core.override_parser.types import Glob, IntervalSweep

    key, value = override.key_or_group, override.value()
    if isinstance(value, Glob):
        names = value.filter(list(options.get(key, ())))
        if not names:
            raise RetainError.unknown(key, str(text.partition("=")[2]), options.get(key, ()))
        return [f"{key}={','.join(names)}"]
    if isinstance(value, IntervalSweep):
        if not key.startswith(INTERVAL_OF):
            expected = "expected one of a parameter of the model, with tuning=optuna"
            raise RetainError.at(key, "an interval is searched, not swept", expected)
        return _search(key, value)
    return [text]


def _search(key: str, interval: IntervalSweep) -> list[str]:
    """Return the overrides that make an interval the range of a search.

    >>> from hydra.core.override_parser.types import IntervalSweep
    >>> _search("model.C", IntervalSweep(start=0.1, end=10.0, tags={"log"}))
    ['model.C=1.0', 'model.search.C={low:0.1,high:10.0,log:true}']
    """
    low, high = interval.start or 0.0, interval.end or 0.0
    is_log, is_whole = "log" in interval.tags, isinstance(low, int)
    if other := interval.tags - {"log"}:
        raise RetainError.at(key, f"the tag {min(other)!r} says nothing", "expected log or none")
    if not low < high or (is_log and low <= 0):
        least = "above 0 " if is_log else ""
        found = f"the interval from {low:g} to {high:g} is empty or has no such scale"
        raise RetainError.at(key, found, f"expected a lower end {least}below the upper one")
    middle = math.sqrt(low * high) if is_log else (low + high) / 2
    ends = f"low:{low},high:{high},log:{str(is_log).lower()}"
    name = key.removeprefix(INTERVAL_OF)
    return [f"{key}={round(middle) if is_whole else middle}", f"{SEARCH}.{name}={{{ends}}}"]
