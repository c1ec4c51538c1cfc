"""Fitting of ribs on their bones, and of their letter size.

Lengths are in points; bones stand alternately above and below the spine. May import:
report.fishbone.anatomy, report.fishbone.rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import cast

from retain.report.fishbone.model import Bone
from retain.report.fishbone.rows import STYLES, Block, Room, Style, block

CLEAR = 12.0
"""From the spine to the nearest rib."""
DROPPED, SMALLER = 1.5, 0.5
"""What a rib left out, and a step to smaller letters, cost against a name cut whole, which is 2."""


@dataclass(frozen=True)
class Fitting:
    """Every rib's texts in one style, and how long the bones above and below become.

    ``shortest`` is a bone's least length, ``most`` what both sides have together.
    """

    style: Style
    blocks: tuple[tuple[Block, ...], ...]
    shortest: float
    most: float

    def need(self, at: int, count: int | None = None) -> float:
        """Return the length of a bone with so many ribs, and a line that counts the rest."""
        shown = self.blocks[at][:count]
        line = self.style.figures.leading + self.style.gap / 2
        rest = line if len(shown) < len(self.blocks[at]) else 0.0
        return CLEAR + sum(one.height + self.style.gap for one in shown) + rest

    @cached_property
    def lengths(self) -> tuple[float, float]:
        """Of the bones above and below, which share the height there is."""
        above, below = (self._longest(side) for side in (0, 1))
        if above + below <= self.most:
            return above, below
        half = self.most / 2
        if above <= half:
            return above, self.most - above
        return (self.most - below, below) if below <= half else (half, half)

    def _longest(self, side: int) -> float:
        bones = range(side, len(self.blocks), 2)
        return max([self.shortest, *(self.need(at) for at in bones)]) if bones else 0.0

    def n_kept(self, at: int) -> int:
        """Return the number of ribs a bone has room for."""
        counts = range(len(self.blocks[at]), 0, -1)
        return next((n for n in counts if self.need(at, n) < self.lengths[at % 2] + 0.01), 0)

    @cached_property
    def n_lost(self) -> float:
        """The number of ribs and parts of texts that did not fit."""
        shown = [one[: self.n_kept(at)] for at, one in enumerate(self.blocks)]
        missing = sum(map(len, self.blocks)) - sum(map(len, shown))
        return DROPPED * missing + sum(one.lost for bone in shown for one in bone)


def fit_texts(bones: Sequence[Bone], room: Room, shortest: float, most: float) -> Fitting:
    """Return the ribs' texts in the style that loses least, the larger where two lose as much."""
    best, least = None, inf
    for at, style in enumerate(STYLES):
        blocks = tuple(tuple(block(rib, style, room) for rib in bone.ribs) for bone in bones)
        found = Fitting(style, blocks, shortest, most)
        cost = found.n_lost + SMALLER * (at // 2)
        if cost < least:
            best, least = found, cost
        if not found.n_lost:
            break
    return cast("Fitting", best)
