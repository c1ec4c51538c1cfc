"""Checks of the audit: each looks at the customers and answers with a message and numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from retain.customers.checks import univariate_auc
from retain.customers.checks.duplicates import DuplicateGroups, find_duplicates
from retain.customers.checks.label_audit import movement, periods
from retain.customers.checks.match_model import Floats
from retain.customers.checks.univariate_auc import (
    FEWEST,
    Numbers,
    UnivariateAuc,
    auc_of_codes,
    by_category,
    by_number,
    order,
)
from retain.customers.customers import Customers
from retain.errors import NotApplicable, RetainError

ORDER_AUC = 0.60
"""Ids and file order mean nothing; an honest source stays within a few points of .5."""
FEATURE_AUC = 0.95
"""Above what whole models reach in this trade (.90 to .93): one column that good is a leak."""
FOLD_SPREAD, FOLD_CHI_SQUARE = 0.25, 24.5
"""Unshuffled folds whose decline shares lie further apart are not alike; 24.5 is ``BEYOND_CHANCE``
for the chi-square of five folds (4 degrees of freedom). Finds blocks of labels an AUC overlooks."""
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Folding:
    """What the validation is going to do.

    ``shuffled``: customers are shuffled before folding. ``copies``: the twins it keeps together,
    if somebody has looked for them already.
    """

    shuffled: bool
    copies: DuplicateGroups | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One answer of the audit. ``severe``: no run may start unless the user allows the code."""

    code: str
    outcome: Literal["passed", "mitigated", "failed", "not_applicable"]
    sentence: str
    severe: bool = False


def id_predicts_target(customers: Customers, _: Folding) -> Check:
    """The id tells who declined: harmless unless a feature repeats it.

    The id itself is never a feature; what merely rises with a harmless one, such as the date of
    registration, may be.
    """
    code, target = "id_predicts_target", _target(customers)
    found = auc_of_codes(order(customers.features.index), target)
    copies = univariate_auc.copies_of_id(customers)
    message = f"the id alone tells who declined with {_auc(found, 'ids')}"
    if not found.exceeds(ORDER_AUC):
        message = f"the id does not tell who declined (AUC {found.strength:.2f})"
    if copies:
        message = f"{message}; {_repeat(copies)} the id and must be left out"
        itself = any(univariate_auc.is_id(customers, name) for name in copies)
        return Check(code, "failed", message, severe=itself or found.exceeds(ORDER_AUC))
    if not found.exceeds(ORDER_AUC):
        return Check(code, "passed", message)
    return Check(code, "mitigated", f"{message}; the id is no feature, so no model sees it")


def order_predicts_target(customers: Customers, folding: Folding) -> Check:
    """The file is sorted by what is to be predicted: folds must be shuffled.

    Rows of a dated source are in the order of ids and days, whatever that of the file.
    """
    if customers.dated is not None:
        raise NotApplicable("rows are in the order of ids and days, whatever that of the log")
    code, target = "order_predicts_target", _target(customers)
    found = auc_of_codes(np.arange(len(target)), target)
    parts = np.array_split(target, FOLDS)
    shares = np.array([part.mean() for part in parts])
    unshuffled = ", ".join(f"{share:.2f}" for share in shares)
    folds = f"unshuffled, {FOLDS} folds would hold shares of declined of {unshuffled}"
    if not (found.exceeds(ORDER_AUC) or _uneven(parts, shares)):
        message = f"the order of the file does not tell who declined (AUC {found.strength:.2f})"
        return Check(code, "passed", f"{message}; {folds}")
    auc = _auc(found, "rows", "later", "earlier")
    message = f"the order of the file alone tells who declined with {auc}; {folds}"
    if folding.shuffled:
        return Check(code, "mitigated", f"{message}; folds are shuffled")
    return Check(
        code, "failed", f"{message}; shuffle them with validation.shuffle=true", severe=True
    )


def twins(customers: Customers, folding: Folding) -> Check:
    """Copied customers: harmless when they share a group, which no fold splits."""
    if customers.dated is not None:
        raise NotApplicable("a customer has rows at several snapshots, which share a group")
    found = folding.copies or find_duplicates(customers)
    if not found.applicable:
        raise NotApplicable(found.told)
    if found.pairs.empty:
        return Check("duplicates", "passed", found.told)
    first, second = (customers.twins.loc[found.pairs[name]] for name in ("first", "second"))
    apart = int((first.to_numpy() != second.to_numpy()).sum())
    if apart == 0:
        message = f"{found.told}; copies share a group, which no fold splits"
        return Check("duplicates", "mitigated", message)
    message = (
        f"{found.told}; folds may split {apart:,} of them: group them with audit.duplicates=group"
    )
    return Check("duplicates", "failed", message, severe=True)


