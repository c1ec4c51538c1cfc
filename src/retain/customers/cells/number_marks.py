"""Evidence in the digits of a column for its decimal mark and its grouping mark."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retain.customers.cells.number_format import Marks, NumberFormat

OTHER_MARK: Mapping[str, str] = {".": ",", ",": "."}
MIN_TAILS = 10
"""Distinct last three digits from which a column of whole numbers shows that it is grouped."""
_GROUP = "[0-9]{1,3}(?:[%s][0-9]{3})+"
_INDIAN = "[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"
_SPACED = f"(?:{_GROUP % ' '}|{_GROUP % chr(39)}|[0-9]+)(?:[.,][0-9]*)?"
_BY_COMMAS = f"(?:{_GROUP % ','}|{_INDIAN})(?:[.][0-9]*)?"
_BY_POINTS = f"{_GROUP % '.'}(?:,[0-9]*)?"
LIKE_NUMBER = f"^(?:{_SPACED}|{_BY_COMMAS}|{_BY_POINTS}|[.,][0-9]+)$"
"""Pattern of digits and marks that are a number in some format; dates and addresses are none."""


def number_pattern(number_format: NumberFormat) -> str:
    """Return the pattern of numbers in a format; spaces may always separate thousands."""
    decimal, grouping = number_format.decimal, number_format.grouping
    whole = f"{_GROUP % ''.join({grouping, ' '})}|[0-9]+"
    if grouping == ",":
        whole = f"{_INDIAN}|{whole}"
    number = f"(?:{whole})(?:[{decimal}][0-9]*)?|[{decimal}][0-9]+"
    return f"^[-+]?(?:{number})(?:[eE][-+]?[0-9]+)?$"


def is_open(core: str) -> bool:
    """Return whether the one mark of digits may be either, unless the first digit is 0.

    >>> is_open("3,380"), is_open("3,38"), is_open("3.380,5")
    (True, False, False)
    """
    return re.fullmatch("[0-9]{1,3}[.,][0-9]{3}", core) is not None


def fill_digits(core: str, digits: NDArray[np.int64]) -> list[str]:
    """Return the digits of a number with other digits, once for each row.

    >>> fill_digits("0,000", np.array([[1, 2, 3, 4]]))
    ['1,234']
    """
    form = re.sub("[0-9]", "{}", core)
    return [form.format(*row) for row in digits.tolist()]


@dataclass(frozen=True)
class MarkEvidence:
    """Digits and marks of distinct cells, and the number of rows of each."""

    cores: pa.Array
    counts: NDArray[np.int64]

    def _select(self, pattern: str) -> NDArray[np.bool_]:
        found = pc.match_substring_regex(self.cores, pattern)
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)

    @cached_property
    def _open(self) -> dict[str, NDArray[np.bool_]]:
        """Cells such as 3,380, whose mark may be either."""
        return {mark: self._select(f"^[1-9][0-9]{{0,2}}[{mark}][0-9]{{3}}$") for mark in ".,"}

    @cached_property
    def _decimal_rows(self) -> dict[str, int]:
        """Rows whose mark surely is a decimal mark: one mark, not before just three digits."""
        once = {mark: self._select(f"^[^{mark}]*[{mark}][0-9]*$") for mark in ".,"}
        return {mark: int(self.counts[once[mark] & ~self._open[mark]].sum()) for mark in ".,"}

    @cached_property
    def _grouping_rows(self) -> dict[str, int]:
        """Rows whose mark surely groups: it stands twice, or before the other."""
        rows = {}
        for mark, other in OTHER_MARK.items():
            whole = f"{_GROUP % mark}|{_INDIAN}" if mark == "," else _GROUP % mark
            grouped = self._select(f"^(?:{whole})(?:[{other}][0-9]*)?$") & ~self._open[mark]
            rows[mark] = int(self.counts[grouped].sum())
        return rows

    @cached_property
    def decimal(self) -> str | None:
        """The mark that most rows surely use as decimal mark, None if no row shows it."""
        rows = {
            mark: self._decimal_rows[mark] + self._grouping_rows[other]
            for mark, other in OTHER_MARK.items()
        }
        return max(rows, key=lambda mark: rows[mark]) if any(rows.values()) else None

    @cached_property
    def space_grouping(self) -> str:
        """A space or an apostrophe if it separates thousands, else nothing."""
        rows = {mark: int(self.counts[self._select(f"[{mark}]")].sum()) for mark in " '"}
        return max(rows, key=lambda mark: rows[mark]) if any(rows.values()) else ""

    def grouping(self, decimal: str) -> str:
        """Return the grouping mark beside a decimal mark, empty without one."""
        other = OTHER_MARK[decimal]
        uses = self._grouping_rows[other] or (not self.space_grouping and self._open[other].any())
        return other if uses else self.space_grouping

    @property
    def open_marks(self) -> list[str]:
        """Marks that only stand before three last digits."""
        return [mark for mark in ".," if self._open[mark].any()]

    @property
    def open_example(self) -> str:
        """A cell with such a mark."""
        return str(self.cores[int(np.flatnonzero(self._open["."] | self._open[","])[0])])

    @property
    def is_grouped(self) -> bool:
        """True if cells below a thousand have no mark, all others have one, and digits vary."""
        bare, small = self._select("^[0-9]+$"), self._select("^[0-9]{1,3}$")
        if not small.any() or (bare & ~small).any():
            return False
        marked = self.cores.filter(pa.array(self._open["."] | self._open[","]))
        return len(pc.unique(pc.utf8_slice_codeunits(marked, -3))) >= MIN_TAILS

    @property
    def has_marks(self) -> bool:
        """True if some cell has a decimal or a grouping mark."""
        return bool(self._select("[., ']").any())

    @property
    def sure(self) -> Marks:
        """Marks that are surely decimal marks, and marks that surely group."""
        decimals = frozenset(mark for mark, rows in self._decimal_rows.items() if rows)
        groupings = frozenset(mark for mark, rows in self._grouping_rows.items() if rows)
        return decimals | {OTHER_MARK[mark] for mark in groupings if len(groupings) == 1}, groupings
