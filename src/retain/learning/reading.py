"""What a model with a reading of its own sees: the features it names, as they are.

May import: errors, schema, customers. A model that declares ``reads`` (names of features, in the
order of the columns it is given) is a formula of these and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from sklearn.base import BaseEstimator

from retain.errors import NotApplicable


def reads(model: BaseEstimator) -> tuple[str, ...] | None:
    """The features a model names, None for one that takes what there is.

    >>> from retain.learning.time_rule import TimeRule
    >>> reads(TimeRule()), reads(BaseEstimator())
    (('days_since_order',), None)
    """
    return getattr(model, "reads", None)


def seen(model: BaseEstimator, table: pd.DataFrame, known: Iterable[str]) -> pd.DataFrame:
    """The columns of a feature table that a model sees.

    Parameters
    ----------
    known
        Features of the customers, those of groups that are switched off included.

    Raises
    ------
    NotApplicable
        When the model reads what is not there.
    """
    named = reads(model)
    if named is None:
        return table
    if (reason := unread(model, table, known)) is not None:
        raise NotApplicable(reason)
    return table[list(named)]


def unread(model: BaseEstimator, table: pd.DataFrame, known: Iterable[str] = ()) -> str | None:
    """Why a model cannot read a table, None where it can.

    >>> from retain.learning.time_rule import TimeRule
    >>> unread(TimeRule(), pd.DataFrame({"pages": [1.0]}))
    'model time_rule reads days_since_order, which these customers lack'
    """
    lacking = [name for name in reads(model) or () if name not in table]
    if not lacking:
        return None
    told = f"model {getattr(model, 'name', type(model).__name__)} reads {', '.join(lacking)}"
    off = set(lacking) <= set(known)
    return f"{told}, whose group is switched off" if off else f"{told}, which these customers lack"
