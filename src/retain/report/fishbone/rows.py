"""A rib's texts, brought into the room there is over it.

Lengths are in points. May import: report.fishbone.anatomy, report.lettering.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from retain.report.charts.text_layout import Letters
from retain.report.fishbone.model import Rib

PAD = 3.4
"""From a rib to its text."""
APART = 7.0
"""Between texts on one line."""
INDENT = 9.5
"""From a sign to its name."""
LEAST = 30.0
"""A level is not shown in less."""


@dataclass(frozen=True)
class Style:
    """Letters of names and figures, the air between ribs, and where the figures stand."""

    name: Letters
    figures: Letters
    gap: float
    beside: bool


STYLES = [
    Style(Letters(name), Letters(figures), gap, beside)
    for name, figures, gap in (
        (8.4, 7.2, 9.5),
        (8.0, 7.0, 8.0),
        (7.5, 6.8, 6.5),
        (7.0, 6.5, 4.5),
    )
    for beside in (True, False)
]
"""The largest first."""


@dataclass(frozen=True)
class Room:
    """The room of texts over a rib: narrower higher up, because bones lean."""

    width: float
    lean: float

    def at(self, height: float) -> float:
        """Return the width up to a height."""
        return self.width - self.lean * height


@dataclass(frozen=True)
class Piece:
    """A text over a rib: how far above it, and from its left end or, None, at its right."""

    part: Literal["sign", "name", "level", "figures"]
    text: str
    letters: Letters
    up: float
    left: float | None = None


@dataclass(frozen=True)
class Block:
    """The texts over a rib, their height, and their loss: 0 nothing, 2 a name."""

    rib: Rib
    pieces: tuple[Piece, ...]
    height: float
    lost: float


def block(rib: Rib, style: Style, room: Room) -> Block:
    """Return a rib's texts: as few lines as nothing is lost in, and two of its name at most."""
    forms = [(_under, 1), (_under, 2)]
    if style.beside:
        forms = [(_beside, 1), *([(_under, 1)] if rib.level else []), (_beside, 2)]
    tries = []
    for form, most in forms:
        tries.append(form(rib, style, room, most))
        if not tries[-1].lost:
            break
    return min(tries, key=lambda one: one.lost)


def _beside(rib: Rib, style: Style, room: Room, most: int) -> Block:
    """Return the figures, and the level where it fits, on the last line of the name."""
    wide = room.at(PAD + most * style.name.height(rib.name)) - _indent(rib)
    last = wide - _apart(rib.figures, style.figures)
    lines = style.name.lines(rib.name, wide, most, last=last)
    start = _indent(rib) + _apart("".join(lines[-1:]), style.name)
    fits = bool(rib.level) and style.figures.width(rib.level) <= last + _indent(rib) - start
    level = rib.level if fits else ""
    lowest = PAD + max(style.name.below("".join(lines[-1:])), style.figures.below(level))
    pieces = [
        *_named(rib, style, lines, PAD),
        *_one("figures", rib.figures, style, lowest, None),
        *_one("level", level, style, lowest, start),
    ]
    height = PAD + sum(map(style.name.height, lines))
    return Block(rib, tuple(pieces), height, _lost(rib, lines, level=fits))


def _under(rib: Rib, style: Style, room: Room, most: int) -> Block:
    """Level and figures on a line of their own, under the name."""
    low = style.figures.height(rib.level) if rib.figures or rib.level else 0.0
    wide = room.at(PAD + low + most * style.name.height(rib.name))
    lines = style.name.lines(rib.name, wide - _indent(rib), most)
    left = wide - _apart(rib.figures, style.figures)
    level = style.figures.cut(rib.level, left) if left >= LEAST else ""
    low = style.figures.height(level) if low else 0.0
    lowest = PAD + style.figures.below(level)
    pieces = [
        *_named(rib, style, lines, PAD + low),
        *_one("figures", rib.figures, style, lowest, None),
        *_one("level", level, style, lowest, 0.0),
    ]
    height = PAD + low + sum(map(style.name.height, lines))
    return Block(rib, tuple(pieces), height, _lost(rib, lines, level=bool(level)))


def _named(rib: Rib, style: Style, lines: list[str], foot: float) -> list[Piece]:
    """Return the lines of the name over a height, and the sign before the first."""
    pieces: list[Piece] = []
    for line in reversed(lines):
        up = foot + style.name.below(line)
        pieces.insert(0, Piece("name", line, style.name, up, _indent(rib)))
        foot += style.name.height(line)
    if rib.sign and pieces:
        bold = Letters(style.name.size, bold=True)
        pieces.insert(0, Piece("sign", rib.sign, bold, pieces[0].up, 0.0))
    return pieces


def _one(
    part: Literal["level", "figures"], text: str, style: Style, up: float, left: float | None
) -> list[Piece]:
    """Return a text, or nothing where there is none."""
    return [Piece(part, text, style.figures, up, left)] if text else []


def _indent(rib: Rib) -> float:
    return INDENT if rib.sign else 0.0


def _apart(text: str, letters: Letters) -> float:
    """Return the width of a text and the air beside it; none for no text."""
    return letters.width(text) + APART if text else 0.0


def _lost(rib: Rib, lines: list[str], *, level: bool) -> float:
    """Return the hidden part of a rib's texts: twice the share of the name, and the level."""
    shown = len("".join(lines).replace(" ", "").rstrip("…"))
    whole = len(rib.name.replace(" ", "").rstrip("…"))
    return 2 * max(whole - shown, 0) / max(whole, 1) + 0.1 * (bool(rib.level) and not level)
