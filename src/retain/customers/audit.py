"""The leak battery: what in a table of customers would make a score look better than it is.

May import: errors, customers.customers, checks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from retain.customers.checks import (
    Check,
    Folding,
    constant_features,
    id_predicts_target,
    label_against_revenue,
    order_predicts_target,
    single_feature_auc,
    target_or_profit_among_features,
    twins,
)
from retain.customers.customers import Customers
from retain.errors import NotApplicable, RetainError

__all__ = ["CHECKS", "CODES", "Check", "Folding", "audit", "refuse"]

CHECKS: tuple[Callable[[Customers, Folding], Check], ...] = (
    id_predicts_target,
    order_predicts_target,
    twins,
    single_feature_auc,
    target_or_profit_among_features,
    constant_features,
    label_against_revenue,
)
CODES = tuple(check.__name__ for check in CHECKS)
"""What each check is called in ``audit.allow``: the name of its function."""


def audit(customers: Customers, folding: Folding) -> list[Check]:
    """The answers of all checks, in the order of ``CHECKS``."""
    return [_answer(check, customers, folding) for check in CHECKS]


def _answer(
    check: Callable[[Customers, Folding], Check], customers: Customers, folding: Folding
) -> Check:
    try:
        return check(customers, folding)
    except NotApplicable as no:
        return Check(check.__name__, "not_applicable", str(no))


def refuse(checks: Sequence[Check], allow: Sequence[str]) -> None:
    """Raise one ``RetainError`` that tells every severe failure not in ``allow``."""
    for code in allow:
        if code not in CODES:
            raise RetainError.unknown("audit.allow: check", code, CODES)
    wrong = [c for c in checks if c.outcome == "failed" and c.severe and c.code not in allow]
    if wrong:
        told = "\n".join(f"  {check.code}: {check.sentence}" for check in wrong)
        typed = ",".join(dict.fromkeys([*allow, *(check.code for check in wrong)]))
        raise RetainError(
            f"the audit refuses these data:\n{told}\n"
            f"To mend is best; to go on as they are, type audit.allow=[{typed}]"
        )
