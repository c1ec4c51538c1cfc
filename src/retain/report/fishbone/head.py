"""The fishbone's head, in which stands what all bones lead to, and its tail.

Lengths are in points. May import: report.fishbone.anatomy, report.fishbone.layout,
report.lettering, report.pen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from retain.report.fishbone.anatomy import Head
from retain.report.fishbone.layout import HEAD, Plan
from retain.report.lettering import Letters, height
from retain.report.pen import Pen

TARGET, RATE, CUSTOMERS = Letters(8.6, bold=True), Letters(21.0, bold=True), Letters(7.2)
NECK, CHEEK, ROOM = 14.0, 13.0, 85.0
"""From the last joint to the head, from there to its texts, and how wide these may be."""
AIR, ROUND = 11.0, 1.3
"""How much higher the head is than its texts: so much, and so many times."""


@dataclass(frozen=True)
class Skull:
    """A head's texts in lines, and how high they make it."""

    head: Head

    @cached_property
    def lines(self) -> list[tuple[str, Letters]]:
        """The target, its rate, and of how many customers."""
        return [
            *((line, TARGET) for line in TARGET.lines(self.head.target, ROOM, 4)),
            (self.head.rate, RATE),
            *((line, CUSTOMERS) for line in CUSTOMERS.lines(self.head.customers, ROOM)),
        ]

    @property
    def half(self) -> float:
        """Half its height."""
        return AIR + ROUND * self._texts / 2

    @property
    def _texts(self) -> float:
        return height(self.lines)

    def draw(self, pen: Pen, plan: Plan) -> None:
        """Head and tail at the ends of the spine, and the texts."""
        left, right, y = plan.head + NECK, plan.head + HEAD, plan.spine
        wide, half = right - left, self.half
        outline = [
            *((left, y - half), (left + 7, y - half / 3), (left + 7, y + half / 3)),
            *((left, y + half), (left + 0.64 * wide, y + half)),
            *((right - 0.06 * wide, y + 0.55 * half), (right, y)),
            *((right - 0.06 * wide, y - 0.55 * half), (left + 0.64 * wide, y - half)),
            (left, y - half),
        ]
        pen.shape(outline, "accent", curved=range(1, 10))
        x, fin = plan.tail, 10.0
        pen.shape([(x + 8, y), (x - 11, y + fin), (x - 6, y), (x - 11, y - fin)], "ink")
        top = y + self._texts / 2
        for text, letters in self.lines:
            top -= letters.height(text)
            at = (left + CHEEK, top + letters.below(text))
            pen.write(at, text, letters, "paper")
