"""The fishbone (Ishikawa diagram): what goes with a decline, by group and by feature.

Groups of features are bones, the larger contribution nearer to the head; features are ribs, the
stronger nearer to the spine. The legend explains thickness, colours, signs and numbers. Lengths
are in points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from retain.record.verdict_document import VerdictDocument
from retain.report.charts.canvas import Chart, Labels, Tooltip
from retain.report.charts.painter import Painter, Side
from retain.report.charts.text_layout import Letters, height
from retain.report.fishbone.layout import (
    GROUP_FONT,
    HEAD_WIDTH,
    MARGIN,
    MAX_BONES,
    TIP_GAP,
    BoneRow,
    Placed,
    Plan,
    plan,
    width,
)
from retain.report.fishbone.model import RISKIEST, SIGNS, Bone, Head, Rib, VerdictReader
from retain.report.fishbone.rows import Piece
from retain.report.text.numbers import count_path

BAR_STYLES = {"strong": (2.6, "accent"), "plain": (2.6, "muted"), "weak": (1.7, "muted")}
"""Thickness and colour of a rib's bar by tone."""
TONE_TEXTS = {
    "strong": "fishbone.key.strength",
    "weak": "fishbone.key.weak",
    "plain": "fishbone.key.phik",
    "unused": "fishbone.key.unused",
}
SIGN_TEXTS = {
    SIGNS["up"]: "fishbone.key.up",
    SIGNS["down"]: "fishbone.key.down",
    SIGNS["mixed"]: "fishbone.key.mixed",
    RISKIEST: "fishbone.key.level",
}
LINE_HEIGHT = 10.0
KEY_FONT, SIGN_FONT = Letters(6.8), Letters(8.0, bold=True)
KEY_GAP, SPACE_ABOVE, SAMPLE_WIDTH, SIGN_WIDTH = 16.0, 20.0, 21.0, 10.0
"""Gap between keys, space above all, width of a line sample, width of a sign."""


@dataclass(frozen=True)
class Key:
    """A sample of what is drawn, and its meaning."""

    drawn: str
    text: str

    @property
    def indent(self) -> float:
        """The width from the sample to its text."""
        return 0.0 if not self.drawn else SIGN_WIDTH if len(self.drawn) == 1 else SAMPLE_WIDTH

    @property
    def width(self) -> float:
        """The width of sample and text."""
        return self.indent + KEY_FONT.width(self.text)


@dataclass(frozen=True)
class Legend:
    """The keys of the picture, in lines of its width."""

    keys: Sequence[Key]
    width: float

    @cached_property
    def lines(self) -> list[list[Key]]:
        """Keys in lines, none wider than the picture."""
        lines: list[list[Key]] = [[]]
        for key in self.keys:
            taken = sum(one.width + KEY_GAP for one in lines[-1])
            if lines[-1] and taken + key.width > self.width - 2 * MARGIN:
                lines.append([])
            lines[-1].append(key)
        return lines

    @property
    def height(self) -> float:
        """The height of all lines and the space above them."""
        return SPACE_ABOVE + len(self.lines) * LINE_HEIGHT

    def draw(self, painter: Painter) -> None:
        """Write the lines at the foot of the picture."""
        y = MARGIN + self.height - SPACE_ABOVE
        for line in self.lines:
            y -= LINE_HEIGHT
            x = MARGIN
            for key in line:
                _draw_key(painter, key, x, y + KEY_FONT.below(""))
                x += key.width + KEY_GAP


def _draw_key(painter: Painter, key: Key, x: float, y: float) -> None:
    middle = y + 0.36 * KEY_FONT.size
    if key.drawn == "bone":
        for left, thick in ((0.0, 0.9), (4.5, 2.4), (10.5, 4.5)):
            tops, feet = (x + left, x + left + thick), (x + left + 3, x + left + thick + 3)
            painter.shape(
                [(tops[0], y + 6), (tops[1], y + 6), (feet[1], y - 1), (feet[0], y - 1)], "ink"
            )
    elif key.drawn == "dashed":
        painter.line((x, middle), (x + 15, middle), 0.9, "muted", dashed=True)
    elif key.drawn in BAR_STYLES:
        painter.line((x, middle), (x + 15, middle), *BAR_STYLES[key.drawn])
    elif key.drawn:
        painter.write((x, y), key.drawn, SIGN_FONT, "accent")
    painter.write((x + key.indent, y), key.text, KEY_FONT, "muted" if key.drawn else "ink")


def legend(bones: Sequence[Bone], reader: VerdictReader, width: float) -> Legend:
    """Return the legend of these bones, with the keys they need only."""
    ribs = [rib for bone in bones for rib in bone.ribs]
    signs = {rib.sign for rib in ribs} | {rib.level[:1] for rib in ribs}
    tones = {rib.tone for rib in ribs}
    entries = [
        *([("bone", "fishbone.key.thickness")] if any(bone.share for bone in bones) else []),
        *([("dashed", "fishbone.key.unmeasured")] if any(map(_is_unmeasured, bones)) else []),
        *((tone, key) for tone, key in TONE_TEXTS.items() if tone in tones),
        *((sign, key) for sign, key in SIGN_TEXTS.items() if sign in signs),
        ("", "fishbone.key.order"),
        ("", "fishbone.key.associations"),
    ]
    keys = [
        Key("dashed" if sample == "unused" else sample, reader.say(key)) for sample, key in entries
    ]
    if len(bones) > MAX_BONES:
        keys.append(
            Key("", reader.say("fishbone.more_groups", n=count_path(len(bones) - MAX_BONES, "")))
        )
    return Legend(keys, width)


