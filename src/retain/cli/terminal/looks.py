"""Terminal output of looks at outcomes that still arrive. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from retain.record.looks_document import Look, LookCorrection

METHODS = {
    "always_valid": "Intervals and p hold at every look together",
    "planned_end": "Intervals and p hold at all looks until the last outcome together",
}


def describe_looks(looks: Sequence[Look], correction: LookCorrection) -> Iterator[str]:
    """Yield how the intervals allow for other looks; nothing at the only look."""
    last = looks[-1]
    if last.method != "once":
        yield (
            f"{METHODS[last.method]}: this is look {len(looks)}, with {last.information:.0%} of "
            f"the planned information; they are {correction.width:.2f} times as wide as for one "
            "look."
        )
