"""Rows of a file that are left out, each with its line and the reason, and how many may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retain.customers.cells.numbers import truncate
from retain.customers.reading import DroppedRow
from retain.errors import RetainError, type_value
from retain.wording import describe_count

MIN_DROPPABLE_ROWS = 3
"""Rows that may always be dropped, however small the file."""
MAX_TEXT_CHARACTERS = 1000
"""Characters of a dropped row that are kept."""


@dataclass(frozen=True, slots=True)
class RowPolicy:
    """The handling of bad rows: an error, or dropping them up to a share of all rows."""

    drop: bool = False
    share: float = 0.01

    @property
    def hint(self) -> str:
        """The override that drops bad rows, for a message."""
        return "" if self.drop else " To leave such rows out: data.bad_rows=drop"

    def check(self, dropped: Sequence[DroppedRow], n_rows: int) -> None:
        """Raise if more rows are dropped than allowed; ``n_rows`` counts them too."""
        if len(dropped) <= max(MIN_DROPPABLE_ROWS, int(self.share * n_rows)):
            return
        first = dropped[0]
        share = min(1.0, -(-len(dropped) * 1000 // n_rows) / 1000)
        raise RetainError(
            f"file {first.file!r}: {len(dropped):,} of {describe_count(n_rows, 'row')} cannot be "
            f"used, more than data.bad_rows_share={self.share:g} allows; the first is line "
            f"{first.line}, {truncate(first.text)!r}: {first.reason}. Mend the file, or drop them "
            f"all: data.bad_rows=drop {type_value('data.bad_rows_share', f'{share:g}')}"
        )


def parse_policy(bad_rows: str, share: float) -> RowPolicy:
    """Return the policy of the config, or raise for a wrong value.

    >>> parse_policy("drop", 0.05)
    RowPolicy(drop=True, share=0.05)
    """
    if bad_rows not in ("error", "drop"):
        raise RetainError.at("data.bad_rows", f"it is {bad_rows!r}", "expected error or drop")
    is_number = isinstance(share, int | float) and not isinstance(share, bool)
    if not is_number or not 0 <= share <= 1:
        expected = "expected a share of the rows, 0 to 1"
        raise RetainError.at("data.bad_rows_share", f"it is {share!r}", expected)
    return RowPolicy(bad_rows == "drop", float(share))


def dropped_row(file: str, line: int, text: str, reason: str) -> DroppedRow:
    """Return a dropped row with its text bounded."""
    return DroppedRow(file, line, text[:MAX_TEXT_CHARACTERS], reason)
