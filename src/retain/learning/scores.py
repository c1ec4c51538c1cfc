"""Scores: a probability of decline for each customer, and where it comes from.

May import: errors, schema, customers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

Origin = Literal["out_of_fold", "sealed_test", "new"]
COLUMNS = ("customer_id", "repeat", "fold", "target", "probability")


@dataclass(frozen=True)
class Scores:
    """Probabilities by models that never saw the customer they score.

    Attributes
    ----------
    table
        One row a customer and repeat: ``customer_id, repeat, fold, target, probability``; the
        target of new customers is NaN.
    origin
        Where they come from. There is no word for in-sample scores, so nothing can hold them.
    """

    table: pd.DataFrame
    origin: Origin

    def __post_init__(self) -> None:
        """Refuse a table that is no table of scores: whoever made it has a bug."""
        if tuple(self.table.columns) != COLUMNS:
            raise ValueError(f"scores need the columns {COLUMNS}, got {list(self.table.columns)}")
        if not self.table["probability"].between(0, 1).all():
            raise ValueError("probabilities must lie in [0, 1]")

    def per_customer(self) -> pd.Series:
        """Mean probability over repeats, indexed by customer id.

        >>> rows = [(7, 0, 1, 1, 0.2), (7, 1, 0, 1, 0.4)]
        >>> Scores(pd.DataFrame(rows, columns=list(COLUMNS)), "out_of_fold").per_customer()
        customer_id
        7    0.3
        Name: probability, dtype: float64
        """
        return self.table.groupby("customer_id", sort=True)["probability"].mean()
