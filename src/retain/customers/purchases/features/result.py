"""The feature table an engine builds from a log, and the facts counted with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retain.customers.customers import CleaningStep
from retain.storage.reading import parse_json

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class TableFacts:
    """Facts about a feature table beside its rows, serialisable as JSON.

    Attributes
    ----------
    funnel
        The log's lines of the funnel.
    categories
        The text of each category code.
    first_day
        The log's first day, in days since 1970-01-01; it is day 1 in the rows.
    snapshots
        The days of the snapshots, since 1970-01-01.
    counts
        Snapshot (as in the rows), reason (0: regular), customers, and how many of them declined.
    sensitivity
        Four counts per label variant: customers, declined, shared, agreed.
    histories
        Rows of ``histories.sql``: the histories of everyone seen at the first snapshot.
    daily
        Purchases of the store on each day from the first.
    built_on
        Day on which the table was built, YYYY-MM-DD.
    """

    funnel: tuple[CleaningStep, ...]
    categories: tuple[str, ...]
    first_day: int
    snapshots: tuple[int, ...]
    counts: tuple[tuple[int, int, int, int], ...]
    sensitivity: tuple[int, ...]
    histories: tuple[tuple[int, ...], ...]
    daily: tuple[int, ...]
    built_on: str

    def to_json(self) -> str:
        """Return the facts as text."""
        from pydantic import TypeAdapter

        return TypeAdapter(TableFacts).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> TableFacts:
        """Return the facts that ``to_json`` wrote."""
        from pydantic import TypeAdapter

        tree = parse_json(text, "the facts about a table")
        return TypeAdapter(cls).validate_json(json.dumps(tree))


@dataclass(frozen=True)
class FeatureTable:
    """Rows in any order, with the columns of the template ``rows.sql``, and facts about them."""

    rows: pa.Table
    facts: TableFacts
