"""The layout of the fishbone, computed from the measured sizes of its texts.

Lengths are in points, from the lower left. "Out" is the distance from the spine, upwards for the
bones above it and downwards for those below. May import: report.fishbone.anatomy,
report.fishbone.filling, report.fishbone.rows, report.lettering.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from retain.report.charts.text_layout import Letters, height
from retain.report.fishbone.fitting import CLEAR, Fitting, fit_texts
from retain.report.fishbone.model import Bone
from retain.report.fishbone.rows import Block, Piece, Room, Style

WIDTH, HEIGHT, MARGIN = 806.0, 554.0, 6.0
"""A4 landscape within its margins; the height is the most there is."""
HEAD = 148.0
"""The head, and the air before it."""
THICK, HAIRLINE = 8.0, 0.9
"""The largest contribution, and none."""
LEANS = (130.0, 130.0, 104.0, 84.0, 66.0, 54.0)
"""How far the end of a bone stands behind its joint at most, by columns."""
LEAN = 0.5
"""The same for each point of its height."""
WIDEST, SHORTEST = 430.0, 60.0
"""Of a column, where there are few; of a bone, which is never shorter than half the head either."""
AIR, EDGE = 10.0, 3.5
"""Between columns; from a bone to a text."""
GROUP, TOLD, TIP = Letters(9.0, bold=True), Letters(7.0), 5.0
"""A group's name, what it contributes, and how far they stand from their bone."""
SHOWN = 2 * len(LEANS)
"""Bones at most."""


@dataclass(frozen=True)
class Frame:
    """The columns: how many, and how far bones lean, in all and for each point out."""

    columns: int
    shift: float
    lean: float

    @property
    def width(self) -> float:
        """Of the picture."""
        return width(self.columns)

    @property
    def pitch(self) -> float:
        """From one joint to the next."""
        return (self.width - 2 * MARGIN - self.shift - HEAD) / self.columns

    @property
    def half(self) -> float:
        """Half the thickest bone, along a rib."""
        return THICK / 2 * hypot(1, self.lean)

    @property
    def room(self) -> Room:
        """The room of texts over a rib."""
        return Room(self.pitch - 2 * self.half - AIR - EDGE, self.lean)

    @property
    def heading(self) -> float:
        """The width of a group's name around its tip, within the picture's edge."""
        return min(self.pitch - AIR, 2 * HEAD)

    def joint(self, column: int) -> float:
        """Return the point where a column's bones meet the spine."""
        return MARGIN + self.shift + (column + 1) * self.pitch


@dataclass(frozen=True)
class Row:
    """A rib in its place: where it begins, and where it meets the middle of its bone."""

    block: Block
    left: float
    right: float
    y: float
    lean: float
    half: float

    def x(self, piece: Piece) -> float:
        """Return the x of a text's beginning or, at the right, of its end."""
        if piece.left is not None:
            return self.left + piece.left
        return self.right - self.lean * (piece.up + piece.letters.size) - self.half - EDGE


@dataclass(frozen=True)
class Placed:
    """A bone in its place: joint and tip, the lines at its tip, its ribs, how many more it has."""

    bone: Bone
    side: int
    joint: tuple[float, float]
    tip: tuple[float, float]
    thick: float
    lines: tuple[tuple[str, Letters], ...]
    rows: tuple[Row, ...]
    more: int
    more_at: tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """The whole picture: its size, the spine from tail to head, the longest rib, the bones."""

    width: float
    height: float
    spine: float
    tail: float
    head: float
    reach: float
    style: Style
    bones: tuple[Placed, ...]


def width(columns: int) -> float:
    """Of a picture with so many columns."""
    return min(WIDTH, 2 * MARGIN + LEANS[columns - 1] + columns * WIDEST + HEAD)


def plan(bones: Sequence[Bone], legend: float, head: float) -> Plan:
    """Lay out all parts, over a legend and around a head of these heights."""
    columns = (len(bones) + 1) // 2
    frame = Frame(columns, LEANS[columns - 1], LEAN)
    for _ in range(2):
        most = HEIGHT - 2 * MARGIN - legend - sum(_heights(bones, frame, head))
        filling = fit_texts(bones, frame.room, max(SHORTEST, head), most)
        longest = max(filling.lengths)
        lean = min(frame.lean, frame.shift / longest)
        frame = Frame(columns, lean * longest, lean)
    above, below = filling.lengths
    over, under = _heights(bones, frame, head)
    spine = MARGIN + legend + under + below
    placed = tuple(_placed(bone, at, frame, filling, spine) for at, bone in enumerate(bones))
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


def _lines(bone: Bone, room: float) -> tuple[tuple[str, Letters], ...]:
    """Return the lines at a bone's tip, and their letters."""
    names = GROUP.lines(bone.name, room)
    message = TOLD.lines(bone.description, room, 3)
    return (*((line, GROUP) for line in names), *((line, TOLD) for line in message))


def _heights(bones: Sequence[Bone], frame: Frame, head: float) -> tuple[float, float]:
    """Of the lines at the tips above and below; half the head where there is no bone."""
    found = [TIP + height(_lines(bone, frame.heading)) for bone in bones]
    return max(found[0::2], default=head), max(found[1::2], default=head)


def _placed(bone: Bone, at: int, frame: Frame, filling: Fitting, spine: float) -> Placed:
    """Return a bone in its place; of two beside each other the first is nearer to the head."""
    side, length, kept = -1 if at % 2 else 1, filling.lengths[at % 2], filling.n_kept(at)
    joint = frame.joint(frame.columns - 1 - at // 2)
    thick = HAIRLINE + (THICK - HAIRLINE) * bone.share
    stand = _Stand(frame, side, joint, spine, thick / 2 * hypot(1, frame.lean))
    spare = (length - filling.need(at, kept)) / max(kept, 1)
    rows, out = [], CLEAR
    for one in filling.blocks[at][:kept]:
        rows.append(stand.row(one, out))
        out += one.height + filling.style.gap + spare
    return Placed(
        bone=bone,
        side=side,
        joint=(joint, spine),
        tip=stand.at(length),
        thick=thick,
        lines=_lines(bone, frame.heading),
        rows=tuple(rows),
        more=len(filling.blocks[at]) - kept,
        more_at=stand.beside(out, filling.style.figures),
    )


@dataclass(frozen=True)
class _Stand:
    """The geometry of a bone: side, joint, and half its thickness along a rib."""

    frame: Frame
    side: int
    joint: float
    spine: float
    half: float

    def at(self, out: float) -> tuple[float, float]:
        """Return the bone's middle, so far out."""
        return self.joint - self.frame.lean * out, self.spine + self.side * out

    def row(self, block: Block, out: float) -> Row:
        """Return the row of a rib with texts at this distance; its line is under them."""
        right, y = self.at(out if self.side > 0 else out + block.height)
        left = self.at(out)[0] - self.frame.pitch + self.frame.half + AIR
        return Row(block, left, right, y, self.frame.lean * (self.side > 0), self.half)

    def beside(self, out: float, letters: Letters) -> tuple[float, float]:
        """Return the point where a line of text ends beside the bone."""
        far, y = self.at(out + letters.leading)
        foot = y if self.side < 0 else self.at(out)[1]
        return far - self.half - EDGE, foot + letters.below("")
