"""Persistence: what labelled customers buy in the horizon after next, against the others."""

from __future__ import annotations

import numpy as np

from retain.customers.purchases.quality.chance import Z95, LabelledRows
from retain.errors import NotApplicable
from retain.record.estimates import Estimate
from retain.record.label import Persistence

MIN_CUSTOMERS = 20
"""Labelled and other customers that are needed each."""


def measure_persistence(rows: LabelledRows, later: np.ndarray) -> Persistence:
    """Return orders of the horizon after next relative to the own rate, by label, and their ratio.

    The ratio of the two ratios is free of what all customers share, such as the season and the
    regression of high rates to the mean. Its interval is on the logarithm, with the variance of
    sums by customer, who may have several rows.

    Parameters
    ----------
    later
        Orders of each row from one horizon to two horizons after the snapshot; NaN beyond the log.

    Raises
    ------
    NotApplicable
        ``short_log``: no snapshot has two whole horizons of the log after it; ``few_customers``:
        fewer than 20 customers have either label, or none of them bought.
    """
    known = ~np.isnan(later)
    if not known.any():
        raise NotApplicable("short_log")
    expected = (rows.orders / rows.days * rows.ahead)[known]
    bought, who = later[known], rows.customer[known]
    labelled = rows.declined[known] == 1
    for group in (labelled, ~labelled):
        if len(np.unique(who[group])) < MIN_CUSTOMERS or bought[group].sum() == 0:
            raise NotApplicable("few_customers")
    ratios = [bought[group].sum() / expected[group].sum() for group in (labelled, ~labelled)]
    influence = np.zeros(len(bought))
    for group, ratio, sign in ((labelled, ratios[0], 1), (~labelled, ratios[1], -1)):
        residual = bought[group] - ratio * expected[group]
        influence[group] = sign * residual / bought[group].sum()
    spread = Z95 * float(np.sqrt((np.bincount(who, influence) ** 2).sum()))
    kept = ratios[0] / ratios[1]
    ends = kept * np.exp([-spread, spread])
    loss = np.clip([1 - kept, 1 - ends[1], 1 - ends[0]], 0.0, 1.0).tolist()
    return Persistence(
        n_rows=int(known.sum()),
        labelled=float(ratios[0]),
        others=float(ratios[1]),
        ratio=Estimate(value=float(kept), low=float(ends[0]), high=float(ends[1])),
        loss_fraction=Estimate(value=loss[0], low=loss[1], high=loss[2]),
    )
