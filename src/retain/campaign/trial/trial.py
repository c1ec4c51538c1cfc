"""A randomised campaign as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

OutcomeKind = Literal["binary", "count", "money"]


@dataclass(frozen=True)
class Outcome:
    """An outcome of each customer, shape (n,); NaN if missing. More of it is better.

    ``is_reversed`` is True if less of what was observed is better, and it was turned round.
    """

    name: str
    kind: OutcomeKind
    values: np.ndarray
    is_reversed: bool = False

    @property
    def is_stay(self) -> bool:
        """True if it is that a customer did not decline, or nothing else bad happened."""
        return self.kind == "binary" and self.is_reversed


@dataclass(frozen=True)
class Trial:
    """Customers of a randomised campaign: arms, outcomes, and covariates known before it.

    Attributes
    ----------
    ids
        Of the n customers, unique.
    arms
        Names of the arms, the control arm first.
    arm
        Position in ``arms`` of the arm that each customer was assigned to, shape (n,).
    propensity
        Probability of each arm by design, shape (n, arms); rows add up to 1. It is 0 for an arm
        that a customer could not get.
    stratum
        Stratum of the randomisation, 0, 1 …, shape (n,).
    outcomes
        By name; the first is the one that plans are judged by.
    covariates
        Numbers and categories by canonical name, n rows.
    cost
        Cost of assigning a customer to each arm, in the unit of the first outcome, shape (arms,);
        0 for the control arm, and for all where it is not known what that outcome is worth.
    """

    ids: pd.Index
    arms: tuple[str, ...]
    arm: np.ndarray
    propensity: np.ndarray
    stratum: np.ndarray
    outcomes: Mapping[str, Outcome]
    covariates: pd.DataFrame
    cost: np.ndarray

    @property
    def outcome(self) -> Outcome:
        """The outcome that plans are judged by."""
        return next(iter(self.outcomes.values()))

    @property
    def y(self) -> np.ndarray:
        """Values of the outcome that plans are judged by, shape (n,)."""
        return np.asarray(self.outcome.values, dtype=float)

    def take(self, rows: np.ndarray) -> Trial:
        """Return the trial of some customers only, by a mask or their positions."""
        outcomes = {
            name: replace(one, values=np.asarray(one.values)[rows])
            for name, one in self.outcomes.items()
        }
        return replace(
            self,
            ids=self.ids[rows],
            arm=self.arm[rows],
            propensity=self.propensity[rows],
            stratum=self.stratum[rows],
            outcomes=outcomes,
            covariates=self.covariates.iloc[rows],
        )