def _is_unmeasured(bone: Bone) -> bool:
    return bone.dashed and bone.used


TARGET_FONT, RATE_FONT, CUSTOMERS_FONT = (
    Letters(8.6, bold=True),
    Letters(21.0, bold=True),
    Letters(7.2),
)
NECK_LENGTH, CHEEK_WIDTH, HEAD_TEXT_WIDTH = 14.0, 13.0, 85.0
"""Distance from the last joint to the head, from there to its texts, and their maximum width."""
HEAD_AIR, HEAD_FACTOR = 11.0, 1.3
"""Height of the head over its texts': an offset in points and a factor."""


@dataclass(frozen=True)
class HeadShape:
    """The lines of the head's texts, and their height."""

    head: Head

    @cached_property
    def lines(self) -> list[tuple[str, Letters]]:
        """The target, its rate, and the number of customers."""
        return [
            *(
                (line, TARGET_FONT)
                for line in TARGET_FONT.lines(self.head.target, HEAD_TEXT_WIDTH, 4)
            ),
            (self.head.rate, RATE_FONT),
            *(
                (line, CUSTOMERS_FONT)
                for line in CUSTOMERS_FONT.lines(self.head.customers, HEAD_TEXT_WIDTH)
            ),
        ]

    @property
    def half(self) -> float:
        """Half the height."""
        return HEAD_AIR + HEAD_FACTOR * self._texts / 2

    @property
    def _texts(self) -> float:
        return height(self.lines)

    def draw(self, painter: Painter, plan: Plan) -> None:
        """Draw head and tail at the ends of the spine, and the texts."""
        left, right, y = plan.head + NECK_LENGTH, plan.head + HEAD_WIDTH, plan.spine
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
            at = (left + CHEEK_WIDTH, top + letters.below(text))
            painter.write(at, text, letters, "paper")


SPINE_THICKNESS, RIB_THICKNESS = 3.0, 0.7
"""Thickness of the spine and of a rib without its bar, in points."""


def fishbone(tree: VerdictDocument, labels: Labels) -> Chart | None:
    """Return the diagram, None without explanations; to be called within ``chart_style``."""
    if not (tree.explanations and tree.explanations.groups):
        return None
    reader = VerdictReader(tree.explanations, labels.language)
    bones, skull = reader.bones(), HeadShape(reader.head())
    shown = bones[:MAX_BONES]
    keys = legend(bones, reader, width((len(shown) + 1) // 2))
    layout = plan(shown, keys.height, skull.half)
    painter = Painter.on_paper(layout.width, layout.height)
    spots = [_draw_rib(painter, row, layout) for bone in layout.bones for row in bone.rows]
    for bone in layout.bones:
        _draw_bone(painter, bone, layout, reader)
    painter.line(
        (layout.tail, layout.spine),
        (layout.head + NECK_LENGTH + 8, layout.spine),
        SPINE_THICKNESS,
        "ink",
    )
    skull.draw(painter, layout)
    keys.draw(painter)
    return Chart("fishbone", painter.figure, tuple(spots), labels, "xy")


def _draw_bone(painter: Painter, bone: Placed, layout: Plan, reader: VerdictReader) -> None:
    """Draw a bone and the lines at its tip."""
    if bone.bone.dashed:
        painter.line(bone.joint, bone.tip, bone.thick, "muted", dashed=True)
    else:
        painter.bone(bone.joint, bone.tip, bone.thick, "ink")
    top = bone.tip[1] + (TIP_GAP + height(bone.lines) if bone.side > 0 else -TIP_GAP)
    for text, letters in bone.lines:
        top -= letters.height(text)
        colour = "ink" if letters is GROUP_FONT and bone.bone.used else "muted"
        painter.write((bone.tip[0], top + letters.below(text)), text, letters, colour, "center")
    if bone.more:
        more = reader.say("fishbone.more", n=count_path(bone.more, ""))
        painter.write(bone.more_at, more, layout.style.figures, "muted", "right")


def _draw_rib(painter: Painter, row: BoneRow, layout: Plan) -> Tooltip:
    """Draw a rib, its strength as a bar, and its texts; return the tooltip."""
    rib, y, end = row.block.rib, row.y, row.right - row.half
    start = end - layout.reach * rib.share
    painter.line((row.left, y), (row.right, y), RIB_THICKNESS, "line", dashed=rib.tone == "unused")
    if rib.share:
        painter.line((start, y), (end, y), *BAR_STYLES[rib.tone])
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
