"""The audience: risk and value at stake of each scored customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.value.recalibration import Recalibration
from retain.customers.customers import Customers
from retain.errors import RetainError
from retain.learning.features import derive
from retain.learning.scores import Scores
from retain.schema.campaign import Assumptions

COLUMNS = (
    "score",
    "origin",
    "risk",
    "contactable",
    "profit",
    "value_at_stake",
    "profit_at_risk",
)
"""Columns of an audience's table, in order."""
Consent = Literal["from_data", "assume_given"]


def build_audience(  # noqa: PLR0913 - all data of a customer are combined here
    parts: Sequence[Scores],
    customers: Customers,
    recalibration: Recalibration,
    assumptions: Assumptions,
    *,
    consent: Consent,
    drivers: pd.DataFrame | None = None,
) -> Audience:
    """Return all scored customers with recalibrated risk and value at stake.

    Risk is by the map of averaged scores for customers scored out of fold, and by that of one
    model's scores for all others. ``value_at_stake`` = max(profit, 0) × horizon × loss_fraction ×
    margin, each assumption at its value; 0 for a missing profit. Contactable is who agreed, if the
    source states consent; if it states none, no customer with ``consent="from_data"`` and
    everybody with ``"assume_given"``.

    Parameters
    ----------
    parts
        Scores of disjoint customers, such as out of fold and of the sealed test.
    customers
        At least all scored customers.

    Raises
    ------
    RetainError
        ``consent="assume_given"`` although the source states consent.
    """
    scored = [pd.DataFrame({"score": one.per_customer(), "origin": one.origin}) for one in parts]
    table = pd.concat(scored, verify_integrity=True).sort_index()
    profit = customers.profit
    if profit is not None:
        table["profit"] = profit.loc[table.index].astype(float)
    table["risk"] = recalibration.probability(
        table["score"].to_numpy(),
        None if profit is None else table["profit"].to_numpy(),
        (table["origin"] != "out_of_fold").to_numpy(),
    )
    table["contactable"] = _contactable(customers, consent).loc[table.index]
    if profit is not None:
        table["value_at_stake"] = value_at_stake(table["profit"].to_numpy(), assumptions)
        table["profit_at_risk"] = table["risk"] * table["value_at_stake"]
    features = _features(customers).loc[table.index]
    order = [name for name in COLUMNS if name in table]
    return Audience(
        table=table[order],
        features=features,
        columns=customers.column_info(map(str, features)),
        profit_unit=None if customers.profit is None else (customers.profit_unit or ""),
        drivers=drivers,
        consent="not_stated"
        if customers.contactable is None and consent == "from_data"
        else consent,
        is_turnover=customers.profit_is_turnover and assumptions.margin.value == 1.0,
    )


def risk_sensitivity(audience: Audience, recalibration: Recalibration) -> np.ndarray:
    """Return ``Recalibration.sensitivity`` of each customer of an audience."""
    table = audience.table
    profit = table["profit"].to_numpy(dtype=float) if "profit" in table else None
    score = table["score"].to_numpy(dtype=float)
    return recalibration.sensitivity(score, profit, audience.is_single_model)


def positive_profit(profit: np.ndarray) -> np.ndarray:
    """Return the profit that a decline can take away; 0 for a loss or a missing profit.

    >>> positive_profit(np.array([4.0, -1.0, np.nan])).tolist()
    [4.0, 0.0, 0.0]
    """
    return np.asarray(np.nan_to_num(np.maximum(profit, 0.0), nan=0.0))


def value_at_stake(profit: np.ndarray, assumptions: Assumptions) -> np.ndarray:
    """Return the expected cost of a decline at each monthly profit, shape (n,), ≥ 0."""
    return np.asarray(positive_profit(profit) * cost_per_profit(assumptions))


def cost_per_profit(assumptions: Assumptions) -> float:
    """Return the cost of a decline per unit of monthly profit, each assumption at its value."""
    return assumptions.horizon.value * assumptions.loss_fraction.value * assumptions.margin.value


def _contactable(customers: Customers, consent: Consent) -> pd.Series:
    if customers.contactable is None:
        return pd.Series(consent == "assume_given", index=customers.features.index)
    if consent == "assume_given":
        raise RetainError(
            "campaign.consent is 'assume_given', but these customers state their consent, and "
            f"{int((~_has_agreed(customers.contactable)).sum())} have not agreed; expected "
            "campaign.consent=from_data."
        )
    return _has_agreed(customers.contactable)


def _has_agreed(stated: pd.Series) -> pd.Series:
    """Return a mask of customers who agreed; a missing answer is no consent."""
    return stated.eq(True).fillna(False).astype(bool)


def _features(customers: Customers) -> pd.DataFrame:
    """Return all features, derived ones last."""
    derived = [derive(one, customers.features) for one in customers.derived_features]
    return pd.concat([customers.features, *derived], axis=1)
