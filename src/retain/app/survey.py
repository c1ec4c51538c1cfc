"""A look at everything a line asks for before anything is fitted.

Components are built, data are read and audited, folds are drawn: what a run would stumble over is
found here, in the first run it concerns.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path

from retain.app.components import experiment
from retain.app.prepared import Prepared, prepare, source_of
from retain.app.seen import Surveyed
from retain.app.shared_memory import share
from retain.learning.features import check_toggles
from retain.schema import Run


def survey(runs: Sequence[Run], file: Path | None = None) -> Surveyed:
    """Check every run down to its parameters and its data.

    Raises
    ------
    RetainError
        At the first config or data that is refused.
    """
    found: dict[Hashable, Prepared] = {}
    for run in runs:
        experiment(run)
        prepared = found.setdefault(source_of(run), prepare(run))
        customers = prepared.customers
        check_toggles(
            run.features, {*customers.groups, *(derived.group for derived in customers.derived)}
        )
    places = {source: place for place, source in enumerate(found)}
    distinct = tuple(found.values())
    return Surveyed(
        seen=tuple(prepared.seen for prepared in distinct),
        which=tuple(places[source_of(run)] for run in runs),
        handed=None if file is None else share(distinct, file),
    )
