"""The legend of the fishbone: thickness, colours, signs and numbers.

Lengths are in points. May import: report.fishbone.anatomy, report.fishbone.layout,
report.lettering, report.pen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from retain.report.charts.painter import Painter
from retain.report.charts.text_layout import Letters
from retain.report.fishbone.layout import MARGIN, SHOWN
from retain.report.fishbone.model import RISKIEST, SIGNS, Bone, VerdictReader
from retain.report.text.numbers import count_path

BARS = {"strong": (2.6, "accent"), "plain": (2.6, "muted"), "weak": (1.7, "muted")}
"""The thickness and colour of a rib's bar, by its tone."""
TONES = {
    "strong": "fishbone.key.strength",
    "weak": "fishbone.key.weak",
    "plain": "fishbone.key.phik",
    "unused": "fishbone.key.unused",
}
MEANT = {
    SIGNS["up"]: "fishbone.key.up",
    SIGNS["down"]: "fishbone.key.down",
    SIGNS["mixed"]: "fishbone.key.mixed",
    RISKIEST: "fishbone.key.level",
}
LEADING = 10.0
LETTERS, MARK = Letters(6.8), Letters(8.0, bold=True)
APART, ABOVE, SWATCH, SMALL = 16.0, 20.0, 21.0, 10.0
"""Between two keys; over all of them; before a text, where a line is shown and where a sign is."""


@dataclass(frozen=True)
class Key:
    """Something drawn, and what it means."""

    drawn: str
    text: str

    @property
    def indent(self) -> float:
        """From what is drawn to its text."""
        return 0.0 if not self.drawn else SMALL if len(self.drawn) == 1 else SWATCH

    @property
    def width(self) -> float:
        """Of all."""
        return self.indent + LETTERS.width(self.text)


@dataclass(frozen=True)
class Legend:
    """The keys that this picture needs, in lines of its width."""

    keys: Sequence[Key]
    width: float

    @cached_property
    def lines(self) -> list[list[Key]]:
        """Keys in lines, none wider than the picture."""
        lines: list[list[Key]] = [[]]
        for key in self.keys:
            taken = sum(one.width + APART for one in lines[-1])
            if lines[-1] and taken + key.width > self.width - 2 * MARGIN:
                lines.append([])
            lines[-1].append(key)
        return lines

    @property
    def height(self) -> float:
        """Of all lines and the air over them."""
        return ABOVE + len(self.lines) * LEADING

    def draw(self, painter: Painter) -> None:
        """Write the lines at the foot of the picture."""
        y = MARGIN + self.height - ABOVE
        for line in self.lines:
            y -= LEADING
            x = MARGIN
            for key in line:
                _draw(painter, key, x, y + LETTERS.below(""))
                x += key.width + APART


def _draw(painter: Painter, key: Key, x: float, y: float) -> None:
    middle = y + 0.36 * LETTERS.size
    if key.drawn == "bone":
        for left, thick in ((0.0, 0.9), (4.5, 2.4), (10.5, 4.5)):
            tops, feet = (x + left, x + left + thick), (x + left + 3, x + left + thick + 3)
            painter.shape(
                [(tops[0], y + 6), (tops[1], y + 6), (feet[1], y - 1), (feet[0], y - 1)], "ink"
            )
    elif key.drawn == "dashed":
        painter.line((x, middle), (x + 15, middle), 0.9, "muted", dashed=True)
    elif key.drawn in BARS:
        painter.line((x, middle), (x + 15, middle), *BARS[key.drawn])
    elif key.drawn:
        painter.write((x, y), key.drawn, MARK, "accent")
    painter.write((x + key.indent, y), key.text, LETTERS, "muted" if key.drawn else "ink")


def legend(bones: Sequence[Bone], reader: VerdictReader, width: float) -> Legend:
    """Return the legend of these bones: what is not drawn is not explained."""
    ribs = [rib for bone in bones for rib in bone.ribs]
    signs = {rib.sign for rib in ribs} | {rib.level[:1] for rib in ribs}
    tones = {rib.tone for rib in ribs}
    found = [
        *([("bone", "fishbone.key.thickness")] if any(bone.share for bone in bones) else []),
        *([("dashed", "fishbone.key.unmeasured")] if any(map(_unmeasured, bones)) else []),
        *((tone, key) for tone, key in TONES.items() if tone in tones),
        *((sign, key) for sign, key in MEANT.items() if sign in signs),
        ("", "fishbone.key.order"),
        ("", "fishbone.key.associations"),
    ]
    keys = [Key("dashed" if drawn == "unused" else drawn, reader.say(key)) for drawn, key in found]
    if len(bones) > SHOWN:
        keys.append(
            Key("", reader.say("fishbone.more_groups", n=count_path(len(bones) - SHOWN, "")))
        )
    return Legend(keys, width)


def _unmeasured(bone: Bone) -> bool:
    return bone.dashed and bone.used
