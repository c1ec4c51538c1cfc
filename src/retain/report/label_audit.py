"""What the label says against what the purchases say, one sentence for each measure.

May import: report.names, report.numbers, report.words.
"""

from __future__ import annotations

from retain.report.names import Tree, label
from retain.report.numbers import Number
from retain.report.words import Phrase, phrase


def audited(row: Tree) -> Phrase:
    """How often a measure fell in each class, and whether label and measure agree."""
    values = {
        f"{side}_{end}": Number(row[side][end], "share")
        for side in ("declined", "stayed")
        for end in ("share", "low", "high")
    }
    return phrase("label_audit.said", fell=_fell(row), reading=_reading(row), **values)


def _fell(row: Tree) -> Phrase:
    if row["before"] is None or row["last"] is None:
        return phrase("label_audit.below_zero", derived=label(row["derived"]))
    return phrase("label_audit.below", before=label(row["before"]), last=label(row["last"]))


def _reading(row: Tree) -> Phrase:
    """Agreement as the verdict has it; without it, whether the shares at least lean its way."""
    z = Number(row["z"], "deviations")
    if row["agrees"]:
        return phrase("label_audit.agrees", z=z)
    more = row["declined"]["share"] > row["stayed"]["share"]
    return phrase("label_audit.unclear" if more else "label_audit.against", z=z)
