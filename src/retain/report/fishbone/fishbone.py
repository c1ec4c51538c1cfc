"""The fishbone (Ishikawa diagram): what goes with a decline, by group and by feature.

Groups of features are bones, the larger contribution nearer to the head; features are ribs, the
stronger nearer to the spine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from retain.report.charts.canvas import Chart, Labels, Tooltip
from retain.report.charts.painter import Painter, Side
from retain.report.charts.text_layout import Letters, height
from retain.report.fishbone.layout import GROUP, HEAD, SHOWN, TIP, Placed, Plan, Row, plan, width
from retain.report.fishbone.legend import BARS, legend
from retain.report.fishbone.model import Head, Rib, VerdictReader
from retain.report.fishbone.rows import Piece
from retain.report.text.names import Tree
from retain.report.text.numbers import count_path

TARGET, RATE, CUSTOMERS = Letters(8.6, bold=True), Letters(21.0, bold=True), Letters(7.2)
NECK, CHEEK, ROOM = 14.0, 13.0, 85.0
"""Distance from the last joint to the head, from there to its texts, and their maximum width."""
AIR, ROUND = 11.0, 1.3
"""Height of the head over its texts': an offset in points and a factor."""


@dataclass(frozen=True)
class HeadShape:
    """The lines of the head's texts, and their height."""

    head: Head

    @cached_property
    def lines(self) -> list[tuple[str, Letters]]:
        """The target, its rate, and the number of customers."""
        return [
            *((line, TARGET) for line in TARGET.lines(self.head.target, ROOM, 4)),
            (self.head.rate, RATE),
            *((line, CUSTOMERS) for line in CUSTOMERS.lines(self.head.customers, ROOM)),
        ]

    @property
    def half(self) -> float:
        """Half the height."""
        return AIR + ROUND * self._texts / 2

    @property
    def _texts(self) -> float:
        return height(self.lines)

    def draw(self, painter: Painter, plan: Plan) -> None:
        """Draw head and tail at the ends of the spine, and the texts."""
        left, right, y = plan.head + NECK, plan.head + HEAD, plan.spine
        wide, half = right - left, self.half
        outline = [
            *((left, y - half), (left + 7, y - half / 3), (left + 7, y + half / 3)),
            *((left, y + half), (left + 0.64 * wide, y + half)),
            *((right - 0.06 * wide, y + 0.55 * half), (right, y)),
            *((right - 0.06 * wide, y - 0.55 * half), (left + 0.64 * wide, y - half)),
            (left, y - half),
        ]
        painter.shape(outline, "accent", curved=range(1, 10))
        x, fin = plan.tail, 10.0
        painter.shape([(x + 8, y), (x - 11, y + fin), (x - 6, y), (x - 11, y - fin)], "ink")
        top = y + self._texts / 2
        for text, letters in self.lines:
            top -= letters.height(text)
            at = (left + CHEEK, top + letters.below(text))
            painter.write(at, text, letters, "paper")


SPINE, THIN = 3.0, 0.7
"""Thickness of the spine and of a rib without its bar, in points."""


def fishbone(tree: Tree, labels: Labels) -> Chart | None:
    """Return the diagram, None without explanations; to be called within ``chart_style``."""
    if not (tree["explanations"] and tree["explanations"]["groups"]):
        return None
    reader = VerdictReader(tree["explanations"], labels.language)
    bones, skull = reader.bones(), HeadShape(reader.head())
    shown = bones[:SHOWN]
    keys = legend(bones, reader, width((len(shown) + 1) // 2))
    layout = plan(shown, keys.height, skull.half)
    painter = Painter.on_paper(layout.width, layout.height)
    spots = [_draw_rib(painter, row, layout) for bone in layout.bones for row in bone.rows]
    for bone in layout.bones:
        _draw_bone(painter, bone, layout, reader)
    painter.line((layout.tail, layout.spine), (layout.head + NECK + 8, layout.spine), SPINE, "ink")
    skull.draw(painter, layout)
    keys.draw(painter)
    return Chart("fishbone", painter.figure, tuple(spots), labels, "xy")


def _draw_bone(painter: Painter, bone: Placed, layout: Plan, reader: VerdictReader) -> None:
    """Draw a bone and the lines at its tip."""
    if bone.bone.dashed:
        painter.line(bone.joint, bone.tip, bone.thick, "muted", dashed=True)
    else:
        painter.bone(bone.joint, bone.tip, bone.thick, "ink")
    top = bone.tip[1] + (TIP + height(bone.lines) if bone.side > 0 else -TIP)
    for text, letters in bone.lines:
        top -= letters.height(text)
        colour = "ink" if letters is GROUP and bone.bone.used else "muted"
        painter.write((bone.tip[0], top + letters.below(text)), text, letters, colour, "center")
    if bone.more:
        more = reader.say("fishbone.more", n=count_path(bone.more, ""))
        painter.write(bone.more_at, more, layout.style.figures, "muted", "right")


def _draw_rib(painter: Painter, row: Row, layout: Plan) -> Tooltip:
    """Draw a rib, its strength as a bar, and its texts; return the tooltip."""
    rib, y, end = row.block.rib, row.y, row.right - row.half
    start = end - layout.reach * rib.share
    painter.line((row.left, y), (row.right, y), THIN, "line", dashed=rib.tone == "unused")
    if rib.share:
        painter.line((start, y), (end, y), *BARS[rib.tone])
    for piece in row.block.pieces:
        side: Side = "right" if piece.left is None else "left"
        at, colour = (row.x(piece), y + piece.up), _text_colour(piece, rib)
        painter.write(at, piece.text, piece.letters, colour, side)
    return Tooltip(round(start, 2), round(layout.height - y, 2), rib.name, rib.values)


def _text_colour(piece: Piece, rib: Rib) -> str:
    """Return the colour of a text over a rib."""
    if piece.part == "level" or rib.tone in ("weak", "unused"):
        return "muted"
    return "accent" if piece.part == "sign" else "ink"
