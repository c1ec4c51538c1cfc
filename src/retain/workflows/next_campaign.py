"""The customers of the next campaign, read like those of a trial."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from retain.campaign.effects.next_campaign import NextCustomers
from retain.campaign.effects.overlap import select_covariates
from retain.campaign.trial.from_table import TrialTable
from retain.customers.customers import Customers
from retain.errors import RetainError
from retain.learning.components import build_source
from retain.schema.parsing import Node
from retain.schema.readout import TrialKeys

FILE = "next.file"


def read_next_customers(
    data: Node, keys: TrialKeys, trained: Customers, table: TrialTable
) -> NextCustomers | None:
    """Return the customers of the next campaign; None if none are named.

    Their columns are read as those of the trial were.

    Raises
    ------
    RetainError
        The file cannot be read, or a covariate is missing.
    """
    path = keys.next.file
    if path is None:
        return None
    names = [str(name) for name in table.trial.covariates]
    columns = {name: trained.columns[name] for name in names}
    kinds = {name: column.kind for name, column in columns.items()}
    sources = {name: one.source for name, one in columns.items() if one.source is not None}
    try:
        customers = build_source({**data, "path": path}, kinds, sources)()
    except RetainError as error:
        raise RetainError(f"{FILE}={path}: {error}") from None
    stated = customers.contactable
    return NextCustomers(
        file=Path(path).name,
        ids=customers.features.index,
        covariates=select_covariates(customers.features, table.trial.covariates, FILE),
        contactable=np.ones(len(customers.features), dtype=bool)
        if stated is None
        else stated.eq(True).fillna(False).to_numpy(dtype=bool),
        left_out=tuple(step for step in customers.funnel if step.dropped),
        dropped_rows=customers.reading.dropped_rows,
    )
