"""What was found in a folder of outputs, and what of it cannot be shown, in lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from retain.dashboard.index import OutputsIndex
from retain.dashboard.rows import BROKEN
from retain.wording import describe_count

MAX_NAMED = 3
"""Names of a line."""


def describe_contents(index: OutputsIndex) -> Iterator[str]:
    """Yield the number of studies and runs, and what is broken, left out or not followed."""
    n_runs = sum(len(study.rows) + study.n_unread for study in index.studies)
    studies = describe_count(len(index.studies), "study", "studies")
    yield f"{studies}, {describe_count(n_runs, 'run')}"
    if broken := broken_runs(index):
        yield f"{describe_count(len(broken), 'run')} cannot be read: {_first(broken)}"
    if n_unread := sum(study.n_unread for study in index.studies):
        yield f"{describe_count(n_unread, 'run')} beyond the limit left out"
    if index.outside:
        count = describe_count(len(index.outside), "link that leads", "links that lead")
        yield f"{count} out of the folder left out: {_first(index.outside)}"


def broken_runs(index: OutputsIndex) -> list[str]:
    """Return the study and folder of each run whose record cannot be read or believed."""
    rows = (row for study in index.studies for row in study.rows)
    return [f"{row.study}/{row.folder}" for row in rows if row.state == BROKEN]


def _first(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")
