"""What an engine makes of a log, whichever it is: its rows, and what was counted on the way."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from retain.customers.customers import FunnelStep
from retain.storage.reading import parse_json

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class TableFacts:
    """What is told about a table beside its rows; JSON can hold it.

    Attributes
    ----------
    steps
        The log's lines of the funnel.
    categories
        The text of each category code.
    first
        The log's first day, in days since 1970-01-01; it is day 1 of the rows.
    snapshots
        The days of the snapshots, counted as ``first``.
    counts
        Snapshot (as in the rows), reason (0: regular), customers, and who of them declined.
    sensitivity
        Four counts a definition: customers, declined, shared, agreed.
    built
        The day the table was built on, YYYY-MM-DD.
    """

    steps: tuple[FunnelStep, ...]
    categories: tuple[str, ...]
    first: int
    snapshots: tuple[int, ...]
    counts: tuple[tuple[int, int, int, int], ...]
    sensitivity: tuple[int, ...]
    built: str

    def to_json(self) -> str:
        """The facts as text."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> TableFacts:
        """The facts that ``to_json`` wrote."""
        from pydantic import TypeAdapter

        tree = parse_json(text, "the facts about a table")
        return TypeAdapter(cls).validate_json(json.dumps(tree))


@dataclass(frozen=True)
class FeatureTable:
    """Rows in no order, in the columns of the template ``rows.sql``, and the facts about them."""

    rows: pa.Table
    facts: TableFacts
