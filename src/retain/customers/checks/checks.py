"""Checks of the audit: each looks at the customers and answers with a message and numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from retain.customers.checks import univariate_auc
from retain.customers.checks.duplicates import DuplicateGroups, find_duplicates
from retain.customers.checks.label_audit import compare_periods, find_successive_periods
from retain.customers.checks.match_model import Floats
from retain.customers.checks.univariate_auc import (
    MIN_ROWS,
    Numbers,
    UnivariateAuc,
    auc_of_codes,
    category_auc,
    number_auc,
    rank_codes,
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
    """The folds that a validation is going to make.

    ``is_shuffled``: customers are shuffled before folding. ``duplicates``: the copies that folds
    keep together, where they have been looked for.
    """

    is_shuffled: bool
    duplicates: DuplicateGroups | None = None


@dataclass(frozen=True, slots=True)
class DataCheck:
    """One answer of the audit. ``is_severe``: no run may start unless the user allows the code."""

    code: str
    outcome: Literal["passed", "mitigated", "failed", "not_applicable"]
    sentence: str
    is_severe: bool = False


def id_predicts_target(customers: Customers, _: Folding) -> DataCheck:
    """Return the id tells who declined: harmless unless a feature repeats it.

    The id itself is never a feature; what merely rises with a harmless one, such as the date of
    registration, may be.
    """
    code, target = "id_predicts_target", _target(customers)
    found = auc_of_codes(rank_codes(customers.features.index), target)
    copies = univariate_auc.find_id_copies(customers)
    message = f"the id alone tells who declined with {_describe_auc(found, 'ids')}"
    if not found.exceeds(ORDER_AUC):
        message = f"the id does not tell who declined (AUC {found.separation:.2f})"
    if copies:
        message = f"{message}; {_describe_repeats(copies)} the id and must be left out"
        itself = any(univariate_auc.is_id(customers, name) for name in copies)
        return DataCheck(code, "failed", message, is_severe=itself or found.exceeds(ORDER_AUC))
    if not found.exceeds(ORDER_AUC):
        return DataCheck(code, "passed", message)
    return DataCheck(code, "mitigated", f"{message}; the id is no feature, so no model sees it")


def order_predicts_target(customers: Customers, folding: Folding) -> DataCheck:
    """Return the file is sorted by what is to be predicted: folds must be shuffled.

    Rows of a dated source are in the order of ids and days, whatever that of the file.
    """
    if customers.panel is not None:
        raise NotApplicable("rows are in the order of ids and days, whatever that of the log")
    code, target = "order_predicts_target", _target(customers)
    found = auc_of_codes(np.arange(len(target)), target)
    parts = np.array_split(target, FOLDS)
    shares = np.array([part.mean() for part in parts])
    unshuffled = ", ".join(f"{share:.2f}" for share in shares)
    folds = f"unshuffled, {FOLDS} folds would hold shares of declined of {unshuffled}"
    if not (found.exceeds(ORDER_AUC) or _is_uneven(parts, shares)):
        message = f"the order of the file does not tell who declined (AUC {found.separation:.2f})"
        return DataCheck(code, "passed", f"{message}; {folds}")
    auc = _describe_auc(found, "rows", "later", "earlier")
    message = f"the order of the file alone tells who declined with {auc}; {folds}"
    if folding.is_shuffled:
        return DataCheck(code, "mitigated", f"{message}; folds are shuffled")
    return DataCheck(
        code, "failed", f"{message}; shuffle them with validation.shuffle=true", is_severe=True
    )


def duplicate_customers(customers: Customers, folding: Folding) -> DataCheck:
    """Return copied customers: harmless when they share a group, which no fold splits."""
    if customers.panel is not None:
        raise NotApplicable("a customer has rows at several snapshots, which share a group")
    found = folding.duplicates or find_duplicates(customers)
    if not found.is_applicable:
        raise NotApplicable(found.description)
    if found.pairs.empty:
        return DataCheck("duplicate_customers", "passed", found.description)
    first, second = (
        customers.duplicate_groups.loc[found.pairs[name]] for name in ("first", "second")
    )
    apart = int((first.to_numpy() != second.to_numpy()).sum())
    if apart == 0:
        message = f"{found.description}; copies share a group, which no fold splits"
        return DataCheck("duplicate_customers", "mitigated", message)
    message = f"{found.description}; folds may split {apart:,} of them"
    message += ": group them with audit.duplicates=group"
    return DataCheck("duplicate_customers", "failed", message, is_severe=True)


def single_feature_auc(customers: Customers, _: Folding) -> DataCheck:
    """One feature that does a model's work alone has probably seen the answer."""
    code, target = "single_feature_auc", _target(customers)
    told_elsewhere = {
        *univariate_auc.find_id_copies(customers),
        *univariate_auc.find_target_copies(customers),
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
        listed = ", ".join(f"{name!r} (AUC {one.separation:.3f})" for name, one in strong.items())
        message = "one feature alone separates who declined as well as no whole model should"
        return DataCheck(
            code, "failed", f"{message}: {listed}; was it known in time?", is_severe=True
        )
    best = max(found, key=lambda name: found[name].separation)
    message = f"no feature alone separates who declined with an AUC above {FEATURE_AUC:.2f}"
    return DataCheck(
        code, "passed", f"{message}; the best is {best!r} with {found[best].separation:.2f}"
    )


def target_or_profit_among_features(customers: Customers, _: Folding) -> DataCheck:
    """Return a feature that is the answer, or the money, under another name.

    Of a dated source the money is what was bought before the snapshot, which may be a feature.
    """
    code = "target_or_profit_among_features"
    asked = ("target", "profit") if customers.panel is None else ("target",)
    sought = [n for n in asked if getattr(customers, n) is not None]
    if not sought:
        raise NotApplicable("there is neither a target nor a profit")
    found = {
        "target": univariate_auc.find_target_copies(customers),
        "profit": univariate_auc.find_profit_copies(customers),
    }
    messages = [f"{_describe_repeats(found[what])} the {what}" for what in sought if found[what]]
    if messages:
        return DataCheck(code, "failed", "; ".join(messages), is_severe=True)
    return DataCheck(code, "passed", f"no feature repeats the {' or the '.join(sought)}")


def constant_features(customers: Customers, _: Folding) -> DataCheck:
    """Features with a single value."""
    distinct = customers.features.nunique(dropna=False)
    constant = [repr(name) for name in distinct.index[distinct <= 1]]
    if constant:
        message = f"{len(constant)} of {len(distinct)} features have a single value"
        listed = ", ".join(constant)
        return DataCheck("constant_features", "failed", f"{message}: {listed}; they carry nothing")
    return DataCheck("constant_features", "passed", f"all {len(distinct)} features vary")


def label_against_revenue(customers: Customers, _: Folding) -> DataCheck:
    """Return whether customers labelled as declined really bought less in the last period."""
    code = "label_against_revenue"
    _target(customers)
    trends = [pair for one, *pair in find_successive_periods(customers) if one.operation == "slope"]
    if not trends:
        raise NotApplicable("no derived slope tells which features are successive periods")
    before, last = trends[0]
    found = compare_periods(customers, before, last)
    if not found.is_observed:
        raise NotApplicable(f"{before!r} and {last!r} are not known for both classes")
    message = (
        f"{last!r} is below {before!r} for {found.declined.share:.0%} of the customers labelled as "
        f"declined and {found.stayed.share:.0%} of the others (z = {found.z:.1f})"
    )
    if found.is_consistent:
        return DataCheck(code, "passed", f"{message}: the given label agrees with the money")
    return DataCheck(code, "failed", f"{message}: the given label is not what the money says")


def _target(customers: Customers) -> Numbers:
    """Return the target as 0 and 1; ``NotApplicable`` where it cannot be compared with anything."""
    if customers.target is None:
        raise NotApplicable("these customers have no target")
    if len(customers) < MIN_ROWS:
        raise NotApplicable(f"{len(customers)} customers are too few to tell")
    if customers.target.nunique() < 2:
        raise NotApplicable("all customers have the same label")
    return customers.target.to_numpy(dtype=np.int64)


def _separation(customers: Customers, name: str, target: Numbers) -> UnivariateAuc:
    by = category_auc if customers.columns[name].kind == "category" else number_auc
    return by(customers.features[name], target)


def _describe_auc(
    found: UnivariateAuc, what: str, more: str = "higher", less: str = "lower"
) -> str:
    direction = more if found.auc > 0.5 else less
    return f"AUC {found.separation:.2f} ({direction} {what} decline more)"


def _describe_repeats(names: tuple[str, ...]) -> str:
    listed = ", ".join(repr(name) for name in names)
    return f"feature {listed} repeats" if len(names) == 1 else f"features {listed} repeat"


def _is_uneven(parts: list[Numbers], shares: Floats) -> bool:
    """Return whether the parts of the file differ in their share of declined customers."""
    mean = np.concatenate(parts).mean()
    sizes = np.array([len(part) for part in parts])
    chi_square = (sizes * (shares - mean) ** 2).sum() / (mean * (1 - mean))
    return bool(np.ptp(shares) > FOLD_SPREAD and chi_square > FOLD_CHI_SQUARE)


__all__ = ["CHECKS", "CODES", "DataCheck", "Folding", "audit", "raise_severe"]

CHECKS: tuple[Callable[[Customers, Folding], DataCheck], ...] = (
    id_predicts_target,
    order_predicts_target,
    duplicate_customers,
    single_feature_auc,
    target_or_profit_among_features,
    constant_features,
    label_against_revenue,
)
CODES = tuple(check.__name__ for check in CHECKS)
"""What each check is called in ``audit.allow``: the name of its function."""


def audit(customers: Customers, folding: Folding) -> list[DataCheck]:
    """Return the answers of all checks, in the order of ``CHECKS``."""
    return [_run_check(check, customers, folding) for check in CHECKS]


def _run_check(
    check: Callable[[Customers, Folding], DataCheck], customers: Customers, folding: Folding
) -> DataCheck:
    try:
        return check(customers, folding)
    except NotApplicable as no:
        return DataCheck(check.__name__, "not_applicable", str(no))


def raise_severe(checks: Sequence[DataCheck], allow: Sequence[str]) -> None:
    """Raise one ``RetainError`` that tells every severe failure not in ``allow``."""
    for code in allow:
        if code not in CODES:
            raise RetainError.unknown("audit.allow: check", code, CODES)
    wrong = [c for c in checks if c.outcome == "failed" and c.is_severe and c.code not in allow]
    if wrong:
        message = "\n".join(f"  {check.code}: {check.sentence}" for check in wrong)
        typed = ",".join(dict.fromkeys([*allow, *(check.code for check in wrong)]))
        raise RetainError(
            f"the audit found errors in these data:\n{message}\n"
            f"Correct them, or use the data as they are: audit.allow=[{typed}]"
        )
