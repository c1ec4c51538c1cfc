"""Text layout: the width of a text in its font, and wrapping and truncation to a width.

Lengths are in points, except in ``inches`` and ``wrap_text``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate

from retain.report.charts.canvas import POINTS_PER_INCH, RC_PARAMS
from retain.report.text.names import printable

ELLIPSIS = "…"
LINE_HEIGHT = 1.24
"""Line height as a multiple of the font size."""
MAX_LINES = 1000
"""More lines than any name needs."""
DESCENT = 0.26
"""Descent as a multiple of the font size."""


@dataclass(frozen=True)
class Letters:
    """A font of one size and weight."""

    size: float
    bold: bool = False

    @property
    def leading(self) -> float:
        """The distance between two baselines."""
        return LINE_HEIGHT * self.size

    def width(self, text: str) -> float:
        """Return the width of a text.

        >>> Letters(10).width("wide") > Letters(10).width("thin") > Letters(5).width("thin")
        True
        """
        return _measure(text, bold=self.bold)[0] * self.size if text else 0.0

    def below(self, text: str) -> float:
        """Return the descent of its line below the baseline."""
        return max(DESCENT, _measure(text, bold=self.bold)[2] if text else 0.0) * self.size

    def height(self, text: str) -> float:
        """Return the height of its line: the leading, or more for stacked marks.

        >>> Letters(10).height("Name") == Letters(10).leading < Letters(10).height("Ẫ")
        True
        """
        ascent = _measure(text, bold=self.bold)[1] if text else 0.0
        return max(LINE_HEIGHT - DESCENT, ascent) * self.size + self.below(text)

    def cut(self, text: str, room: float) -> str:
        """Return the text, truncated with an ellipsis if it is wider than ``room``.

        >>> Letters(10).cut("a long name", 40), Letters(10).cut("short", 40)
        ('a lon…', 'short')
        """
        if self.width(text) <= room:
            return text
        return self._longest_start(text, room, ELLIPSIS).rstrip(" ,;:") + ELLIPSIS

    def lines(
        self, text: str, room: float, most: int = 2, *, last: float | None = None
    ) -> list[str]:
        """Return the text in at most ``most`` lines, broken at spaces or within a long word.

        ``last`` is the width of the last line, ``room`` by default.

        >>> Letters(10).lines("a name of many words, too long", 80)
        ['a name of', 'many words…']
        >>> Letters(10).lines("a name of few words", 100)
        ['a name', 'of few words']
        """
        end = room if last is None else last
        parts: list[str] = []
        rest = text.strip()
        while len(parts) < most - 1 and self.width(rest) > end:
            line = self._first_line(rest, room)
            if line == rest:  # one word, too wide for the last line alone
                line = self._longest_start(rest, end)
            parts.append(line.strip())
            rest = rest[len(line) :].strip()
        if len(parts) == 1 and self.width(rest) <= end:
            parts, rest = self._balance(parts[0], rest, end)
        return [*parts, self.cut(rest, end)] if rest else parts

    def _balance(self, first: str, second: str, room: float) -> tuple[list[str], str]:
        """Return two lines of similar width, broken rather after a comma than a short word."""
        words, widest = first.split(" "), self.width(first)
        while len(words) > 1 and not words[-1].endswith((",", ";", ":")):
            longer = f"{words[-1]} {second}"
            if self.width(longer) > (room if len(words[-1]) < 3 else min(room, widest)):
                break
            second = longer
            widest = max(self.width(" ".join(words[:-1])), self.width(second))
            words.pop()
        return [" ".join(words)], second

    def _first_line(self, text: str, room: float) -> str:
        """Return the first line: as many words as fit, or a part of the first."""
        longest = self._longest_start(text, room)
        if text[len(longest) :].startswith(" "):
            return longest
        words, space, _ = longest.rpartition(" ")
        return words if space and words.strip() else longest

    def _longest_start(self, text: str, room: float, end: str = "") -> str:
        """Return the longest start, at least one letter, that fits with ``end`` after it."""
        within = (room - self.width(end)) / self.size
        long = [at for at, wide in enumerate(accumulate(map(_advance, text)), 1) if wide <= within]
        length = max(long, default=1)
        while length > 1 and self.width(text[:length].rstrip() + end) > room:
            length -= 1
        return text[:length]


def inches(text: str, size: float = RC_PARAMS["font.size"]) -> float:
    """Return the width of a text in inches, ``size`` in points."""
    return Letters(size).width(text) / POINTS_PER_INCH


def wrap_text(
    text: str, width: float, lines: int = MAX_LINES, size: float = RC_PARAMS["font.size"]
) -> list[str]:
    """Return a printable text in at most ``lines`` lines of ``width`` inches."""
    return Letters(size).lines(printable(text), width * POINTS_PER_INCH, lines) or [""]


def height(lines: Sequence[tuple[str, Letters]]) -> float:
    """Return the height of stacked lines."""
    return sum(letters.height(text) for text, letters in lines)


@cache
def _advance(letter: str) -> float:
    """Return the approximate advance of a letter at size 1, without ligatures and kerning."""
    return _measure(f"|{letter}|", bold=False)[0] - _measure("||", bold=False)[0]


@lru_cache(maxsize=20_000)
def _measure(text: str, *, bold: bool) -> tuple[float, float, float]:
    """Return width, ascent and descent of a text at size 1."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    weight, scale = "bold" if bold else "normal", 10.0
    font = FontProperties(family=RC_PARAMS["font.family"], weight=weight, size=scale)
    width, height, descent = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return width / scale, (height - descent) / scale, descent / scale
