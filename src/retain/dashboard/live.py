"""The progress of sweeps as server-sent events, while they run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from retain.dashboard.index import OutputsIndex
from retain.dashboard.studies import find_progress
from retain.dashboard.trees import TreesWatch
from retain.dashboard.watch import OutputsWatch

LIVE_SECONDS = 1.0
"""Between two looks at the index."""


async def tell_news(
    watch: OutputsWatch, trees: TreesWatch | None, is_gone: Callable[[], Awaitable[bool]]
) -> AsyncIterator[str]:
    """Yield the versions of index and comparison and the progress of sweeps when they change.

    Ends with the watch, or when nobody listens.
    """
    last = ""
    while not watch.is_closed and not await is_gone():
        compared = 0 if trees is None else trees.comparison.version
        text = json.dumps({**describe_progress(watch.index), "trees": compared})
        if text != last:
            last = text
            yield f"data: {text}\n\n"
        await asyncio.sleep(LIVE_SECONDS)


def describe_progress(index: OutputsIndex) -> dict[str, Any]:
    """Return the version of an index, and the progress of each study that was swept."""
    sweeps = {
        study.name: {
            "progress": find_progress(study.status),
            "n_runs": study.status.n_runs,
            "n_left": study.status.n_left,
            "eta_seconds": study.status.eta_seconds,
        }
        for study in index.studies
        if study.status is not None
    }
    return {"version": index.version, "sweeps": sweeps}
