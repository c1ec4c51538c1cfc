"""The sweep that overrides span: the values of each, counted before any is made."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from retain.cli.override_parser import parse_overrides
from retain.errors import RetainError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


Plain = str | int | float | bool | None
NOT_PLAIN = "${}"


@dataclass(frozen=True)
class Axis:
    """One override, or one for each value of a list.

    Attributes
    ----------
    texts
        The overrides, one a value.
    path
        Keys that lead to the node set; empty where a config group is chosen.
    values
        What is set, where it is a plain value; else empty.
    """

    texts: tuple[str, ...]
    path: tuple[str, ...] = ()
    values: tuple[Plain, ...] = ()

    @property
    def swept_values(self) -> bool:
        """True if there are several values to choose from."""
        return len(self.texts) > 1

    @property
    def plain(self) -> bool:
        """True if composing a value means no more than setting it."""
        return bool(self.path and self.values)


def count_values(override: Override) -> int:
    """Return the number of values an override sweeps, 1 where it sets one.

    Raises
    ------
    RetainError
        If these are no list, none at all, or without end.
    """
    from hydra.core.override_parser.types import ChoiceSweep, RangeSweep

    if not override.is_sweep_override():
        return 1
    sweep = override.value()
    if isinstance(sweep, ChoiceSweep) and sweep.list:
        return len(sweep.list)
    if not isinstance(sweep, RangeSweep):
        raise RetainError(
            f"{override.input_line!r}: only lists of values can be swept; expected key=ONE,OTHER "
            "or key=range(FROM,TO,STEP)."
        )
    count = _count_range(sweep.start, sweep.stop, sweep.step)
    if count == 0:
        raise RetainError(
            f"{override.input_line!r} has no values; expected a range that leads somewhere, such "
            "as range(0,5) or range(0,1,0.25)."
        )
    return count


def _count_range(start: float | None, stop: float | None, step: float) -> int:
    """Return the number of values of a range, 0 where its numbers make none.

    >>> _count_range(0, 10**9, 1), _count_range(0.0, 1.0, 0.25), _count_range(1, 0, 0)
    (1000000000, 4, 0)
    """
    numbers = (start, stop, step)
    if start is None or stop is None or step == 0 or not all(map(_is_finite, numbers)):
        return 0
    return max(0, math.ceil((Fraction(stop) - Fraction(start)) / Fraction(step)))


def _is_finite(number: float | None) -> bool:
    return isinstance(number, int) or (number is not None and math.isfinite(number))


def count_runs(overrides: Sequence[str]) -> int:
    """Return the number of combinations; a later override replaces an earlier one."""
    counts = {one.get_key_element(): count_values(one) for _, one in parse_overrides(overrides)}
    return math.prod(counts.values())


def first_values(overrides: Sequence[str]) -> list[str]:
    """Return overrides for one combination of what they span."""
    first = {one.get_key_element(): _first(one) for _, one in parse_overrides(overrides)}
    return list(first.values())


def _first(override: Override) -> str:
    from hydra.core.override_parser.types import RangeSweep

    sweep = override.value()
    key = override.get_key_element()
    if isinstance(sweep, RangeSweep):
        return f"{key}={sweep.start}"
    if override.is_sweep_override():
        return f"{key}={_as_typed(next(iter(override.sweep_string_iterator())))}"
    return override.input_line or ""


def expand_axes(overrides: Sequence[str]) -> list[Axis]:
    """Return the overrides as axes: comma-separated, ``choice`` and ``range`` values are swept.

    A later override of the same key replaces an earlier one, so what is typed narrows a study.
    """
    axes = {one.get_key_element(): _axis(one) for _, one in parse_overrides(overrides)}
    return list(axes.values())


def _axis(override: Override) -> Axis:
    count_values(override)
    key = override.key_or_group
    named = override.is_add() or override.is_force_add() or override.is_delete()
    path = tuple(key.split(".")) if named or key.startswith("hydra.") else ()
    if not override.is_sweep_override():
        return Axis((override.input_line or "",), path)
    values = [_plain(value) for value in override.sweep_iterator()]
    key_text = override.get_key_element()
    texts = [f"{key_text}={_as_typed(text)}" for text in override.sweep_string_iterator()]
    settled = override.is_force_add() and re.fullmatch(r"(?!hydra\.)\w+(\.\w+)*", key)
    return Axis(tuple(texts), path, tuple(values) if settled and NOT_PLAIN not in values else ())


def _as_typed(text: str) -> str:
    """Return the text of a swept value as YAML writes it: Hydra gives Python's ``True``."""
    return {"True": "true", "False": "false", "None": "null"}.get(text, text)


def _plain(value: object) -> Plain:
    """Return a plain value, or ``NOT_PLAIN`` for references, lists and mappings."""
    text = getattr(value, "text", value)  # Hydra wraps what stood in quotes
    if isinstance(text, str) and "$" in text:
        return NOT_PLAIN
    return text if text is None or isinstance(text, str | int | float | bool) else NOT_PLAIN
