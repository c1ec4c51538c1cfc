"""The layout of the fishbone: ribs fitted on their bones, and the places of all parts.

Lengths are in points, from the lower left; bones alternate above and below the spine. "Out" is the
distance from the spine, upwards for the bones above it and downwards for those below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import hypot, inf
from typing import cast

from retain.report.charts.text_layout import Letters, height
from retain.report.fishbone.model import Bone
from retain.report.fishbone.rows import STYLES, Block, Piece, Room, Style, block

SPINE_GAP = 12.0
"""Distance from the spine to the nearest rib."""
DROPPED_RIB_COST, SMALLER_FONT_COST = 1.5, 0.5
"""Cost of a rib left out and of a smaller font; a fully truncated name costs 2."""


@dataclass(frozen=True)
class Fitting:
    """Every rib's texts in one style, and the lengths of the bones above and below.

    ``shortest`` is the minimum length of a bone, ``most`` the sum of both sides.
    """

    style: Style
    blocks: tuple[tuple[Block, ...], ...]
    shortest: float
    most: float

    def needed_length(self, at: int, count: int | None = None) -> float:
        """Return the length of a bone with ``count`` ribs and a line that counts the rest."""
        shown = self.blocks[at][:count]
        line = self.style.figures.leading + self.style.gap / 2
        rest = line if len(shown) < len(self.blocks[at]) else 0.0
        return SPINE_GAP + sum(one.height + self.style.gap for one in shown) + rest

    @cached_property
    def lengths(self) -> tuple[float, float]:
        """The lengths of the bones above and below, which share the available height."""
        above, below = (self._longest(side) for side in (0, 1))
        if above + below <= self.most:
            return above, below
        half = self.most / 2
        if above <= half:
            return above, self.most - above
        return (self.most - below, below) if below <= half else (half, half)

    def _longest(self, side: int) -> float:
        bones = range(side, len(self.blocks), 2)
        return max([self.shortest, *(self.needed_length(at) for at in bones)]) if bones else 0.0

    def n_kept(self, at: int) -> int:
        """Return the number of ribs that fit on a bone."""
        counts = range(len(self.blocks[at]), 0, -1)
        return next(
            (n for n in counts if self.needed_length(at, n) < self.lengths[at % 2] + 0.01), 0
        )

    @cached_property
    def n_lost(self) -> float:
        """The number of ribs and parts of texts that did not fit."""
        shown = [one[: self.n_kept(at)] for at, one in enumerate(self.blocks)]
        missing = sum(map(len, self.blocks)) - sum(map(len, shown))
        return DROPPED_RIB_COST * missing + sum(one.lost for bone in shown for one in bone)


def fit_texts(bones: Sequence[Bone], room: Room, shortest: float, most: float) -> Fitting:
    """Return the ribs' texts in the style that loses least, the larger of equal ones."""
    best, least = None, inf
    for at, style in enumerate(STYLES):
        blocks = tuple(tuple(block(rib, style, room) for rib in bone.ribs) for bone in bones)
        fitting = Fitting(style, blocks, shortest, most)
        cost = fitting.n_lost + SMALLER_FONT_COST * (at // 2)
        if cost < least:
            best, least = fitting, cost
        if not fitting.n_lost:
            break
    return cast("Fitting", best)


WIDTH, HEIGHT, MARGIN = 806.0, 554.0, 6.0
"""A4 landscape within its margins; the height is the maximum."""
HEAD_WIDTH = 148.0
"""Width of the head and the space before it."""
MAX_THICKNESS, MIN_THICKNESS = 8.0, 0.9
"""Thickness of the bone with the largest contribution, and of one without any."""
MAX_LEANS = (130.0, 130.0, 104.0, 84.0, 66.0, 54.0)
"""Maximum lean of a bone by number of columns."""
LEAN_PER_POINT = 0.5
"""Lean per point of height."""
MAX_COLUMN_WIDTH, MIN_BONE_LENGTH = 430.0, 60.0
"""Maximum width of a column; minimum length of a bone, which is at least half the head."""
COLUMN_GAP, BONE_GAP = 10.0, 3.5
"""Gap between columns, and between a bone and a text."""
GROUP_FONT, CONTRIBUTION_FONT, TIP_GAP = Letters(9.0, bold=True), Letters(7.0), 5.0
"""Fonts of a group's name and of its contribution, and their distance from the bone."""
MAX_BONES = 2 * len(MAX_LEANS)
"""Maximum number of bones."""


@dataclass(frozen=True)
class Frame:
    """The number of columns, and the lean of bones, in total and per point out."""

    columns: int
    shift: float
    lean: float

    @property
    def width(self) -> float:
        """The width of the picture."""
        return width(self.columns)

    @property
    def pitch(self) -> float:
        """The distance between joints."""
        return (self.width - 2 * MARGIN - self.shift - HEAD_WIDTH) / self.columns

    @property
    def half(self) -> float:
        """Half the thickness of the thickest bone, along a rib."""
        return MAX_THICKNESS / 2 * hypot(1, self.lean)

    @property
    def room(self) -> Room:
        """The room of texts over a rib."""
        return Room(self.pitch - 2 * self.half - COLUMN_GAP - BONE_GAP, self.lean)

    @property
    def heading(self) -> float:
        """The width of a group's name around its tip, within the picture's edge."""
        return min(self.pitch - COLUMN_GAP, 2 * HEAD_WIDTH)

    def joint(self, column: int) -> float:
        """Return the point where a column's bones meet the spine."""
        return MARGIN + self.shift + (column + 1) * self.pitch


@dataclass(frozen=True)
class BoneRow:
    """The position of a rib: its start, and where it meets the middle of its bone."""

    block: Block
    left: float
    right: float
    y: float
    lean: float
    half: float

    def x(self, piece: Piece) -> float:
        """Return the x of a text's start, or of its end if it is at the right."""
        if piece.left is not None:
            return self.left + piece.left
        return self.right - self.lean * (piece.up + piece.letters.size) - self.half - BONE_GAP


@dataclass(frozen=True)
class Placed:
    """The position of a bone: joint, tip, lines at the tip, ribs, number of hidden ribs."""

    bone: Bone
    side: int
    joint: tuple[float, float]
    tip: tuple[float, float]
    thick: float
    lines: tuple[tuple[str, Letters], ...]
    rows: tuple[BoneRow, ...]
    more: int
    more_at: tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """The layout of the picture: size, spine from tail to head, longest rib, bones."""

    width: float
    height: float
    spine: float
    tail: float
    head: float
    reach: float
    style: Style
    bones: tuple[Placed, ...]


def width(columns: int) -> float:
    """Return the width of a picture with ``columns`` columns."""
    return min(WIDTH, 2 * MARGIN + MAX_LEANS[columns - 1] + columns * MAX_COLUMN_WIDTH + HEAD_WIDTH)


def plan(bones: Sequence[Bone], legend: float, head: float) -> Plan:
    """Lay out all parts; ``legend`` and ``head`` are heights."""
    columns = (len(bones) + 1) // 2
    frame = Frame(columns, MAX_LEANS[columns - 1], LEAN_PER_POINT)
    for _ in range(2):
        most = HEIGHT - 2 * MARGIN - legend - sum(_tip_heights(bones, frame, head))
        filling = fit_texts(bones, frame.room, max(MIN_BONE_LENGTH, head), most)
        longest = max(filling.lengths)
        lean = min(frame.lean, frame.shift / longest)
        frame = Frame(columns, lean * longest, lean)
    above, below = filling.lengths
    over, under = _tip_heights(bones, frame, head)
    spine = MARGIN + legend + under + below
    placed = tuple(_place_bone(bone, at, frame, filling, spine) for at, bone in enumerate(bones))
    ribs = [row for bone in placed for row in bone.rows]
    return Plan(
        width=frame.width,
        height=spine + above + over + MARGIN,
        spine=spine,
        tail=MARGIN + max(0.45 * frame.shift, 14.0),
        head=frame.joint(columns - 1),
        reach=min((row.right - row.half - row.left for row in ribs), default=0.0),
        style=filling.style,
        bones=placed,
    )


def _tip_lines(bone: Bone, room: float) -> tuple[tuple[str, Letters], ...]:
    """Return the lines at a bone's tip, and their letters."""
    names = GROUP_FONT.lines(bone.name, room)
    message = CONTRIBUTION_FONT.lines(bone.description, room, 3)
    return (
        *((line, GROUP_FONT) for line in names),
        *((line, CONTRIBUTION_FONT) for line in message),
    )


def _tip_heights(bones: Sequence[Bone], frame: Frame, head: float) -> tuple[float, float]:
    """Return the heights of the lines above and below; half the head without a bone."""
    heights = [TIP_GAP + height(_tip_lines(bone, frame.heading)) for bone in bones]
    return max(heights[0::2], default=head), max(heights[1::2], default=head)


def _place_bone(bone: Bone, at: int, frame: Frame, filling: Fitting, spine: float) -> Placed:
    """Return the position of a bone; the first of a pair is nearer to the head."""
    side, length, kept = -1 if at % 2 else 1, filling.lengths[at % 2], filling.n_kept(at)
    joint = frame.joint(frame.columns - 1 - at // 2)
    thick = MIN_THICKNESS + (MAX_THICKNESS - MIN_THICKNESS) * bone.share
    geometry = _BoneGeometry(frame, side, joint, spine, thick / 2 * hypot(1, frame.lean))
    spare = (length - filling.needed_length(at, kept)) / max(kept, 1)
    rows, out = [], SPINE_GAP
    for one in filling.blocks[at][:kept]:
        rows.append(geometry.row(one, out))
        out += one.height + filling.style.gap + spare
    return Placed(
        bone=bone,
        side=side,
        joint=(joint, spine),
        tip=geometry.at(length),
        thick=thick,
        lines=_tip_lines(bone, frame.heading),
        rows=tuple(rows),
        more=len(filling.blocks[at]) - kept,
        more_at=geometry.beside(out, filling.style.figures),
    )


@dataclass(frozen=True)
class _BoneGeometry:
    """The geometry of a bone: side, joint, and half its thickness along a rib."""

    frame: Frame
    side: int
    joint: float
    spine: float
    half: float

    def at(self, out: float) -> tuple[float, float]:
        """Return the middle of the bone at this distance from the spine."""
        return self.joint - self.frame.lean * out, self.spine + self.side * out

    def row(self, block: Block, out: float) -> BoneRow:
        """Return the row of a rib with texts at this distance, its line below them."""
        right, y = self.at(out if self.side > 0 else out + block.height)
        left = self.at(out)[0] - self.frame.pitch + self.frame.half + COLUMN_GAP
        return BoneRow(block, left, right, y, self.frame.lean * (self.side > 0), self.half)

    def beside(self, out: float, letters: Letters) -> tuple[float, float]:
        """Return the end point of a line of text next to the bone."""
        far, y = self.at(out + letters.leading)
        foot = y if self.side < 0 else self.at(out)[1]
        return far - self.half - BONE_GAP, foot + letters.below("")
