"""Lettering: how wide a text is in the font it is drawn in, and how it is brought into a room.

Lengths are in points, but for ``inches`` and ``wrapped``. May import: report.canvas,
report.names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate

from retain.report.charts.canvas import POINTS, RC_PARAMS
from retain.report.text.names import printable

ELLIPSIS = "…"
LEADING = 1.24
"""From one line to the next, in sizes of the letters."""
MANY = 1000
"""Lines enough for any name."""
BELOW = 0.26
"""How far letters reach below their line, in sizes."""


@dataclass(frozen=True)
class Letters:
    """Letters of one size and weight."""

    size: float
    bold: bool = False

    @property
    def leading(self) -> float:
        """From one line to the next."""
        return LEADING * self.size

    def width(self, text: str) -> float:
        """Return the width of a text.

        >>> Letters(10).width("wide") > Letters(10).width("thin") > Letters(5).width("thin")
        True
        """
        return _measured(text, bold=self.bold)[0] * self.size if text else 0.0

    def below(self, text: str) -> float:
        """Return the descent of its line below the base line."""
        return max(BELOW, _measured(text, bold=self.bold)[2] if text else 0.0) * self.size

    def height(self, text: str) -> float:
        """Return the height of its line: the leading, or more for stacked marks.

        >>> Letters(10).height("Name") == Letters(10).leading < Letters(10).height("Ẫ")
        True
        """
        ascent = _measured(text, bold=self.bold)[1] if text else 0.0
        return max(LEADING - BELOW, ascent) * self.size + self.below(text)

    def cut(self, text: str, room: float) -> str:
        """Return the text, or as much of it as there is room for, and an ellipsis.

        >>> Letters(10).cut("a long name", 40), Letters(10).cut("short", 40)
        ('a lon…', 'short')
        """
        if self.width(text) <= room:
            return text
        return self._start(text, room, ELLIPSIS).rstrip(" ,;:") + ELLIPSIS

    def lines(
        self, text: str, room: float, most: int = 2, *, last: float | None = None
    ) -> list[str]:
        """Return the text in at most so many lines, parted at spaces, or within a long word.

        ``last`` is the room of the last line, where something stands beside it.

        >>> Letters(10).lines("a name of many words, too long", 80)
        ['a name of', 'many words…']
        >>> Letters(10).lines("a name of few words", 100)
        ['a name', 'of few words']
        """
        end = room if last is None else last
        found: list[str] = []
        rest = text.strip()
        while len(found) < most - 1 and self.width(rest) > end:
            line = self._parted(rest, room)
            if line == rest:  # one word, for which the last line alone has no room
                line = self._start(rest, end)
            found.append(line.strip())
            rest = rest[len(line) :].strip()
        if len(found) == 1 and self.width(rest) <= end:
            found, rest = self._even(found[0], rest, end)
        return [*found, self.cut(rest, end)] if rest else found

    def _even(self, first: str, second: str, room: float) -> tuple[list[str], str]:
        """Two lines, the break moved back while that makes them more alike, or to a better place.

        A comma is a good place; after a word of one or two letters is none.
        """
        words, widest = first.split(" "), self.width(first)
        while len(words) > 1 and not words[-1].endswith((",", ";", ":")):
            longer = f"{words[-1]} {second}"
            if self.width(longer) > (room if len(words[-1]) < 3 else min(room, widest)):
                break
            second = longer
            widest = max(self.width(" ".join(words[:-1])), self.width(second))
            words.pop()
        return [" ".join(words)], second

    def _parted(self, text: str, room: float) -> str:
        """Return the first line: as many words as there is room for, or a part of the first."""
        longest = self._start(text, room)
        if text[len(longest) :].startswith(" "):
            return longest
        words, space, _ = longest.rpartition(" ")
        return words if space and words.strip() else longest

    def _start(self, text: str, room: float, end: str = "") -> str:
        """Return the longest start that fits with ``end`` after it; one letter at least."""
        within = (room - self.width(end)) / self.size
        long = [at for at, wide in enumerate(accumulate(map(_advance, text)), 1) if wide <= within]
        length = max(long, default=1)
        while length > 1 and self.width(text[:length].rstrip() + end) > room:
            length -= 1
        return text[:length]


def inches(text: str, size: float = RC_PARAMS["font.size"]) -> float:
    """Return the width of a text, its letters of a size in points."""
    return Letters(size).width(text) / POINTS


def wrap_text(
    text: str, width: float, lines: int = MANY, size: float = RC_PARAMS["font.size"]
) -> list[str]:
    """Return a text that may stand in a picture, in at most so many lines of so many inches."""
    return Letters(size).lines(printable(text), width * POINTS, lines) or [""]


def height(lines: Sequence[tuple[str, Letters]]) -> float:
    """Return the height of lines, one under the other."""
    return sum(letters.height(text) for text, letters in lines)


@cache
def _advance(letter: str) -> float:
    """About how far a letter moves on the next, at size 1; letters may join, or stand closer."""
    return _measured(f"|{letter}|", bold=False)[0] - _measured("||", bold=False)[0]


@lru_cache(maxsize=20_000)
def _measured(text: str, *, bold: bool) -> tuple[float, float, float]:
    """Return the width of a text, its ascent and its descent, at size 1."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    weight, scale = "bold" if bold else "normal", 10.0
    font = FontProperties(family=RC_PARAMS["font.family"], weight=weight, size=scale)
    width, height, descent = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return width / scale, (height - descent) / scale, descent / scale
