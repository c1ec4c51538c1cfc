"""A trial at a later look: what shows that it is another trial, and what changed of the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from retain.campaign.trial.trial import Trial
from retain.errors import examples
from retain.record.documents import CautionInfo

MIN_SHARED = 0.5
"""Share of the earlier customers with fewer of whom a file is of another trial."""
TOLERANCE = 1e-9
"""Relative difference of an outcome that is noise of floats."""
CHANGES = ("customers_gone", "outcomes_changed")
"""Codes of the warnings of ``find_changes``."""


def find_difference(earlier: Trial, later: Trial) -> str | None:
    """Return why two looks are at different trials, None if they are not.

    Arms may be new at the later look, or gone with their customers.
    """
    first, now = earlier.outcome, later.outcome
    if (first.name, first.is_reversed) != (now.name, now.is_reversed):
        return f"its primary outcome, the first one typed, is {first.name!r}"
    if earlier.arms[0] != later.arms[0]:
        return f"its control group is {earlier.arms[0]!r}"
    at = _find_customers(earlier, later)
    is_shared = at >= 0
    if is_shared.mean() < MIN_SHARED:
        return f"of its {len(at):,} customers {is_shared.sum():,} are in this table"
    arms_before, arms_now = (np.array(one.arms, dtype=object)[one.arm] for one in (earlier, later))
    has_moved = is_shared & (arms_before != arms_now[at])
    if has_moved.any():
        ids = examples(earlier.ids[has_moved])
        return f"{has_moved.sum():,} of its customers were in another arm ({ids})"
    return None


def find_changes(earlier: Trial, later: Trial) -> Iterator[CautionInfo]:
    """Yield that customers are gone, and that outcomes known before have changed."""
    at = _find_customers(earlier, later)
    is_shared = at >= 0
    has_changed = np.zeros(len(at), dtype=bool)
    for name in earlier.outcomes.keys() & later.outcomes.keys():
        before, now = (np.asarray(one.outcomes[name].values) for one in (earlier, later))
        is_same = np.isclose(now[at], before, rtol=TOLERANCE, atol=0)
        has_changed |= is_shared & np.isfinite(before) & ~is_same
    for code, rows in zip(CHANGES, (~is_shared, has_changed), strict=True):
        if rows.any():
            ids = examples(earlier.ids[rows])
            yield CautionInfo.of(code, n_customers=int(rows.sum()), ids=ids)


def _find_customers(earlier: Trial, later: Trial) -> np.ndarray:
    """Return the position of each earlier customer at the later look, −1 if gone."""
    before, now = (pd.Index(one.ids.astype(str)) for one in (earlier, later))
    return np.asarray(now.get_indexer(before))
