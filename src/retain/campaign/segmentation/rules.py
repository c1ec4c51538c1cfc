"""Rules over features, risk and profit: what is wrong with one, and for whom one holds.

Kleene's three-valued logic, as SQL has it: a condition on a value nobody knows is neither true nor
false, and so is its ``not``; a rule holds where it is true. So a customer of whom nothing is known
satisfies nothing but what asks for it with ``known``, and de Morgan's laws hold.

May import: errors, customers, schema.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.segmentation.conditions import bounded, met, values_of
from retain.campaign.segmentation.rule_faults import faults
from retain.errors import RetainError
from retain.schema import Rule


def holds(rule: Rule, audience: Audience) -> np.ndarray:
    """Whether a rule that ``check`` has passed is true of each customer, shape (n,).

    ``top: 0.2`` is true of the customers whose value is among the highest fifth of all values
    known, those tied with the last of them included; ``bottom`` likewise. A source without profit
    knows nobody's.

    >>> import pandas as pd
    >>> from retain.schema import Condition
    >>> table = pd.DataFrame({"risk": [0.2, 0.6, 0.9]})
    >>> pages = pd.DataFrame({"pages": [3.0, np.nan, 7.0]})
    >>> audience = Audience(table, pages, {})
    >>> holds(Rule(pages=Condition(below=5)), audience).tolist()
    [True, False, False]
    >>> holds(Rule(not_=Rule(pages=Condition(below=5))), audience).tolist()
    [False, False, True]
    >>> holds(Rule(risk=Condition(top=0.5)), audience).tolist()
    [False, True, True]
    """
    return _truth(rule, audience).yes


def check(rule: Rule, audience: Audience, where: str) -> None:
    """Refuse a rule that cannot be meant for these customers.

    Raises
    ------
    RetainError
        One sentence a fault, with its place below ``where``: a feature or level that does not
        exist, a number's condition on a category or the reverse, a feature that bears a reserved
        name, bounds that nothing satisfies, a rule or condition that says nothing.
    """
    if found := list(faults(rule, audience, where)):
        raise RetainError("\n".join(found))


# --- truth ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Truth:
    """Where something is true and where it is false; neither where that is not known."""

    yes: np.ndarray
    no: np.ndarray

    def __and__(self, other: _Truth) -> _Truth:
        return _Truth(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: _Truth) -> _Truth:
        return _Truth(self.yes | other.yes, self.no & other.no)

    def __invert__(self) -> _Truth:
        return _Truth(self.no, self.yes)


def _truth(rule: Rule, audience: Audience) -> _Truth:
    everybody = np.ones(len(audience), dtype=bool)
    found = _Truth(everybody, ~everybody)
    for name, condition in rule.conditions.items():
        found &= _Truth(*met(condition, values_of(name, audience)))
    for one in rule.all:
        found &= _truth(one, audience)
    if rule.any:
        either = ~_Truth(everybody, ~everybody)
        for one in rule.any:
            either |= _truth(one, audience)
        found &= either
    return found if rule.not_ is None else found & ~_truth(rule.not_, audience)


# --- bounds --------------------------------------------------------------------------------------


def settled(rule: Rule, audience: Audience) -> Rule:
    """The same rule with every share of customers as the bound it is among these.

    So that others can be held against it: who is ``top: 0.2`` among themselves is another
    question.
    """
    changes: dict[str, object] = {
        name: bounded(condition, values_of(name, audience))
        for name, condition in rule.conditions.items()
    }
    changes |= {
        "all": tuple(settled(one, audience) for one in rule.all),
        "any": tuple(settled(one, audience) for one in rule.any),
        "not_": None if rule.not_ is None else settled(rule.not_, audience),
    }
    return rule.model_copy(update=changes)