def single_feature_auc(customers: Customers, _: Folding) -> Check:
    """One feature that does a model's work alone has probably seen the answer."""
    code, target = "single_feature_auc", _target(customers)
    told_elsewhere = {
        *univariate_auc.copies_of_id(customers),
        *univariate_auc.copies_of_target(customers),
    }
    found = {
        name: _separation(customers, name, target)
        for name in customers.columns
        if name not in told_elsewhere
    }
    if not found:
        raise NotApplicable("every feature repeats the id or the target")
    strong = {name: one for name, one in found.items() if one.exceeds(FEATURE_AUC)}
    if strong:
        listed = ", ".join(f"{name!r} (AUC {one.strength:.3f})" for name, one in strong.items())
        message = "one feature alone separates who declined as well as no whole model should"
        return Check(code, "failed", f"{message}: {listed}; was it known in time?", severe=True)
    best = max(found, key=lambda name: found[name].strength)
    message = f"no feature alone separates who declined with an AUC above {FEATURE_AUC:.2f}"
    return Check(code, "passed", f"{message}; the best is {best!r} with {found[best].strength:.2f}")


def target_or_profit_among_features(customers: Customers, _: Folding) -> Check:
    """A feature that is the answer, or the money, under another name.

    Of a dated source the money is what was bought before the snapshot, which may be a feature.
    """
    code = "target_or_profit_among_features"
    asked = ("target", "profit") if customers.dated is None else ("target",)
    sought = [n for n in asked if getattr(customers, n) is not None]
    if not sought:
        raise NotApplicable("there is neither a target nor a profit")
    found = {
        "target": univariate_auc.copies_of_target(customers),
        "profit": univariate_auc.copies_of_profit(customers),
    }
    messages = [f"{_repeat(found[what])} the {what}" for what in sought if found[what]]
    if messages:
        return Check(code, "failed", "; ".join(messages), severe=True)
    return Check(code, "passed", f"no feature repeats the {' or the '.join(sought)}")


def constant_features(customers: Customers, _: Folding) -> Check:
    """Features with a single value."""
    distinct = customers.features.nunique(dropna=False)
    constant = [repr(name) for name in distinct.index[distinct <= 1]]
    if constant:
        message = f"{len(constant)} of {len(distinct)} features have a single value"
        listed = ", ".join(constant)
        return Check("constant_features", "failed", f"{message}: {listed}; they carry nothing")
    return Check("constant_features", "passed", f"all {len(distinct)} features vary")


def label_against_revenue(customers: Customers, _: Folding) -> Check:
    """Whether customers labelled as declined really bought less in the last period."""
    code = "label_against_revenue"
    _target(customers)
    trends = [pair for one, *pair in periods(customers) if one.operation == "slope"]
    if not trends:
        raise NotApplicable("no derived slope tells which features are successive periods")
    before, last = trends[0]
    found = movement(customers, before, last)
    if not found.known:
        raise NotApplicable(f"{before!r} and {last!r} are not known for both classes")
    message = (
        f"{last!r} is below {before!r} for {found.declined.share:.0%} of the customers labelled as "
        f"declined and {found.stayed.share:.0%} of the others (z = {found.z:.1f})"
    )
    if found.agrees:
        return Check(code, "passed", f"{message}: the given label agrees with the money")
    return Check(code, "failed", f"{message}: the given label is not what the money says")


def _target(customers: Customers) -> Numbers:
    """The target as 0 and 1; ``NotApplicable`` where it cannot be compared with anything."""
    if customers.target is None:
        raise NotApplicable("these customers carry no target")
    if len(customers) < FEWEST:
        raise NotApplicable(f"{len(customers)} customers are too few to tell")
    if customers.target.nunique() < 2:
        raise NotApplicable("all customers carry the same label")
    return customers.target.to_numpy(dtype=np.int64)


def _separation(customers: Customers, name: str, target: Numbers) -> UnivariateAuc:
    by = by_category if customers.columns[name].kind == "category" else by_number
    return by(customers.features[name], target)


def _auc(found: UnivariateAuc, what: str, more: str = "higher", less: str = "lower") -> str:
    direction = more if found.auc > 0.5 else less
    return f"AUC {found.strength:.2f} ({direction} {what} decline more)"


def _repeat(names: tuple[str, ...]) -> str:
    listed = ", ".join(repr(name) for name in names)
    return f"feature {listed} repeats" if len(names) == 1 else f"features {listed} repeat"


def _uneven(parts: list[Numbers], shares: Floats) -> bool:
    """Whether the parts of the file differ in their share of declined customers."""
    mean = np.concatenate(parts).mean()
    sizes = np.array([len(part) for part in parts])
    chi_square = (sizes * (shares - mean) ** 2).sum() / (mean * (1 - mean))
    return bool(np.ptp(shares) > FOLD_SPREAD and chi_square > FOLD_CHI_SQUARE)


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
        message = "\n".join(f"  {check.code}: {check.sentence}" for check in wrong)
        typed = ",".join(dict.fromkeys([*allow, *(check.code for check in wrong)]))
        raise RetainError(
            f"the audit refuses these data:\n{message}\n"
            f"To mend is best; to go on as they are, type audit.allow=[{typed}]"
        )
