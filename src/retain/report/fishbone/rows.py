"""Layout of a rib's texts in the space above it. Lengths are in points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from retain.report.charts.text_layout import Letters
from retain.report.fishbone.model import Rib

RIB_GAP = 3.4
"""Distance from a rib to its text."""
TEXT_GAP = 7.0
"""Gap between texts on one line."""
INDENT = 9.5
"""Distance from a sign to its name."""
MIN_LEVEL_WIDTH = 30.0
"""Minimum width of a level."""


@dataclass(frozen=True)
class Style:
    """Fonts of names and figures, the space between ribs, and the position of figures."""

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
"""Styles, largest first."""


@dataclass(frozen=True)
class Room:
    """The space above a rib, narrower higher up because bones lean."""

    width: float
    lean: float

    def at(self, height: float) -> float:
        """Return the width up to a height."""
        return self.width - self.lean * height


@dataclass(frozen=True)
class Piece:
    """A text above a rib: its height, and its distance from the left end; None is at the right."""

    part: Literal["sign", "name", "level", "figures"]
    text: str
    letters: Letters
    up: float
    left: float | None = None


@dataclass(frozen=True)
class Block:
    """The texts above a rib, their height, and their loss from 0 (none) to 2 (a name)."""

    rib: Rib
    pieces: tuple[Piece, ...]
    height: float
    lost: float


def block(rib: Rib, style: Style, room: Room) -> Block:
    """Return a rib's texts in the fewest lines that lose nothing, the name in at most two."""
    forms = [(_figures_below_name, 1), (_figures_below_name, 2)]
    if style.beside:
        forms = [
            (_figures_after_name, 1),
            *([(_figures_below_name, 1)] if rib.level else []),
            (_figures_after_name, 2),
        ]
    tries = []
    for form, most in forms:
        tries.append(form(rib, style, room, most))
        if not tries[-1].lost:
            break
    return min(tries, key=lambda one: one.lost)


def _figures_after_name(rib: Rib, style: Style, room: Room, most: int) -> Block:
    """Return the texts with the figures, and a level that fits, on the last line of the name."""
    wide = room.at(RIB_GAP + most * style.name.height(rib.name)) - _indent(rib)
    last = wide - _padded_width(rib.figures, style.figures)
    lines = style.name.lines(rib.name, wide, most, last=last)
    start = _indent(rib) + _padded_width("".join(lines[-1:]), style.name)
    fits = bool(rib.level) and style.figures.width(rib.level) <= last + _indent(rib) - start
    level = rib.level if fits else ""
    lowest = RIB_GAP + max(style.name.below("".join(lines[-1:])), style.figures.below(level))
    pieces = [
        *_name_pieces(rib, style, lines, RIB_GAP),
        *_text_pieces("figures", rib.figures, style, lowest, None),
        *_text_pieces("level", level, style, lowest, start),
    ]
    height = RIB_GAP + sum(map(style.name.height, lines))
    return Block(rib, tuple(pieces), height, _text_loss(rib, lines, level=fits))


def _figures_below_name(rib: Rib, style: Style, room: Room, most: int) -> Block:
    """Return the texts with level and figures on a line of their own below the name."""
    low = style.figures.height(rib.level) if rib.figures or rib.level else 0.0
    wide = room.at(RIB_GAP + low + most * style.name.height(rib.name))
    lines = style.name.lines(rib.name, wide - _indent(rib), most)
    left = wide - _padded_width(rib.figures, style.figures)
    level = style.figures.cut(rib.level, left) if left >= MIN_LEVEL_WIDTH else ""
    low = style.figures.height(level) if low else 0.0
    lowest = RIB_GAP + style.figures.below(level)
    pieces = [
        *_name_pieces(rib, style, lines, RIB_GAP + low),
        *_text_pieces("figures", rib.figures, style, lowest, None),
        *_text_pieces("level", level, style, lowest, 0.0),
    ]
    height = RIB_GAP + low + sum(map(style.name.height, lines))
    return Block(rib, tuple(pieces), height, _text_loss(rib, lines, level=bool(level)))


def _name_pieces(rib: Rib, style: Style, lines: list[str], foot: float) -> list[Piece]:
    """Return the lines of the name above ``foot``, and the sign before the first."""
    pieces: list[Piece] = []
    for line in reversed(lines):
        up = foot + style.name.below(line)
        pieces.insert(0, Piece("name", line, style.name, up, _indent(rib)))
        foot += style.name.height(line)
    if rib.sign and pieces:
        bold = Letters(style.name.size, bold=True)
        pieces.insert(0, Piece("sign", rib.sign, bold, pieces[0].up, 0.0))
    return pieces


def _text_pieces(
    part: Literal["level", "figures"], text: str, style: Style, up: float, left: float | None
) -> list[Piece]:
    """Return a text as a piece, none for an empty text."""
    return [Piece(part, text, style.figures, up, left)] if text else []


def _indent(rib: Rib) -> float:
    return INDENT if rib.sign else 0.0


def _padded_width(text: str, letters: Letters) -> float:
    """Return the width of a text with its padding; 0 for an empty text."""
    return letters.width(text) + TEXT_GAP if text else 0.0


def _text_loss(rib: Rib, lines: list[str], *, level: bool) -> float:
    """Return the loss of a rib's texts: twice the hidden share of the name, plus the level."""
    shown = len("".join(lines).replace(" ", "").rstrip("…"))
    whole = len(rib.name.replace(" ", "").rstrip("…"))
    return 2 * max(whole - shown, 0) / max(whole, 1) + 0.1 * (bool(rib.level) and not level)
