"""Parsing of overrides by Hydra, after checks of their size."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from retain.cli.override_names import escape_names
from retain.errors import RetainError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


MOST_CHARACTERS = 100_000
"""Maximum number of characters of an override, about a second for Hydra."""
MOST_FOREIGN_CHARACTERS = 5_000
"""Maximum number of non-ASCII characters, up to a hundred times slower to parse."""
MOST_LEVELS = 40
"""Maximum nesting depth of brackets, as in a file."""
MAX_QUOTED = 200
"""Maximum number of characters quoted from an override."""


def parse_overrides(overrides: Sequence[str]) -> list[tuple[str, Override]]:
    """Return each override's text, quoted if needed, and Hydra's parse of it."""
    return [_parse(typed) for typed in overrides]


@lru_cache(maxsize=256)  # a command reads its words several times: as typed, swept and expanded
def _parse(typed: str) -> tuple[str, Override]:
    """Return the text of an override and its parse, which nobody may change."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    if len(typed) > MOST_CHARACTERS:
        raise RetainError(
            f"{_short(typed)} has {len(typed):,} characters; expected at most "
            f"{MOST_CHARACTERS:,}, for many values such as key=range(FROM,TO,STEP)."
        )
    if (foreign := sum(not one.isascii() for one in typed)) > MOST_FOREIGN_CHARACTERS:
        raise RetainError(
            f"{_short(typed)} has {foreign:,} characters beyond ASCII; expected at most "
            f"{MOST_FOREIGN_CHARACTERS:,}."
        )
    if _depth(typed) > MOST_LEVELS:
        raise RetainError(
            f"{_short(typed)} has brackets more than {MOST_LEVELS} deep; expected fewer."
        )
    text = escape_names(typed)
    try:
        return text, OverridesParser.create().parse_override(text)
    except (HydraException, ValueError, RecursionError) as error:
        message = str(error)[:MAX_QUOTED]
        raise RetainError(
            f"{_short(typed)} cannot be read as key=value: {message}. Text with commas, "
            "brackets or quotes wants quotes within the shell's own: \"data.path='a, b.csv'\"."
        ) from None


def _depth(text: str) -> int:
    """Return the nesting depth of brackets."""
    steps = (1 if one in "[{(" else -1 for one in text if one in "[]{}()")
    return max(itertools.accumulate(steps), default=0)


def _short(typed: str) -> str:
    return repr(typed if len(typed) <= MAX_QUOTED else f"{typed[:MAX_QUOTED]}…")
