"""The reading of a file: its columns, and its rows that are no customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from retain.record.document import ColumnInfo
from retain.schema.parsing import Config

Order = Literal["YMD", "DMY", "MDY"]
UnitKind = Literal["", "currency", "percent", "other"]


class SourceColumn(Config):
    """The column of a training file that a feature was read from, and how its cells are written.

    Attributes
    ----------
    name
        Name in the file.
    decimal, grouping
        The marks of its numbers, empty if no cell shows one.
    unit, unit_kind
        The unit of its numbers as in the file.
    date_orders
        The order of day, month and year by the mark between them.
    date_format
        The ``strptime`` format of dates that are written like numbers.
    first_short_year
        The first of the hundred years that two digits stand for.
    """

    name: str
    is_date: bool = False
    decimal: str = ""
    grouping: str = ""
    unit: str = ""
    unit_kind: UnitKind = ""
    date_orders: dict[str, Order] = Field(default_factory=dict)
    date_format: str = ""
    first_short_year: Annotated[int, Field(ge=1900, le=2100)] = 1940


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
