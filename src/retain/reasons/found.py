"""Everything that was found out about a winner, before it is written down.

May import: errors, customers; reasons.*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.errors import NotApplicable
from retain.reasons.associations import Associations
from retain.reasons.contribution import Contribution
from retain.reasons.distributions import Distribution
from retain.reasons.drivers import Drivers
from retain.reasons.grounds import Grounds
from retain.reasons.label_audit import LabelAudit
from retain.reasons.strength import Strength, strengths


@dataclass(frozen=True)
class Found:
    """Everything that was found out about a winner.

    Attributes
    ----------
    associations, distributions, label_audit
        From the customers alone.
    drivers
        None where they are missing; ``missing`` then says why, and what to type.
    contributions
        By group; where there is none, why.
    strongest
        Drivers of each customer, from ``usual.strongest``; None without drivers.
    test_to_train
        Of the folds, for corrected intervals.
    resamples, seed
        Of the bootstrap behind strengths.
    """

    level: str
    grounds: Grounds
    associations: Associations
    distributions: Mapping[str, Distribution]
    label_audit: Sequence[LabelAudit]
    drivers: Drivers | None
    missing: str | None
    contributions: Mapping[str, Contribution | NotApplicable]
    strongest: pd.DataFrame | None
    test_to_train: float
    resamples: int
    seed: int


def strengths_of(found: Found) -> dict[str, Strength]:
    """Strength of each feature, and by ``group NAME`` the size of its features' sum."""
    if found.drivers is None:
        return {}
    shares = found.drivers.shares
    places = {name: j for j, name in enumerate(shares.features)}
    groups = {
        f"group {group}": [places[name] for name in names if name in places]
        for group, names in found.grounds.groups.items()
    }
    sums = [np.abs(shares.log_odds[:, at].sum(axis=1)) for at in groups.values()]
    sizes = np.column_stack([np.abs(shares.log_odds), *sums])
    twins = found.grounds.twins.loc[shares.ids]
    told = strengths(sizes, twins, resamples=found.resamples, seed=found.seed)
    return dict(zip([*shares.features, *groups], told, strict=True))
