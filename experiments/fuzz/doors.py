"""The readers of retain: for each, a hostile input made of a valid one, and its own door.

A reader is made once for a folder of its own. Called with a ``Random`` it writes one input there
and returns the call that reads it.
"""

from __future__ import annotations

from collections.abc import Callable

from ground import Ground, Reader
from inputs import (
    vary_contract,
    vary_log,
    vary_offers,
    vary_outcomes,
    vary_overrides,
    vary_segmentation,
    vary_table,
)
from saved import (
    vary_campaign,
    vary_ledger,
    vary_record,
    vary_scores,
    vary_skops,
    vary_trial,
    vary_verdict,
)

READERS: dict[str, Callable[[Ground], Reader]] = {
    "table": vary_table,
    "contract": vary_contract,
    "log": vary_log,
    "outcomes": vary_outcomes,
    "offers": vary_offers,
    "segmentation": vary_segmentation,
    "overrides": vary_overrides,
    "record": vary_record,
    "verdict": vary_verdict,
    "campaign.json": vary_campaign,
    "ledger": vary_ledger,
    "skops": vary_skops,
    "scores.parquet": vary_scores,
    "trial": vary_trial,
}
"""Every reader by its name."""
