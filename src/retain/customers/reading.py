"""The reading of a file: its columns, and its rows that are no customers."""

from __future__ import annotations

from dataclasses import dataclass

from retain.record.document import ColumnInfo


@dataclass(frozen=True, slots=True)
class DroppedRow:
    """A row of a file that is left out, the line it begins on, and the reason."""

    file: str
    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The columns of a file in its order, and its rows that are no customers."""

    columns: tuple[ColumnInfo, ...] = ()
    dropped_rows: tuple[DroppedRow, ...] = ()
