"""The fishbone (Ishikawa diagram): what goes with a decline, by group and by feature.

Groups of features are bones, the larger contribution nearer to the head; features are ribs, the
stronger nearer to the spine. May import: report.canvas, report.fishbone.anatomy,
report.fishbone.head, report.fishbone.layout, report.fishbone.legend, report.lettering,
report.names, report.numbers, report.pen.
"""

from __future__ import annotations

from retain.report.canvas import Chart, Labels, Spot
from retain.report.fishbone.anatomy import Reader, Rib
from retain.report.fishbone.head import NECK, Skull
from retain.report.fishbone.layout import GROUP, SHOWN, TIP, Placed, Plan, Row, plan, width
from retain.report.fishbone.legend import BARS, legend
from retain.report.fishbone.rows import Piece
from retain.report.lettering import height
from retain.report.names import Tree
from retain.report.numbers import counted
from retain.report.pen import Pen, Side

SPINE, THIN = 3.0, 0.7
"""Thickness of the spine and of a rib without its bar, in points."""


def fishbone(tree: Tree, labels: Labels) -> Chart | None:
    """The diagram in the labels' language; None where the verdict gives none.

    To be called within ``canvas.hand``.
    """
    if not (tree["reasons"] and tree["reasons"]["groups"]):
        return None
    reader = Reader(tree["reasons"], labels.language)
    bones, skull = reader.bones(), Skull(reader.head())
    shown = bones[:SHOWN]
    keys = legend(bones, reader, width((len(shown) + 1) // 2))
    found = plan(shown, keys.height, skull.half)
    pen = Pen.on_paper(found.width, found.height)
    spots = [_rib(pen, row, found) for bone in found.bones for row in bone.rows]
    for bone in found.bones:
        _bone(pen, bone, found, reader)
    pen.line((found.tail, found.spine), (found.head + NECK + 8, found.spine), SPINE, "ink")
    skull.draw(pen, found)
    keys.draw(pen)
    return Chart("fishbone", pen.figure, tuple(spots), labels, "xy")


def _bone(pen: Pen, bone: Placed, found: Plan, reader: Reader) -> None:
    """A bone, cut level at both ends, and the lines at its tip."""
    if bone.bone.dashed:
        pen.line(bone.joint, bone.tip, bone.thick, "muted", dashed=True)
    else:
        pen.bone(bone.joint, bone.tip, bone.thick, "ink")
    top = bone.tip[1] + (TIP + height(bone.lines) if bone.side > 0 else -TIP)
    for text, letters in bone.lines:
        top -= letters.height(text)
        colour = "ink" if letters is GROUP and bone.bone.used else "muted"
        pen.write((bone.tip[0], top + letters.below(text)), text, letters, colour, "center")
    if bone.more:
        more = reader.say("fishbone.more", n=counted(bone.more, ""))
        pen.write(bone.more_at, more, found.style.figures, "muted", "right")


def _rib(pen: Pen, row: Row, found: Plan) -> Spot:
    """A rib, its strength as a bar on it, and its texts; where it can be pointed at."""
    rib, y, end = row.block.rib, row.y, row.right - row.half
    start = end - found.reach * rib.share
    pen.line((row.left, y), (row.right, y), THIN, "line", dashed=rib.tone == "unused")
    if rib.share:
        pen.line((start, y), (end, y), *BARS[rib.tone])
    for piece in row.block.pieces:
        side: Side = "right" if piece.left is None else "left"
        at, colour = (row.x(piece), y + piece.up), _colour(piece, rib)
        pen.write(at, piece.text, piece.letters, colour, side)
    return Spot(round(start, 2), round(found.height - y, 2), rib.name, rib.values)


def _colour(piece: Piece, rib: Rib) -> str:
    """Of a text over a rib."""
    if piece.part == "level" or rib.tone in ("weak", "unused"):
        return "muted"
    return "accent" if piece.part == "sign" else "ink"
